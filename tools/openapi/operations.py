"""RPCs with a path, as operations of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from openapi.schemas import Schema, Schemas, is_map, is_value

VERBS = ("get", "post", "patch", "delete")
EMPTY_IS_A_VALUE = {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BOOL}
LONG = 85  # characters of a summary
IN_HEADER = "request_id"  # the Idempotency-Key stands for it


class Route(NamedTuple):
    """One path of an RPC."""

    rpc: str  # "persona.v1.PersonaService.ListPersonas"
    verb: str  # "get"
    path: str  # "/api/v1/projects/{project_id}"
    body: str  # "persona", "*" or ""
    response_body: str  # "personas" or ""
    is_additional: bool  # not the RPC's first path

    @property
    def params(self) -> list[str]:
        """The fields that the path binds."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def operation(self) -> str:
        """A name that no other path has."""
        name = self.rpc.rpartition(".")[2]
        by = self.params[-1].removesuffix("_id").title() if self.params else ""
        return f"{name}By{by}" if self.is_additional else name


def read_routes(gateway: Path) -> list[Route]:
    """Return every path of gateway.yaml, in its order."""
    rules = yaml.safe_load(gateway.read_text())["http"]["rules"]
    return [route for rule in rules for route in _routes_of(rule)]


def _routes_of(rule: dict[str, Any]) -> Iterator[Route]:
    yield _route(rule["selector"], rule, is_additional=False)
    for binding in rule.get("additional_bindings", []):
        yield _route(rule["selector"], binding, is_additional=True)


def _route(rpc: str, rule: dict[str, Any], *, is_additional: bool) -> Route:
    verb = next(verb for verb in VERBS if verb in rule)
    bodies = rule.get("body", ""), rule.get("response_body", "")
    return Route(rpc, verb, rule[verb], *bodies, is_additional)


class Operations:
    """Makes operations, and with them the schemas that they refer to."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def make(self, route: Route, method: MethodDescriptor, scopes: tuple[str, ...]) -> Schema:
        """Return the operation of a route."""
        said = self._schemas.said_of(method.full_name)
        operation: Schema = {
            "operationId": route.operation,
            "tags": [method.containing_service.name],
            "summary": _summary(said, method.name),
            "description": said,
            "security": [{"bearer": list(scopes)}, {"apiKey": list(scopes)}],
            "parameters": [*self._parameters(route, method.input_type), *_headers(route, method)],
        }
        if route.body:
            operation["requestBody"] = self._body(route, method.input_type)
        return operation | {"responses": self._answers(route, method)}

    def _parameters(self, route: Route, request: Descriptor) -> Iterator[Schema]:
        for name in route.params:
            yield self._parameter(request.fields_by_name[name], "path") | {"required": True}
        if route.body == "*":
            return
        for field in request.fields:
            bound = {*route.params, route.body, IN_HEADER}
            if field.name not in bound and (is_value(field) or is_map(field)):
                yield self._parameter(field, "query")

    def _parameter(self, field: FieldDescriptor, where: str) -> Schema:
        schema = self._schemas.field(field, sent=True)
        parameter = {"name": field.name, "in": where, "description": schema.pop("description")}
        if is_map(field):  # attributes[state]=AR
            parameter |= {"style": "deepObject", "explode": True}
        elif where == "query" and field.message_type:  # a parameter that is there has a value
            schema = self._schemas.one(field, sent=True)
        if where == "query" and not is_map(field) and field.type not in EMPTY_IS_A_VALUE:
            parameter["allowEmptyValue"] = True  # ?page_size= asks for a page of the default size
        return parameter | {"schema": schema}

    def _body(self, route: Route, request: Descriptor) -> Schema:
        if route.body == "*":
            without = {*route.params, IN_HEADER}
            schema = self._schemas.message(request, sent=True, without=without)
        else:
            resource = request.fields_by_name[route.body].message_type
            assert resource is not None  # what is a body is a message
            changes = route.verb == "patch"
            schema = self._schemas.message(resource, sent=True, changes=changes)
        return {"required": route.body != "*", "content": {"application/json": {"schema": schema}}}

    def _answers(self, route: Route, method: MethodDescriptor) -> Schema:
        problem = {"default": {"$ref": "#/components/responses/Problem"}}
        status = _status(method.name)
        success: Schema = {"description": _SAID[status], "headers": _answer_headers(route, method)}
        if status != "204":
            success["content"] = self._content(route, method)
        if route.verb == "get" and not method.server_streaming:
            return {status: success, "304": {"$ref": "#/components/responses/Unchanged"}} | problem
        return {status: success} | problem

    def _content(self, route: Route, method: MethodDescriptor) -> Schema:
        answer = method.output_type
        if not route.response_body:
            return {"application/json": {"schema": self._schemas.message(answer)}}
        field = answer.fields_by_name[route.response_body]
        one = self._schemas.one(field, sent=False)
        if method.server_streaming:  # a line for each
            return {"application/x-ndjson": {"schema": one}}
        whole = {"type": "array", "items": one} if field.is_repeated else one
        return {"application/json": {"schema": whole}}


_SAID = {"200": "Done.", "201": "Made, or there already with the same content.", "204": "Done."}


def _status(name: str) -> str:
    """Return the status of an RPC that succeeds: creates are 201 (a promotion is one)."""
    if name.startswith("Create") or name == "PromotePersona":
        return "201"
    return "204" if name.startswith("Delete") else "200"


def _headers(route: Route, method: MethodDescriptor) -> Iterator[Schema]:
    if IN_HEADER in method.input_type.fields_by_name:
        yield {"$ref": "#/components/parameters/IdempotencyKey"}
    if route.verb == "get" and not method.server_streaming:
        yield {"$ref": "#/components/parameters/IfNoneMatch"}


def _answer_headers(route: Route, method: MethodDescriptor) -> Schema:
    names = ["X-Request-Id"]
    if route.verb == "get" and not method.server_streaming:
        names.append("ETag")
    if "next_page_token" in method.output_type.fields_by_name:
        names += ["X-Next-Page-Token", "Link"]
    if _status(method.name) == "201":
        names.append("Location")
    if method.name == "DeleteAllPersonas":
        names.append("X-Deleted-Count")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _summary(said: str, name: str) -> str:
    """Return the first sentence of a comment without its subject; of a long one its beginning."""
    sentence = re.split(r"[.:;] |\.$", said)[0].removeprefix(f"{name} ")
    if len(sentence) > LONG:
        sentence = sentence.partition(", ")[0]
    return sentence[:1].upper() + sentence[1:]

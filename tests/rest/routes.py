"""The routes of the contract, from gateway.yaml, and any RPC as the HTTP request that means it."""

import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from persona.v1 import (
    comparison_service_pb2,
    library_service_pb2,
    persona_service_pb2,
    project_service_pb2,
    response_service_pb2,
    simulation_service_pb2,
)

_SERVICES = (
    persona_service_pb2.DESCRIPTOR.services_by_name["PersonaService"],
    project_service_pb2.DESCRIPTOR.services_by_name["ProjectService"],
    response_service_pb2.DESCRIPTOR.services_by_name["ResponseService"],
    library_service_pb2.DESCRIPTOR.services_by_name["LibraryService"],
    simulation_service_pb2.DESCRIPTOR.services_by_name["SimulationService"],
    comparison_service_pb2.DESCRIPTOR.services_by_name["ComparisonService"],
)
_CONFIGURATION = Path(__file__).parents[2] / "protos" / "persona" / "v1" / "gateway.yaml"

# The status of each RPC that succeeds.
SUCCESS = {
    "CreateProject": 201,
    "ListProjects": 200,
    "GetProject": 200,
    "UpdateProject": 200,
    "DeleteProject": 204,
    "CreatePersonaGroup": 201,
    "ListPersonaGroups": 200,
    "GetPersonaGroup": 200,
    "UpdatePersonaGroup": 200,
    "DeletePersonaGroup": 204,
    "CreatePersona": 201,
    "BatchCreatePersonas": 200,
    "CopyPersonas": 200,
    "ListPersonas": 200,
    "GetPersona": 200,
    "BatchGetPersonas": 200,
    "CountPersonas": 200,
    "DeletePersona": 204,
    "DeleteAllPersonas": 204,
    "ExportPersonas": 200,
    "RecordResponses": 200,
    "ListResponses": 200,
    "GetResponse": 200,
    "GetResponsePersona": 200,
    "VoidResponses": 200,
    "CreateSimulation": 201,
    "ListSimulations": 200,
    "GetSimulation": 200,
    "UpdateSimulation": 200,
    "ListQuestions": 200,
    "GetPersonaLineage": 200,
    "ListLibraryPersonaProjects": 200,
    "GetReliability": 200,
    "GetLibraryPersonaReliability": 200,
    "ListReliabilities": 200,
    "PromotePersona": 201,
    "PromotePersonas": 200,
    "ListLibraryPersonas": 200,
    "GetLibraryPersona": 200,
    "RetireLibraryPersona": 200,
    "MatchLibraryPersonas": 200,
    "ReuseLibraryPersonas": 200,
    "GetAttitudeTimeline": 200,
    "GetLibraryPersonaAttitudeTimeline": 200,
    "SummarizeResponses": 200,
    "CompareResponses": 200,
    "RecordReferenceAnswers": 200,
    "MeasureFidelity": 200,
    "MeasureGroupFidelity": 200,
}


class Route(NamedTuple):
    """One RPC and a path of it."""

    rpc: str  # "persona.v1.PersonaService.ListPersonas"
    verb: str  # "GET"
    path: str  # "/api/v1/projects/{project_id}"
    body: str  # "persona", "*" or ""
    response_body: str  # "personas" or ""
    additional: bool = False  # not the RPC's first path

    @property
    def name(self) -> str:
        """The RPC's own name."""
        return self.rpc.rpartition(".")[2]

    @property
    def key(self) -> str:
        """What tells it from all others: the name, and for an additional path what it names."""
        return f"{self.name} by {self.params[-1]}" if self.additional else self.name

    @property
    def params(self) -> list[str]:
        """The fields that the path binds."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def method(self) -> MethodDescriptor:
        """The RPC's descriptor."""
        return descriptor_pool.Default().FindMethodByName(self.rpc)

    @property
    def writes(self) -> bool:
        """Whether the RPC changes something."""
        return "request_id" in self.method.input_type.fields_by_name

    def filled(self, request: Message) -> tuple[str, str, Any]:
        """Return verb, path with query, and body of the REST call that means this request."""
        path = self.path
        for name in self.params:
            path = path.replace(f"{{{name}}}", quote(getattr(request, name), safe=""))
        rest = MessageToDict(request, preserving_proto_field_name=True)
        rest = {name: value for name, value in rest.items() if name not in self.params}
        rest |= {name: "true" for name, value in rest.items() if value is True}
        if not self.body and (entries := rest.pop("attributes", {})):
            rest |= {f"attributes[{key}]": value for key, value in entries.items()}
        if "update_mask" in rest:  # JSON would write its names in camelCase
            rest["update_mask"] = ",".join(request.update_mask.paths)  # type: ignore[attr-defined]
        if self.body == "*":
            return self.verb, path, rest
        body = rest.pop(self.body, {}) if self.body else None
        return self.verb, f"{path}?{urlencode(rest)}" if rest else path, body

    def named(self, field: str) -> str:
        """Return what REST calls a field of the request: one of the body as the body does."""
        if self.body in ("", "*"):
            return field
        return "body" if field == self.body else field.removeprefix(f"{self.body}.")

    def unbound(self) -> list[FieldDescriptor]:
        """Return the fields that a query may set."""
        if self.body == "*":
            return []
        bound = {*self.params, self.body}
        return [field for field in self.method.input_type.fields if field.name not in bound]


def _routes() -> list[Route]:
    rules = re.split(r"^ +- selector: ", _CONFIGURATION.read_text(), flags=re.MULTILINE)[1:]
    return [route for rule in rules for route in _routes_of(rule)]


def _routes_of(rule: str) -> list[Route]:
    rpc = rule.split(maxsplit=1)[0]
    first, *others = re.split(r"^ +- (?=get: )", rule, flags=re.MULTILINE)
    additional = [_route(rpc, f"  {other}")._replace(additional=True) for other in others]
    return [_route(rpc, first), *additional]


def _route(rpc: str, rule: str) -> Route:
    values = dict(re.findall(r'^ +(\w+): "?([^"\n]+)"?$', rule, flags=re.MULTILINE))
    verb = next(v for v in ("get", "post", "patch", "delete") if v in values)
    body, response_body = values.get("body", ""), values.get("response_body", "")
    return Route(rpc, verb.upper(), values[verb], body, response_body)


ROUTES = _routes()


def without_path() -> set[str]:
    """Return the RPCs that have no REST form."""
    everything = {method.full_name for service in _SERVICES for method in service.methods}
    return everything - {route.rpc for route in ROUTES}


def by_path() -> dict[str, list[Route]]:
    """Return the routes of each path."""
    paths: dict[str, list[Route]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, []).append(route)
    return paths

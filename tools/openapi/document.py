"""The document as a whole: what all operations share, and each in its place."""

from pathlib import Path
from typing import Any

from google.protobuf.descriptor import MethodDescriptor

from openapi.comments import read_comments
from openapi.operations import Operations, read_routes
from openapi.schemas import Schema, Schemas
from persona.v1.errors_pb2 import ErrorReason
from persona_server.transport.methods import SERVICES, methods_of

VERSION = "1"  # of the paths: /api/v1
TEXT: Schema = {"type": "string"}


def make_document(root: Path) -> Schema:
    """Return the document of the contract below a folder."""
    comments = read_comments(root)
    schemas = Schemas(comments)
    scopes = {
        f"{m.service}.{m.name}": m.scopes for service in SERVICES for m in methods_of(service)
    }
    operations = Operations(schemas)
    paths: dict[str, Any] = {}
    for route in read_routes(root / "protos/persona/v1/gateway.yaml"):
        made = operations.make(route, _method(route.rpc), scopes[route.rpc] or ())
        paths.setdefault(route.path, {})[route.verb] = made
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": "/"}],
        "tags": [{"name": s.name, "description": comments[s.full_name]} for s in SERVICES],
        "paths": paths | _PROBES,
        "components": {
            "securitySchemes": _SECURITY,
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "responses": _RESPONSES,
            "schemas": dict(sorted((schemas.made | {"Problem": _PROBLEM}).items())),
        },
    }


def _method(rpc: str) -> MethodDescriptor:
    service, _, name = rpc.rpartition(".")
    found = next(each for each in SERVICES if each.full_name == service)
    return found.methods_by_name[name]


_INFO = {
    "title": "persona-service",
    "version": VERSION,
    "summary": "The system of record for synthetic personas",
    "description": "Every id is a UUID, every time UTC. A list without `page_size` and "
    "`page_token` is the whole list; with either it is one page. Errors are "
    "`application/problem+json` with a `reason` for programs. What a request has that is not known "
    "is refused.",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
_SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token or API key with the scopes that an operation names, all of them.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key with the scopes that an operation names, all of them.",
    },
}
_PARAMETERS: Schema = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A UUID, in place of a `request_id`. The same key with the same request "
        "gets the first answer again, for 24 hours.",
        "schema": TEXT | {"format": "uuid"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "ETags of what the client has, or *: if one is still so, the answer is 304.",
        "schema": TEXT,
    },
}
_HEADERS: Schema = {
    "ETag": {
        "description": "What is read, in short. Of whole lists only a group's personas have one.",
        "schema": TEXT,
    },
    "Link": {"description": 'The next page, with rel="next", if there is one.', "schema": TEXT},
    "Location": {"description": "The path of what was made.", "schema": TEXT},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "X-Deleted-Count": {"description": "How many were deleted.", "schema": {"type": "integer"}},
    "X-Next-Page-Token": {"description": "The next page_token, if any.", "schema": TEXT},
    "X-Request-Id": {"description": "By which the logs know the call.", "schema": TEXT},
}
_RESPONSES: Schema = {
    "Problem": {
        "description": "What is wrong (RFC 9457).",
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"}
            for name in ("Retry-After", "X-Request-Id")
        },
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    },
    "Unchanged": {
        "description": "What the client has is still so.",
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in ("ETag", "X-Request-Id")
        },
    },
}
_REASONS = [name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()[1:]]
_VIOLATION: Schema = {
    "type": "object",
    "properties": {
        "field": TEXT | {"description": 'The field as the request has it: "personas[12].age".'},
        "reason": TEXT,
        "description": TEXT | {"description": "What it must be."},
    },
    "required": ["field", "description"],
}
_PROBLEM: Schema = {
    "type": "object",
    "description": "An error. Rely on its reason, not on its sentences.",
    "properties": {
        "type": {"const": "about:blank"},
        "title": TEXT | {"description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT | {"description": "What is wrong, for people."},
        "code": TEXT | {"description": "The canonical code of gRPC, such as NOT_FOUND."},
        "reason": {"enum": _REASONS, "description": "What is wrong, for programs."},
        "metadata": {"type": "object", "additionalProperties": TEXT},
        "violations": {"type": "array", "items": _VIOLATION},
        "reliability": {"$ref": "#/components/schemas/Reliability"},
    },
    "required": ["type", "title", "status", "detail", "code", "reason", "metadata", "violations"],
}


def _probe(operation: str, summary: str, status: str) -> Schema:
    schema = {"type": "object", "properties": {"status": {"const": status}}, "required": ["status"]}
    content = {"application/json": {"schema": schema}}
    answers = {"200": {"description": "Yes.", "content": content}}
    return {
        "get": {
            "operationId": operation,
            "tags": ["Health"],
            "summary": summary,
            "security": [],
            "responses": answers | {"default": {"$ref": "#/components/responses/Problem"}},
        }
    }


_PROBES = {
    "/healthz": _probe("IsLiving", "Whether the gateway lives", "LIVING"),
    "/readyz": _probe("IsReady", "Whether the service behind it is ready", "SERVING"),
}

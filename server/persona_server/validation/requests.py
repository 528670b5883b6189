"""What a request must be, before anything is looked up: one entry per request message.

`validate` also normalises, so that two requests that mean the same have the same hash.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from persona.v1 import (
    errors_pb2,
    library_service_pb2,
    persona_service_pb2,
    project_service_pb2,
    response_service_pb2,
)
from persona_server import errors
from persona_server.errors import Violation
from persona_server.validation.fields import (
    check_ages,
    check_line,
    check_uuid,
)
from persona_server.validation.library import (
    check_individual,
    check_list,
    check_match,
    check_reuse,
    check_timeline,
)
from persona_server.validation.personas import persona_violations
from persona_server.validation.projects import check_group, check_project
from persona_server.validation.responses import check_responses, check_scope_and_range

__all__ = ["MAX_BATCH", "MAX_REQUEST_BYTES", "persona_violations", "validate"]

MAX_REQUEST_BYTES = 3 << 20
MAX_BATCH = 1000

_PATH_IDS = (
    "project_id",
    "group_id",
    "persona_id",
    "import_id",
    "simulation_id",
    "response_id",
    "library_persona_id",
)
# text filter → characters
_FILTERS = (("gender", 64), ("income_level", 64), ("location", 255), ("occupation", 255))

Check: TypeAlias = Callable[[list[Violation], Any], None]


def validate(request: Message, size: int) -> None:
    """Check and normalise a parsed request of `size` bytes.

    Raises ServiceError: MESSAGE_TOO_LARGE, or INVALID_FIELD naming every bad field.
    """
    if size > MAX_REQUEST_BYTES:
        raise errors.ServiceError(
            errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE,
            f"The request has {size} bytes, at most {MAX_REQUEST_BYTES} are taken. "
            "Send it in parts.",
            metadata={"size": str(size), "limit": str(MAX_REQUEST_BYTES)},
        )
    found = unknown_fields(request, "") if has_unknown_fields(request) else []
    for check in _checks_of(request.DESCRIPTOR):
        check(found, request)
    if found:
        raise errors.invalid(found)


def has_unknown_fields(message: Message) -> bool:
    """Return whether there is one anywhere: without them a copy would be shorter.

    For a batch of 1000 it takes a fifth of the walk that names them.
    """
    known = type(message)()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    return known.ByteSize() != message.ByteSize()


def unknown_fields(message: Message, path: str) -> list[Violation]:
    """Return the fields that this server does not know, anywhere in a message.

    An older server must not take a filter that it does not know for no filter.
    """
    unknown: Any = UnknownFieldSet(message)  # the stubs don't know that it iterates
    found = [
        Violation(
            path or "request",
            f"has field {field.field_number}, which {message.DESCRIPTOR.full_name} of this server "
            "does not know",
        )
        for field in unknown
    ]
    for field in _message_fields(message.DESCRIPTOR):
        if field.is_repeated:
            for i, item in enumerate(getattr(message, field.name)):
                found += unknown_fields(item, _join(path, f"{field.name}[{i}]"))
        elif message.HasField(field.name):
            found += unknown_fields(getattr(message, field.name), _join(path, field.name))
    return found


_message_fields_of: dict[str, tuple[FieldDescriptor, ...]] = {}


def _message_fields(descriptor: Any) -> tuple[FieldDescriptor, ...]:
    fields = _message_fields_of.get(descriptor.full_name)
    if fields is None:
        fields = tuple(
            f
            for f in descriptor.fields
            if f.message_type is not None and not f.message_type.GetOptions().map_entry
        )
        _message_fields_of[descriptor.full_name] = fields
    return fields


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_checks: dict[str, tuple[Check, ...]] = {}


def _checks_of(descriptor: Any) -> tuple[Check, ...]:
    """Return the checks of a request type: those its field names ask for, then its own."""
    checks = _checks.get(descriptor.full_name)
    if checks is None:
        names = {field.name for field in descriptor.fields}
        generic = [_path_id(n) for n in _PATH_IDS if n in names and descriptor.name not in _LENIENT]
        generic += [check for name, check in _BY_FIELD.items() if name in names]
        checks = (*generic, *_OWN.get(descriptor.name, ()))
        _checks[descriptor.full_name] = checks
    return checks


def _path_id(name: str) -> Check:
    def check(found: list[Violation], request: Any) -> None:
        value = getattr(request, name)
        check_uuid(found, name, value, required=True)
        if not value.islower():
            setattr(request, name, value.lower())

    return check


def _check_request_id(found: list[Violation], request: Any) -> None:
    if request.request_id:
        check_uuid(found, "request_id", request.request_id, required=False)
        request.request_id = request.request_id.lower()


def _check_page_size(found: list[Violation], request: Any) -> None:
    if request.page_size < 0:
        found.append(Violation("page_size", "must be 0 (the most) or more"))


def _check_filters(found: list[Violation], request: Any) -> None:
    for name, characters in _FILTERS:
        if value := getattr(request, name):
            check_line(found, name, value, characters)
    check_ages(found, request, "")


def _check_persona(found: list[Violation], request: Any) -> None:
    if request.HasField("persona"):
        found += persona_violations(request.persona, "persona")
    else:
        found.append(Violation("persona", "is required"))


def _check_personas(found: list[Violation], request: Any) -> None:
    if not 1 <= len(request.personas) <= MAX_BATCH:
        what = f"must hold 1 to {MAX_BATCH} personas, holds {len(request.personas)}"
        found.append(Violation("personas", what))
        return
    _check_items(found, request)


def _check_items(found: list[Violation], request: Any) -> None:
    seen: dict[str, int] = {}
    for i, persona in enumerate(request.personas):
        found += persona_violations(persona, f"personas[{i}]")
        if persona.id and seen.setdefault(persona.id, i) != i:
            what = f"is the id of personas[{seen[persona.id]}] too; ids must not repeat in a batch"
            found.append(Violation(f"personas[{i}].id", what))


def _check_import(found: list[Violation], request: Any) -> None:
    """Check what can be told without the stream's state: see services/importing.py for the rest."""
    for name in ("project_id", "group_id", "import_id"):
        check_uuid(found, name, getattr(request, name), required=False)
        setattr(request, name, getattr(request, name).lower())
    if len(request.personas) > MAX_BATCH:
        what = f"must hold 1 to {MAX_BATCH} personas, holds {len(request.personas)}"
        found.append(Violation("personas", what))
        return
    _check_items(found, request)


# An import's messages have ids or not depending on their place in the stream; a list of responses
# has one of several, and an individual is named in one of two ways.
_LENIENT = {
    persona_service_pb2.ImportPersonasRequest.DESCRIPTOR.name,
    response_service_pb2.ListResponsesRequest.DESCRIPTOR.name,
    library_service_pb2.GetReliabilityRequest.DESCRIPTOR.name,
}
_BY_FIELD: dict[str, Check] = {
    "request_id": _check_request_id,
    "page_size": _check_page_size,
}
_OWN: dict[str, tuple[Check, ...]] = {
    request.DESCRIPTOR.name: tuple(checks)
    for request, *checks in (
        (persona_service_pb2.ListPersonasRequest, _check_filters),
        (persona_service_pb2.ExportPersonasRequest, _check_filters),
        (persona_service_pb2.CreatePersonaRequest, _check_persona),
        (persona_service_pb2.BatchCreatePersonasRequest, _check_personas),
        (persona_service_pb2.ImportPersonasRequest, _check_import),
        (project_service_pb2.CreateProjectRequest, check_project),
        (project_service_pb2.UpdateProjectRequest, check_project),
        (project_service_pb2.CreatePersonaGroupRequest, check_group),
        (project_service_pb2.UpdatePersonaGroupRequest, check_group),
        (response_service_pb2.RecordResponsesRequest, check_responses),
        (response_service_pb2.ListResponsesRequest, check_scope_and_range),
        (library_service_pb2.GetReliabilityRequest, check_individual),
        (library_service_pb2.ListLibraryPersonasRequest, _check_filters, check_list),
        (library_service_pb2.MatchLibraryPersonasRequest, check_match),
        (library_service_pb2.ReuseLibraryPersonasRequest, check_reuse),
        (library_service_pb2.GetAttitudeTimelineRequest, check_timeline),
    )
}

"""Unknown fields are refused at every depth: an older server must not take a filter for none."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from persona.v1 import (
    library_service_pb2,
    persona_service_pb2,
    project_service_pb2,
    response_service_pb2,
)
from support.data import Place
from support.errors import refused

# Field 5555 as a varint, as eight bytes and as text.
UNKNOWN = {"varint": b"\x98\xdb\x02\x01", "text": b"\x9a\xdb\x02\x01x"}
REQUESTS = {
    method.full_name: method
    for file in (
        persona_service_pb2,
        project_service_pb2,
        response_service_pb2,
        library_service_pb2,
    )
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


def places(descriptor: Descriptor, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every message within a request, itself included."""
    yield path
    for field in descriptor.fields:
        if _is_message(field):
            assert field.message_type is not None
            yield from places(field.message_type, (*path, field.name))


def _is_message(field: FieldDescriptor) -> bool:
    message: Any = field.message_type
    return message is not None and not message.GetOptions().map_entry


CASES = [
    pytest.param(method, path, id=f"{method.name}-{'.'.join(path) or 'request'}")
    for method in REQUESTS.values()
    for path in places(method.input_type)
]


def with_unknown(request: Message, path: tuple[str, ...], raw: bytes) -> str:
    """Add an unknown field to the message at a path, and return that path as errors write it."""
    if not path:
        request.MergeFromString(raw)
        return "request"
    field: Any = request.DESCRIPTOR.fields_by_name[path[0]]
    if field.is_repeated:
        getattr(request, path[0]).add()
        child, name = getattr(request, path[0]).add(), f"{path[0]}[1]"
    else:
        child, name = getattr(request, path[0]), path[0]
        child.SetInParent()
    below = with_unknown(child, path[1:], raw)
    return name if below == "request" else f"{name}.{below}"


@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.parametrize(("method", "path"), CASES)
def test_unknown_field(
    place: Place, method: MethodDescriptor, path: tuple[str, ...], kind: str
) -> None:
    request = GetMessageClass(method.input_type)()
    where = with_unknown(request, path, UNKNOWN[kind])
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT) as refusal:
        send(place, method, request)
    assert where in refusal.problem.fields
    if path[-1:] != ("age",):  # it is 0 with nothing else in it, which is said too
        assert "5555" in refusal.problem.fields[where]


def send(place: Place, method: MethodDescriptor, request: Message) -> None:
    """Call an RPC of either kind, and read its answer to the end."""
    services = {
        "PersonaService": place.caller.personas,
        "ProjectService": place.caller.projects,
        "ResponseService": place.caller.responses,
        "LibraryService": place.caller.library,
    }
    call: Any = getattr(services[method.containing_service.name], method.name)
    kind: Any = method
    answer = call(iter([request])) if kind.client_streaming else call(request)
    if kind.server_streaming:
        list(answer)


def test_every_depth_is_there() -> None:
    """So that the cases above don't shrink unseen."""
    paths = {(method.name, path) for method, path in (case.values for case in CASES)}  # type: ignore[union-attr]
    for expected in (
        ("CreatePersona", ("persona", "created_at")),
        ("CreatePersona", ("persona", "library_persona_id")),
        ("BatchCreatePersonas", ("personas", "created_at")),
        ("ImportPersonas", ("start",)),
        ("ImportPersonas", ("batch", "personas", "age")),
        ("UpdatePersonaGroup", ("persona_group",)),
        ("UpdateProject", ("update_mask",)),
        ("ListPersonas", ()),
        ("RecordResponses", ("responses", "choice")),
        ("RecordResponses", ("responses", "occurred_at")),
        ("ListResponses", ("start_time",)),
        ("GetPersonaLineage", ()),
        ("MatchLibraryPersonas", ()),
    ):
        assert expected in paths


def test_an_unknown_field_in_a_map_entry_is_refused(place: Place) -> None:
    request = persona_service_pb2.CreatePersonaRequest(
        project_id=place.project, group_id=place.group
    )
    request.persona.full_name = "x"
    known = b"\x0a\x01k\x12\x01v"  # attributes {"k": "v"}
    request.persona.MergeFromString(b"\x9a\x01" + bytes([len(known)]) + known)
    assert place.caller.personas.CreatePersona(request).persona.attributes == {"k": "v"}
    entry = known + UNKNOWN["varint"]
    request.persona.MergeFromString(b"\x9a\x01" + bytes([len(entry)]) + entry)
    with refused("INVALID_FIELD"):
        place.caller.personas.CreatePersona(request)

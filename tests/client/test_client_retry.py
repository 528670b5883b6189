"""Tries: which errors, how often, with which request_id, within which time."""

import uuid
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from client.conftest import Naps
from client.standin import UNAVAILABLE, Standin

from persona.v1 import errors_pb2, persona_service_pb2, project_service_pb2
from persona_client import (
    DatabaseUnavailable,
    InvalidField,
    Persona,
    PersonaClient,
    PersonaError,
    PersonaGroup,
    Project,
    RetryPolicy,
    TooManyStreams,
)
from persona_client.retry import Backoff
from persona_server.errors import ServiceError, invalid_field

MUTATIONS: dict[str, Callable[..., Any]] = {
    "CreateProject": lambda c, **k: c.create_project(Project(name="x"), **k),
    "UpdateProject": lambda c, **k: c.update_project("p", Project(name="x"), **k),
    "DeleteProject": lambda c, **k: c.delete_project("p", **k),
    "CreatePersonaGroup": lambda c, **k: c.create_persona_group("p", PersonaGroup(), **k),
    "UpdatePersonaGroup": lambda c, **k: c.update_persona_group("p", "g", PersonaGroup(), **k),
    "DeletePersonaGroup": lambda c, **k: c.delete_persona_group("p", "g", **k),
    "CreatePersona": lambda c, **k: c.create_persona("p", "g", Persona(), **k),
    "BatchCreatePersonas": lambda c, **k: c.batch_create_personas("p", "g", [Persona()], **k),
    "CopyPersonas": lambda c, **k: c.copy_personas("p", "g", "p", "h", ["x"], **k),
    "DeletePersona": lambda c, **k: c.delete_persona("p", "g", "x", **k),
    "DeleteAllPersonas": lambda c, **k: c.delete_all_personas("p", "g", **k),
}


def _response(name: str) -> Any:
    for module in (persona_service_pb2, project_service_pb2):
        if hasattr(module, f"{name}Response"):
            return getattr(module, f"{name}Response")()
    raise LookupError(name)


def _with_request_id() -> set[str]:
    return {
        method.name
        for module in (persona_service_pb2, project_service_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if "request_id" in method.input_type.fields_by_name
    }


def test_every_mutation_is_tried_here() -> None:
    assert set(MUTATIONS) == _with_request_id()


@pytest.mark.parametrize("name", MUTATIONS)
def test_all_tries_of_a_mutation_have_one_request_id(
    standin: Standin, failing: PersonaClient, name: str
) -> None:
    standin.answers[name].extend([UNAVAILABLE, UNAVAILABLE, _response(name)])
    MUTATIONS[name](failing)
    first, *others = [request.request_id for request in standin.requests[name]]
    assert str(uuid.UUID(first)) == first
    assert others == [first, first]


def test_another_call_has_another_request_id(standin: Standin, failing: PersonaClient) -> None:
    standin.answers["DeleteProject"].extend([_response("DeleteProject")] * 2)
    failing.delete_project("p")
    failing.delete_project("p")
    first, second = standin.requests["DeleteProject"]
    assert first.request_id != second.request_id


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_callers_request_id_is_sent(standin: Standin, failing: PersonaClient, name: str) -> None:
    own = str(uuid.uuid4())
    standin.answers[name].append(_response(name))
    MUTATIONS[name](failing, request_id=own)
    assert [request.request_id for request in standin.requests[name]] == [own]


def test_batches_of_one_call_have_request_ids_made_from_the_callers(
    standin: Standin, failing: PersonaClient
) -> None:
    own = str(uuid.uuid4())
    personas = [Persona(full_name="x")] * 2001
    standin.answers["BatchCreatePersonas"].extend([_response("BatchCreatePersonas")] * 6)
    failing.batch_create_personas("p", "g", personas, request_id=own)
    failing.batch_create_personas("p", "g", personas, request_id=own)
    ids = [request.request_id for request in standin.requests["BatchCreatePersonas"]]
    assert ids[0] == own
    assert len(set(ids[:3])) == 3
    assert ids[3:] == ids[:3]


def test_a_read_is_tried_again(standin: Standin, failing: PersonaClient, naps: Naps) -> None:
    found = project_service_pb2.GetProjectResponse(project=Project(name="x"))
    standin.answers["GetProject"].extend([grpc.StatusCode.UNAVAILABLE, UNAVAILABLE, found])
    assert failing.get_project("p") == Project(name="x")
    assert len(naps.taken) == 2


def test_resource_exhausted_is_tried_again_only_after_the_delay_it_asks_for(
    standin: Standin, failing: PersonaClient, naps: Naps
) -> None:
    busy = ServiceError(errors_pb2.ERROR_REASON_TOO_MANY_STREAMS, "Busy.", retry_after=3.0)
    standin.answers["GetProject"].extend([busy, _response("GetProject")])
    failing.get_project("p")
    assert 3.0 < naps.taken[0] <= 3.1


def test_resource_exhausted_without_a_delay_stays(
    standin: Standin, failing: PersonaClient, naps: Naps
) -> None:
    busy = ServiceError(errors_pb2.ERROR_REASON_TOO_MANY_STREAMS, "Busy.")
    standin.answers["GetProject"].append(busy)
    with pytest.raises(TooManyStreams):
        failing.get_project("p")
    assert len(standin.requests["GetProject"]) == 1
    assert naps.taken == []


@pytest.mark.parametrize(
    "answer",
    [
        invalid_field("project_id", "is wrong"),
        ServiceError(errors_pb2.ERROR_REASON_CONCURRENT_CHANGE, "Changed."),
        ServiceError(errors_pb2.ERROR_REASON_INTERNAL, "Failed."),
        ServiceError(errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED, "Late."),
    ],
    ids=lambda answer: answer.reason_name,
)
def test_other_errors_stay(standin: Standin, failing: PersonaClient, answer: ServiceError) -> None:
    standin.answers["GetProject"].append(answer)
    with pytest.raises(PersonaError) as raised:
        failing.get_project("p")
    assert raised.value.reason == answer.reason_name
    assert len(standin.requests["GetProject"]) == 1


def test_no_try_begins_after_the_deadline(
    standin: Standin, failing: PersonaClient, naps: Naps
) -> None:
    later = ServiceError(errors_pb2.ERROR_REASON_DATABASE_UNAVAILABLE, "Later.", retry_after=10.0)
    standin.answers["GetProject"].append(later)
    with pytest.raises(DatabaseUnavailable):
        failing.get_project("p", timeout=9.0)
    assert naps.taken == []


@pytest.mark.parametrize("reason", ["CONCURRENT_CHANGE", "QUOTA_EXCEEDED", "DEADLINE_EXCEEDED"])
def test_what_names_a_delay_is_tried_again(
    standin: Standin, failing: PersonaClient, naps: Naps, reason: str
) -> None:
    number = errors_pb2.ErrorReason.Value(f"ERROR_REASON_{reason}")
    later = ServiceError(number, "Later.", retry_after=1.0)
    standin.answers["GetProject"].extend([later, _response("GetProject")])
    failing.get_project("p")
    assert len(standin.requests["GetProject"]) == 2
    assert 1.0 <= naps.taken[0] <= 1.2


def test_a_policy_bounds_the_tries(standin: Standin, naps: Naps) -> None:
    standin.answers["GetProject"].extend([UNAVAILABLE] * 5)
    retry = RetryPolicy(attempts=3, sleep=naps.taken.append)
    with PersonaClient(standin.address, retry=retry) as client, pytest.raises(DatabaseUnavailable):
        client.get_project("p")
    assert len(standin.requests["GetProject"]) == 3
    assert len(naps.taken) == 2


def test_calls_carry_the_token_and_a_deadline(standin: Standin, failing: PersonaClient) -> None:
    standin.answers["GetProject"].extend([_response("GetProject")] * 2)
    failing.get_project("p")
    failing.get_project("p", timeout=100.0)
    assert [m["authorization"] for m in standin.metadata] == ["Bearer secret"] * 2
    assert 0.0 < standin.deadlines[0] < 11.0  # gRPC rounds up on the way
    assert 11.0 < standin.deadlines[1] < 101.0


def test_without_a_token_none_is_sent(standin: Standin) -> None:
    standin.answers["GetProject"].append(_response("GetProject"))
    with PersonaClient(standin.address) as client:
        client.get_project("p")
    assert "authorization" not in standin.metadata[0]


def test_waits_grow_up_to_the_maximum() -> None:
    policy = RetryPolicy(initial=0.1, maximum=2.0)
    for attempt, most in enumerate([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]):
        assert most / 2 <= policy.delay(attempt, None) <= most
    assert policy.delay(10_000, None) <= 2.0
    assert len({policy.delay(0, None) for _ in range(20)}) > 1


def test_a_stream_that_gets_ahead_begins_its_tries_anew() -> None:
    naps: list[float] = []
    backoff = Backoff(RetryPolicy(attempts=2, sleep=naps.append), 60.0)
    error = DatabaseUnavailable(grpc.StatusCode.UNAVAILABLE, "Not now.")
    backoff.wait(error)
    with pytest.raises(DatabaseUnavailable):
        backoff.wait(error)
    backoff.reset()
    backoff.wait(error)
    assert len(naps) == 2


def test_what_should_not_be_tried_again_is_raised_as_it_is() -> None:
    error = InvalidField(grpc.StatusCode.INVALID_ARGUMENT, "Wrong.")
    with pytest.raises(InvalidField) as raised:
        Backoff(RetryPolicy(), 60.0).wait(error)
    assert raised.value is error

"""Exports: the whole group once, whatever breaks."""

import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from client.conftest import Naps, Place
from client.standin import UNAVAILABLE, Answer, Standin

from persona_client import (
    DatabaseUnavailable,
    ExportPersonasResponse,
    InvalidPageToken,
    Persona,
    PersonaClient,
    PersonaGroupNotFound,
    RetryPolicy,
)
from persona_client.transfer.streams import BUSY_SECONDS
from support.data import persona


def _chunk(name: str) -> ExportPersonasResponse:
    return ExportPersonasResponse(personas=[Persona(full_name=name)], resume_token=f"after {name}")


def _serving(*answers: Answer) -> Any:
    def stream(requests: Iterator[Any]) -> Iterator[Answer]:
        next(requests)
        yield from answers

    return stream


def test_a_broken_export_resumes_after_the_last_chunk(
    standin: Standin, failing: PersonaClient, naps: Naps
) -> None:
    standin.streams["ExportPersonas"].extend(
        [
            _serving(UNAVAILABLE),
            _serving(_chunk("a"), _chunk("b"), grpc.StatusCode.UNAVAILABLE),
            _serving(_chunk("c")),
        ]
    )
    found = list(failing.export_personas("p", "g", gender="x", age_min=3))
    assert [one.full_name for one in found] == ["a", "b", "c"]
    requests = standin.requests["ExportPersonas"]
    assert [r.resume_token for r in requests] == ["", "", "after b"]
    assert {(r.project_id, r.group_id, r.gender, r.age_min) for r in requests} == {
        ("p", "g", "x", 3)
    }
    assert len(naps.taken) == 2


def test_tries_begin_anew_when_the_export_gets_ahead(standin: Standin, naps: Naps) -> None:
    names = ["a", "b", "c", "d"]
    standin.streams["ExportPersonas"].extend(_serving(_chunk(n), UNAVAILABLE) for n in names)
    standin.streams["ExportPersonas"].append(_serving())
    retry = RetryPolicy(attempts=2, sleep=naps.taken.append)
    with PersonaClient(standin.address, retry=retry) as client:
        assert [p.full_name for p in client.export_personas("p", "g")] == names


def test_nothing_is_open_for_a_consumer_that_is_busy(
    standin: Standin, failing: PersonaClient, naps: Naps
) -> None:
    left = threading.Event()

    def endless(requests: Iterator[Any]) -> Iterator[Answer]:
        next(requests)
        try:
            yield _chunk("a")
            while True:
                yield _chunk("x" * 100_000)
        finally:
            left.set()

    standin.streams["ExportPersonas"].extend([endless, _serving(_chunk("c"))])
    found = failing.export_personas("p", "g")
    assert next(found).full_name == "a"
    assert left.wait(BUSY_SECONDS + 20)
    assert [persona.full_name for persona in found] == ["c"]
    assert [r.resume_token for r in standin.requests["ExportPersonas"]] == ["", "after a"]
    assert naps.taken == []


def test_an_error_that_stays_ends_the_export_after_what_came(
    standin: Standin, failing: PersonaClient
) -> None:
    standin.streams["ExportPersonas"].append(_serving(_chunk("a"), grpc.StatusCode.INTERNAL))
    found = failing.export_personas("p", "g")
    assert next(found).full_name == "a"
    with pytest.raises(Exception, match="INTERNAL"):
        next(found)


def test_an_export_that_does_not_get_ahead_is_given_up(standin: Standin, naps: Naps) -> None:
    standin.streams["ExportPersonas"].extend([_serving(UNAVAILABLE)] * 2)
    retry = RetryPolicy(attempts=2, sleep=naps.taken.append)
    with PersonaClient(standin.address, retry=retry) as client, pytest.raises(DatabaseUnavailable):
        list(client.export_personas("p", "g"))


def test_an_export_is_what_a_list_is(client: PersonaClient, place: Place) -> None:
    client.batch_create_personas(
        *place, (persona(full_name=f"{i}", age=i % 90 + 1) for i in range(1500))
    )
    assert list(client.export_personas(*place)) == list(client.list_personas(*place))
    old = list(client.export_personas(*place, age_min=60))
    assert old == list(client.list_personas(*place, age_min=60))
    assert {one.age.value for one in old} == set(range(60, 91))


def test_chunks_can_be_resumed_by_hand(client: PersonaClient, place: Place) -> None:
    client.batch_create_personas(*place, (Persona(full_name=f"{i}") for i in range(900)))
    first = next(client.export_chunks(*place))
    rest = client.export_chunks(*place, resume_token=first.resume_token)
    names = [p.full_name for chunk in [first, *rest] for p in chunk.personas]
    assert names == [str(i) for i in range(900)]


def test_a_damaged_token_is_refused(client: PersonaClient, place: Place) -> None:
    with pytest.raises(InvalidPageToken):
        list(client.export_chunks(*place, resume_token="none"))


def test_a_missing_group_is_named(client: PersonaClient, place: Place) -> None:
    with pytest.raises(PersonaGroupNotFound):
        list(client.export_personas(place.project_id, place.project_id))

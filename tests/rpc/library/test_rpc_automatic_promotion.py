"""Automatic promotion: queued with the answers, done by a worker, its state visible."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona.v1 import library_pb2
from persona.v1 import library_service_pb2 as pb
from support.answers import answer, record
from support.data import Place, make_place, persona, rich_persona, uid
from support.library import answer_reliably, lineage, peer_answers, reliability
from support.service import Service, running_service
from support.waiting import eventually

FLAGS = ("--rest", "off", "--promotion", "automatic", "--min-simulations", "3")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path / "data", *FLAGS) as service:
        yield service


def library(place: Place) -> list[library_pb2.LibraryPersona]:
    request = pb.ListLibraryPersonasRequest()
    return list(place.caller.library.ListLibraryPersonas(request).library_personas)


def named(place: Place, persona_id: str) -> dict[str, str]:
    return {**place.ids, "persona_id": persona_id}


def test_the_reliable_are_promoted_and_nobody_else(own: Service) -> None:
    place = make_place(own.connect())
    one, other = place.create(rich_persona()).id, place.create(persona()).id
    answer_reliably(place, one)
    record(place.caller, uid(), answer(other))

    def done() -> bool:
        return not any(
            reliability(place.caller, **named(place, each)).promotion_pending
            for each in (one, other)
        )

    assert eventually(done)
    (found,) = library(place)
    assert found.origin_persona_id == one
    assert reliability(place.caller, **named(place, one)).library_persona_id.value == found.id
    (page,) = lineage(place, one)
    assert page.library_persona == found
    assert len(page.personas) == 1

    def logged() -> list[dict[str, Any]]:
        return [line for line in list(own.log) if line["message"] == "promoted"]

    assert [line["personas"] for line in eventually(logged)] == [1]


def test_a_deleted_persona_leaves_the_queue(own: Service) -> None:
    place = make_place(own.connect())
    one = place.create(rich_persona()).id
    place.delete(one)
    other = place.create(rich_persona()).id
    tag = uid()
    peers = [p.id for p in make_place(place.caller, place.project).fill(5)]
    record(place.caller, uid(), *peer_answers(peers, tag), answer(one), answer(other))
    for each in (one, other):
        assert eventually(
            lambda each=each: (
                not reliability(  # type: ignore[misc]
                    place.caller, **named(place, each)
                ).promotion_pending
            )
        )
    assert library(place) == []


def test_what_waits_survives_a_restart(tmp_path: Path) -> None:
    """Whom a server that was killed had not looked at yet, the next one looks at."""
    data = tmp_path / "data"
    with running_service(data, "--rest", "off", "--promotion", "automatic") as service:
        place = make_place(service.connect())
        one = place.create(rich_persona()).id
        answer_reliably(place, one)
        service.kill()
    with running_service(data, "--rest", "off", "--promotion", "automatic") as service:
        again = Place(service.connect(), place.project, place.group)
        assert eventually(lambda: library(again))
        assert [found.origin_persona_id for found in library(again)] == [one]

"""Requests that once kept everybody waiting for seconds are refused at once, naming the field."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from persona.v1.library_service_pb2 import ListLibraryPersonasRequest
from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import (
    BatchCreatePersonasRequest,
    CreatePersonaRequest,
    ListPersonasRequest,
)
from persona.v1.project_pb2 import Project
from persona.v1.project_service_pb2 import UpdateProjectRequest
from persona.v1.response_pb2 import ChoicesAnswer
from persona.v1.response_service_pb2 import RecordResponsesRequest
from support.answers import answer
from support.data import Place, persona, uid
from support.errors import refused

SECONDS = 8.0  # some took 10 and more
MARKS = "\u0315\u0300\u05ae\u0301\u0323\u1dce" * 27_000
ADDRESS = "http://" + "a" * 80_000 + " "
VALUES = [f"{i:08}" for i in range(45_000)]


def create(place: Place, **fields: Any) -> None:
    request = CreatePersonaRequest(**place.ids, persona=persona(**fields))
    place.caller.personas.CreatePersona(request, timeout=SECONDS)


def batch(place: Place, personas: list[Persona]) -> None:
    request = BatchCreatePersonasRequest(**place.ids, personas=personas)
    place.caller.personas.BatchCreatePersonas(request, timeout=SECONDS)


def choose(place: Place, options: list[str], values: list[str]) -> None:
    chosen = answer(uid(), choices=ChoicesAnswer(options=options, values=values))
    request = RecordResponsesRequest(simulation_id=uid(), responses=[chosen])
    place.caller.responses.RecordResponses(request, timeout=SECONDS)


def update(place: Place, paths: list[str]) -> None:
    request = UpdateProjectRequest(
        project_id=place.project, project=Project(name="x"), update_mask=FieldMask(paths=paths)
    )
    place.caller.projects.UpdateProject(request, timeout=SECONDS)


def order(place: Place, order_by: str) -> None:
    request = ListLibraryPersonasRequest(order_by=order_by)
    place.caller.library.ListLibraryPersonas(request, timeout=SECONDS)


TOO_MANY = "must contain at most"
CASES: dict[str, tuple[Callable[[Place], None], set[str], str]] = {
    "marks": (
        lambda p: create(p, location=MARKS),
        {"persona.location", "persona"},
        "must have at most",
    ),
    "a row of marks": (
        lambda p: create(p, location=MARKS[:255]),
        {"persona.location"},
        "combining marks",
    ),
    "an address": (
        lambda p: create(p, avatar_url=ADDRESS),
        {"persona.avatar_url", "persona"},
        "must have at most",
    ),
    "addresses": (
        lambda p: batch(p, [persona(avatar_url=ADDRESS[:2047] + " ")] * 1000),
        {f"personas[{i}].avatar_url" for i in range(20)},
        "must be an http or https URL",
    ),
    "empty personas": (lambda p: batch(p, [Persona()] * 100_000), {"personas"}, TOO_MANY),
    "values": (
        lambda p: choose(p, ["x"], VALUES),
        {"responses[0].choices.values"},
        "at most 500",
    ),
    "options": (
        lambda p: choose(p, VALUES, VALUES),
        {"responses[0].choices.values"},
        TOO_MANY,
    ),
    "few values that are no options": (
        lambda p: choose(p, ["x"], VALUES[:500]),
        {f"responses[0].choices.values[{i}]" for i in range(20)},
        "must be one of the options",
    ),
    "paths": (lambda p: update(p, ["name"] * 100_000), {"update_mask.paths"}, TOO_MANY),
    "some paths": (lambda p: update(p, ["name"] * 101), {"update_mask"}, TOO_MANY),
    "an order": (lambda p: order(p, "a " * 1_000_000), {"order_by"}, "at most 255"),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_at_once(place: Place, case: str) -> None:
    send, expected, what = CASES[case]
    with refused("INVALID_FIELD") as refusal:
        send(place)
    # An error's details hold so many bytes, so the last of twenty fields may be left out.
    assert set(refusal.problem.fields) <= expected
    assert len(refusal.problem.fields) >= min(len(expected), 15)
    assert all(what in description for description in refusal.problem.fields.values())


def test_a_page_token_is_never_so_long(place: Place) -> None:
    with refused("INVALID_PAGE_TOKEN"):
        place.caller.personas.ListPersonas(
            ListPersonasRequest(**place.ids, page_token="A" * 3_000_000), timeout=SECONDS
        )


def test_100_paths_are_taken(place: Place) -> None:
    update(place, ["name"] * 100)

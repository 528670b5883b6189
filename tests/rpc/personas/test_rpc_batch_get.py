"""BatchGetPersonas: up to 1,000 personas of a group, all or nothing, in the order asked for."""

from typing import Any

import pytest

from persona.v1 import persona_service_pb2 as pb
from persona.v1.persona_pb2 import Persona
from support.data import Place, make_place, persona, rich_persona, uid
from support.errors import refused


def several(place: Place, *ids: str) -> list[Persona]:
    request = pb.BatchGetPersonasRequest(**place.ids, persona_ids=ids)
    return list(place.caller.personas.BatchGetPersonas(request).personas)


def test_they_come_as_written_in_the_order_of_the_request(place: Place) -> None:
    made = [place.create(rich_persona(full_name=f"{i}")) for i in range(5)]
    wanted = [made[i] for i in (3, 0, 4)]
    assert several(place, *[one.id.upper() for one in wanted]) == wanted
    assert several(place, made[2].id) == [made[2]]


def test_1000_are_taken_and_1001_are_not(place: Place) -> None:
    made = place.fill(1000)
    ids = [one.id for one in made]
    assert several(place, *reversed(ids)) == made[::-1]
    with refused("INVALID_FIELD") as refusal:
        several(place, *ids, uid())
    assert set(refusal.problem.fields) == {"persona_ids"}


def test_ids_that_the_group_does_not_show_are_all_named(place: Place) -> None:
    here = [one.id for one in place.fill(3)]
    gone = place.create(persona()).id
    place.delete(gone)
    there = make_place(place.caller, place.project).create(persona()).id
    ids = [here[0], gone, there, here[1], uid()]
    with refused("PERSONA_NOT_FOUND") as refusal:
        several(place, *ids)
    assert refusal.problem.metadata == {
        "persona_id": gone,
        "field": "persona_ids[1]",
        "indexes": "1-2,4",
    }
    assert set(refusal.problem.fields) == {f"persona_ids[{i}]" for i in (1, 2, 4)}


def test_parents_are_named_first(place: Place) -> None:
    one = place.create(persona()).id
    for ids, reason in (
        ({"project_id": uid()}, "PROJECT_NOT_FOUND"),
        ({"group_id": uid()}, "PERSONA_GROUP_NOT_FOUND"),
    ):
        request = pb.BatchGetPersonasRequest(**(place.ids | ids), persona_ids=[one])
        with refused(reason):
            place.caller.personas.BatchGetPersonas(request)


@pytest.mark.parametrize(
    ("ids", "field"),
    [
        ([], "persona_ids"),
        (["nope"], "persona_ids[0]"),
        ([""], "persona_ids[0]"),
        (["0190b5a4-7c3e-7b1a-8f00-0123456789ab"] * 2, "persona_ids[1]"),
    ],
)
def test_what_names_nobody_is_refused(place: Place, ids: list[str], field: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        several(place, *ids)
    assert set(refusal.problem.fields) == {field}


def test_what_no_answer_could_hold_is_refused(place: Place) -> None:
    text: dict[str, Any] = {"psychographic_notes": "x" * (16 << 10), "digital_habits": "x" * 8192}
    ids = [place.create(persona(**text)).id for _ in range(130)]
    with refused("MESSAGE_TOO_LARGE") as refusal:
        several(place, *ids)
    assert int(refusal.problem.metadata["size"]) > int(refusal.problem.metadata["limit"]) == 3 << 20
    assert len(several(place, *ids[:100])) == 100

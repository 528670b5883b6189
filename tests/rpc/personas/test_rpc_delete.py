"""GetPersona, DeletePersona and DeleteAllPersonas."""

import grpc
import pytest

from persona.v1 import persona_service_pb2 as pb
from support.data import Place, make_place, persona, uid
from support.errors import refusal_of, refused

NOT_FOUND = grpc.StatusCode.NOT_FOUND


def test_a_deleted_persona_is_not_found_and_the_rest_stays(place: Place) -> None:
    one, two, three = place.fill(3)
    place.delete(two.id)
    with refused("PERSONA_NOT_FOUND", NOT_FOUND) as refusal:
        place.get(two.id)
    assert refusal.problem.metadata == {"persona_id": two.id}
    assert place.walk() == [one, three]
    assert place.count() == 2


def test_deleting_again_is_not_found(place: Place) -> None:
    (one,) = place.fill(1)
    place.delete(one.id)
    for _ in range(2):
        with refused("PERSONA_NOT_FOUND", NOT_FOUND):
            place.delete(one.id)
    assert place.count() == 0


def test_a_persona_of_another_group_is_not_found_here(place: Place) -> None:
    other = make_place(place.caller, place.project)
    (theirs,) = other.fill(1)
    for call in (place.get, place.delete):
        with refused("PERSONA_NOT_FOUND", NOT_FOUND):
            call(theirs.id)
    assert other.get(theirs.id) == theirs


def test_delete_all_counts_exactly_and_the_group_stays(place: Place) -> None:
    made = place.fill(7)
    place.delete(made[0].id)
    before = place.described()
    assert place.delete_all() == 6
    assert place.walk() == []
    assert refusal_of(lambda: place.get(made[1].id)).reason == "PERSONA_NOT_FOUND"
    after = place.described()
    assert (before.persona_count, after.persona_count) == (6, 0)
    assert after.updated_at == before.updated_at  # it moves with updates only
    assert after.name == before.name


def test_delete_all_of_an_empty_group_is_success_with_0(place: Place) -> None:
    assert [place.delete_all(), place.delete_all()] == [0, 0]
    place.fill(2)
    assert [place.delete_all(), place.delete_all()] == [2, 0]


def test_delete_all_touches_its_own_group_alone(place: Place) -> None:
    other = make_place(place.caller, place.project)
    other.fill(2)
    place.fill(1)
    assert place.delete_all() == 1
    assert other.count() == len(other.walk()) == 2


def test_a_group_can_be_filled_again(place: Place) -> None:
    place.fill(3)
    place.delete_all()
    again = place.fill(2)
    assert place.walk() == again
    assert place.count() == 2
    assert place.delete_all() == 2


@pytest.mark.parametrize("group_id", ["", "x", "%", "*", "..", "00000000"])
def test_delete_all_of_no_group_is_always_refused(place: Place, group_id: str) -> None:
    """An empty group_id must never mean all groups."""
    place.fill(1)
    request = pb.DeleteAllPersonasRequest(project_id=place.project, group_id=group_id)
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT) as refusal:
        place.caller.personas.DeleteAllPersonas(request)
    assert set(refusal.problem.fields) == {"group_id"}
    assert place.count() == 1


def test_deleting_leaves_a_persona_of_the_same_content_alone(place: Place) -> None:
    one, two = place.batch([persona(id=uid()), persona(id=uid())])
    place.delete(one.id)
    assert place.walk() == [two]

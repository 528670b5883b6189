"""Personas copied into another group: new individuals of the same profile, and what is refused."""

from datetime import UTC, datetime

import grpc
import pytest

from support.answers import answer, listed, record
from support.copies import copied
from support.data import Place, make_place, persona, rich_persona, uid
from support.errors import refused
from support.library import individual, lineage, reuse


@pytest.fixture
def source(place: Place) -> Place:
    """Another group, of another project."""
    return make_place(place.caller)


def test_a_copy_has_a_new_id_and_the_same_profile(place: Place, source: Place) -> None:
    one = source.create(rich_persona())
    (copy,) = copied(place, source, one.id)
    assert copy.copied_from.value == one.id
    assert copy.id != one.id
    assert (copy.project_id, copy.group_id) == (place.project, place.group)
    age = datetime.now(UTC) - copy.created_at.ToDatetime(UTC)
    assert 0 <= age.total_seconds() < 60
    assert place.get(copy.id) == copy
    assert (place.walk(), place.count()) == ([copy], 1)
    for name in ("id", "project_id", "group_id", "created_at", "copied_from"):
        copy.ClearField(name)
        one.ClearField(name)
    assert copy == one


def test_copies_come_in_the_order_of_the_request(place: Place, source: Place) -> None:
    people = source.fill(3)
    copies = copied(place, source, *[one.id for one in reversed(people)])
    assert [one.full_name for one in copies] == ["Person 2", "Person 1", "Person 0"]
    assert place.walk() == copies
    assert source.walk() == people
    again = copied(place, source, people[0].id)  # a copy is a new persona each time
    assert place.count() == 4
    (of_copy,) = copied(source, place, again[0].id)
    assert of_copy.copied_from.value == again[0].id


def test_groups_of_one_project(place: Place) -> None:
    (one,) = place.fill(1)
    other = make_place(place.caller, place.project)
    assert [copy.full_name for copy in copied(other, place, one.id)] == [one.full_name]


def test_a_copy_is_an_individual_of_its_own(place: Place, source: Place) -> None:
    """It is in no library, has no answers, and can be copied into a group of its individual."""
    known = individual(source)
    (used,) = reuse(make_place(place.caller), known.id)
    (origin,) = copied(place, source, known.origin_persona_id)
    (copy,) = copied(source, Place(place.caller, used.project_id, used.group_id), used.id)
    for one, where in ((origin, place), (copy, source)):
        assert not one.HasField("library_persona_id")
        assert listed(place.caller, persona_id=one.id) == []
        assert not lineage(where, one.id)[0].HasField("library_persona")
    record(place.caller, uid(), answer(copy.id))
    assert len(listed(place.caller, library_persona_id=known.id)) == known.response_count


def test_a_copy_outlives_its_original(place: Place, source: Place) -> None:
    (one,) = source.fill(1)
    (copy,) = copied(place, source, one.id)
    source.delete_all()
    assert place.get(copy.id) == copy
    with refused("PERSONA_NOT_FOUND"):
        copied(place, source, one.id)


def test_a_copy_that_comes_back_is_the_same(place: Place, source: Place) -> None:
    """An exported copy is created again with its id: `copied_from` is the server's own."""
    (one,) = source.fill(1)
    (copy,) = copied(place, source, one.id)
    assert place.create(copy) == copy
    copy.copied_from.value = uid()
    assert place.create(copy).copied_from.value == one.id
    fresh = place.create(persona(copied_from={"value": one.id}))
    assert not fresh.HasField("copied_from")


def test_what_is_not_there_is_named_and_nothing_is_copied(place: Place, source: Place) -> None:
    people, missing, strange = source.fill(3), uid(), place.fill(1)[0].id
    source.delete(people[1].id)
    ids = [people[0].id, missing, people[1].id, strange, people[2].id]
    with refused("PERSONA_NOT_FOUND", grpc.StatusCode.NOT_FOUND) as refusal:
        copied(place, source, *ids)
    assert set(refusal.problem.fields) == {f"persona_ids[{i}]" for i in (1, 2, 3)}
    assert refusal.problem.metadata == {
        "persona_id": missing,
        "field": "persona_ids[1]",
        "indexes": "1-3",
    }
    assert place.count() == 1


def test_missing_parents_are_named(place: Place, source: Place) -> None:
    (one,) = source.fill(1)
    for wrong, reason in (
        (Place(place.caller, uid(), source.group), "PROJECT_NOT_FOUND"),
        (Place(place.caller, source.project, uid()), "PERSONA_GROUP_NOT_FOUND"),
        (Place(place.caller, place.project, source.group), "PERSONA_GROUP_NOT_FOUND"),
    ):
        with refused(reason):
            copied(place, wrong, one.id)
        with refused(reason):
            copied(wrong, source if wrong.group != source.group else place, one.id)


@pytest.mark.parametrize(
    ("ids", "field"),
    [
        ([], "persona_ids"),
        ([uid()] * 2, "persona_ids[1]"),
        (["x"], "persona_ids[0]"),
        ([uid() for _ in range(1001)], "persona_ids"),
    ],
)
def test_bad_ids(place: Place, source: Place, ids: list[str], field: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        copied(place, source, *ids)
    assert field in refusal.problem.fields


def test_into_the_same_group(place: Place) -> None:
    (one,) = place.fill(1)
    with refused("INVALID_FIELD") as refusal:
        copied(place, place, one.id)
    assert set(refusal.problem.fields) == {"source_group_id"}


def test_what_is_too_large_is_refused_unread(place: Place, source: Place) -> None:
    large = {"psychographic_notes": "x" * (16 << 10), "digital_habits": "x" * (8 << 10)}
    people = [one for _ in range(2) for one in source.fill(100, **large)]
    ids = [one.id for one in people]
    with refused("MESSAGE_TOO_LARGE") as refusal:
        copied(place, source, *ids)
    assert refusal.problem.metadata["limit"] == str(3 << 20)
    assert len(copied(place, source, *ids[:120])) == 120

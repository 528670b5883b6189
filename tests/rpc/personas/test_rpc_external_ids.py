"""External ids: what is unique, when one is free again, and what stands for an id."""

from typing import Any

import pytest

from persona.v1 import persona_service_pb2 as pb
from persona.v1 import response_service_pb2 as responses_pb
from support.answers import answer
from support.data import Place, make_place, persona, rich_persona, uid
from support.errors import refused
from support.library import individual, library_persona, reuse


def known(external_id: str = "crm-7", **fields: Any) -> Any:
    return rich_persona(external_id=external_id, **fields)


def found(place: Place, external_id: str) -> list[str]:
    """Return the ids that list and export find."""
    listed = [one.id for one in place.walk(external_id=external_id, page_size=1)]
    chunks = place.export(external_id=external_id)
    assert listed == [one.id for chunk in chunks for one in chunk.personas]
    return listed


def test_a_persona_is_found_by_it_verbatim(place: Place) -> None:
    made = place.create(known("Crm-ß 7"))
    place.fill(3)
    assert place.get(made.id).external_id == "Crm-ß 7"
    assert found(place, "Crm-ß 7") == [made.id]
    for other in ("crm-ß 7", "Crm-ss 7", "Crm-ß", "Crm-ß 7 "):
        assert found(place, other) == []
    assert len(found(place, "")) == 4
    assert place.walk(external_id="Crm-ß 7", age_min=99) == []


def test_two_groups_may_have_the_same_one(place: Place) -> None:
    other = make_place(place.caller, place.project)
    here = place.create(known())
    assert found(other, "crm-7") == []
    there = other.create(known())
    assert (found(place, "crm-7"), found(other, "crm-7")) == ([here.id], [there.id])


def test_whose_id_is_of_another_group_is_not_told_that_its_external_id_is_taken(
    place: Place,
) -> None:
    """As of a group that is exported, and imported into another one with its ids."""
    other = make_place(place.caller, place.project)
    here = place.create(known())
    with refused("ALREADY_EXISTS") as refusal:
        other.batch([here])
    assert refusal.problem.metadata == {
        "state": "visible",
        "field": "personas[0].id",
        "id": here.id,
    }
    assert "of another group" in refusal.problem.message
    other.create(known())  # its external id is free


@pytest.mark.parametrize("how", ["create", "batch"])
def test_the_same_content_is_the_existing_persona(place: Place, how: str) -> None:
    """As by an id, so that a batch without ids can be sent again."""
    given = known(full_name="Ana")
    given.ClearField("created_at")
    made = place.create(given)
    again = place.create(given) if how == "create" else place.batch([persona(), given])[1]
    assert again == made
    assert found(place, "crm-7") == [made.id]
    assert place.count() == (1 if how == "create" else 2)


@pytest.mark.parametrize(
    "given",
    [known(age=99), known(id=uid()), known(external_id="crm-7", full_name="Somebody else")],
    ids=["other content", "other id", "other name"],
)
def test_one_that_is_taken_is_refused_by_name(place: Place, given: Any) -> None:
    made = place.create(known())
    with refused("ALREADY_EXISTS") as refusal:
        place.batch([persona(), given])
    assert refusal.problem.metadata == {
        "state": "visible",
        "field": "personas[1].external_id",
        "external_id": "crm-7",
    }
    assert found(place, "crm-7") == [made.id]
    assert place.count() == 1


def test_a_batch_must_not_repeat_one(place: Place) -> None:
    with refused("INVALID_FIELD") as refusal:
        place.batch([known(), persona(), known(full_name="B"), persona(), known("crm-8")])
    assert set(refusal.problem.fields) == {"personas[2].external_id"}
    assert "personas[0]" in refusal.problem.fields["personas[2].external_id"]


@pytest.mark.parametrize("value", ["x" * 256, "  ", "a\nb", "a\0"])
def test_what_is_none_is_refused(place: Place, value: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        place.create(known(value))
    assert set(refusal.problem.fields) == {"persona.external_id"}
    assert place.create(known("x" * 255)).external_id == "x" * 255


@pytest.mark.parametrize("how", ["list", "export"])
@pytest.mark.parametrize("value", ["x" * 256, "a\0"])
def test_a_filter_has_the_limits_of_the_field(place: Place, how: str, value: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        (place.page if how == "list" else place.export)(external_id=value)
    assert set(refusal.problem.fields) == {"external_id"}


@pytest.mark.parametrize("how", ["one", "all"])
def test_that_of_a_deleted_persona_is_free_again(place: Place, how: str) -> None:
    old = place.create(known(id=uid()))
    place.delete(old.id) if how == "one" else place.delete_all()
    assert found(place, "crm-7") == []
    new = place.create(known(full_name="Another"))
    assert found(place, "crm-7") == [new.id]
    with refused("ALREADY_EXISTS") as refusal:  # now the old one can't come back
        place.create(known(id=old.id))
    assert refusal.problem.metadata["field"] == "persona.external_id"
    place.delete(new.id)
    assert place.create(known(id=old.id)).id == old.id
    assert found(place, "crm-7") == [old.id]


def imported(place: Place, *people: Any) -> int:
    """Import one batch, under an id of its own, and return how many personas were acknowledged."""
    start = pb.ImportStart(**place.ids, import_id=uid())
    batch = pb.ImportBatch(sequence=1, personas=people)
    messages = [pb.ImportPersonasRequest(start=start), pb.ImportPersonasRequest(batch=batch)]
    *_, last = place.caller.personas.ImportPersonas(iter(messages))
    return int(last.persona_count)


def test_an_import_takes_what_is_there_for_its_own(place: Place) -> None:
    """A new import of the same file adds nothing, and one of changed content is refused."""
    people = [persona(full_name=f"{i}", external_id=f"e{i}") for i in range(20)]
    assert imported(place, *people) == 20
    made = place.walk()
    assert imported(place, *people) == 20
    assert place.walk() == made
    people[3].gender = "Male"
    with refused("ALREADY_EXISTS") as refusal:
        imported(place, *people)
    assert refusal.problem.metadata["field"] == "batch.personas[3].external_id"
    assert place.walk() == made


def test_neither_the_library_nor_a_copy_has_it(place: Place) -> None:
    one = individual(place, external_id="crm-7")
    assert one.profile.external_id == ""
    assert library_persona(place.caller, one.id).profile.external_id == ""
    assert place.get(one.origin_persona_id).external_id == "crm-7"
    (copy,) = reuse(make_place(place.caller), one.id)
    assert copy.external_id == ""


def record(place: Place, *answers: Any, group: str | None = None) -> Any:
    request = responses_pb.RecordResponsesRequest(
        simulation_id=uid(),
        responses=answers,
        group_id=place.group if group is None else group,
    )
    return place.caller.responses.RecordResponses(request).responses


def by_external_id(external_id: str, **fields: Any) -> Any:
    return answer("", persona_external_id=external_id, **fields)


def test_answers_may_name_their_persona_by_it(place: Place) -> None:
    ana, bob = (place.create(known(name, full_name=name)) for name in ("ana", "bob"))
    given = [by_external_id("bob"), answer(ana.id), by_external_id("ana"), by_external_id("bob")]
    recorded = record(place, *given)
    assert [one.persona_id for one in recorded] == [bob.id, ana.id, ana.id, bob.id]
    assert {one.persona_external_id for one in recorded} == {""}


def test_an_answer_that_is_sent_again_is_recorded_once(place: Place) -> None:
    place.create(known())
    given = by_external_id("crm-7", id=uid())
    request = responses_pb.RecordResponsesRequest(
        simulation_id=uid(), responses=[given], group_id=place.group
    )
    first = place.caller.responses.RecordResponses(request)
    assert place.caller.responses.RecordResponses(request) == first


def test_answers_of_nobody_are_named(place: Place) -> None:
    gone = place.create(known("gone"))
    place.delete(gone.id)
    other = make_place(place.caller, place.project)
    other.create(known("elsewhere"))
    place.create(known("here"))
    names = ["gone", "here", "elsewhere", "Here", "gone"]
    with refused("PERSONA_NOT_FOUND") as refusal:
        record(place, *map(by_external_id, names))
    assert refusal.problem.metadata == {"external_id": "gone", "indexes": "0,2-4"}
    fields = {f"responses[{i}].persona_external_id" for i in (0, 2, 3, 4)}
    assert set(refusal.problem.fields) == fields


def test_answers_of_nobody_are_named_all_at_once_by_whatever_they_name_it(place: Place) -> None:
    here = place.create(known("here"))
    given = [by_external_id("gone"), answer(uid()), answer(here.id), by_external_id("here")]
    with refused("PERSONA_NOT_FOUND") as refusal:
        record(place, *given)
    assert refusal.problem.metadata == {"external_id": "gone", "indexes": "0-1"}
    fields = {"responses[0].persona_external_id", "responses[1].persona_id"}
    assert set(refusal.problem.fields) == fields
    assert len(record(place, *given[2:])) == 2


def test_answers_of_another_project_are_named_as_they_name_their_persona(place: Place) -> None:
    there, here = make_place(place.caller).create(persona()), place.create(known("here"))
    with refused("INVALID_FIELD") as refusal:
        record(place, answer(there.id), by_external_id("here"), answer(here.id))
    fields = {"responses[1].persona_external_id", "responses[2].persona_id"}
    assert set(refusal.problem.fields) == fields


def test_a_group_that_is_not_there_is_refused(place: Place) -> None:
    one = place.create(known("x"))
    for given in (by_external_id("x"), answer(one.id)):
        with refused("PERSONA_GROUP_NOT_FOUND"):
            record(place, given, group=uid())


@pytest.mark.parametrize(
    ("one", "group", "field"),
    [
        (by_external_id("x"), "", "group_id"),
        (by_external_id("x"), "nope", "group_id"),
        (answer(uid(), persona_external_id="x"), None, "responses[0].persona_id"),
        (by_external_id(" "), None, "responses[0].persona_external_id"),
        (by_external_id("x" * 256), None, "responses[0].persona_external_id"),
        (answer(""), None, "responses[0].persona_id"),
    ],
)
def test_what_names_nobody_is_refused(place: Place, one: Any, group: str, field: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        record(place, one, group=group)
    assert set(refusal.problem.fields) == {field}

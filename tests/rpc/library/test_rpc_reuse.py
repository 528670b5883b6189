"""Library personas put into groups: copies, links, what is refused, what retiring ends."""

from collections import Counter
from datetime import UTC, datetime

import grpc
import pytest

from persona.v1 import library_service_pb2 as pb
from persona.v1 import persona_service_pb2 as personas_pb
from persona.v1 import project_service_pb2 as projects_pb
from persona.v1.library_pb2 import LIBRARY_LINK_RELATION_ORIGIN as ORIGIN
from persona.v1.library_pb2 import LIBRARY_LINK_RELATION_REUSE as REUSE
from persona.v1.project_pb2 import Project
from support.answers import answer, answerer, listed, record
from support.data import Place, make_group, make_place, make_project, persona, rich_persona, uid
from support.errors import refused
from support.library import (
    answer_reliably,
    individual,
    library_persona,
    lineage,
    projects_of,
    promote,
    retire,
    reuse,
)


def test_a_copy_has_a_new_id_and_the_same_profile(place: Place) -> None:
    one = individual(place)
    other = make_place(place.caller)
    (copy,) = reuse(other, one.id)
    assert copy.library_persona_id.value == one.id
    assert copy.id != one.origin_persona_id
    assert (copy.project_id, copy.group_id) == (other.project, other.group)
    age = datetime.now(UTC) - copy.created_at.ToDatetime(UTC)
    assert 0 <= age.total_seconds() < 60
    assert other.get(copy.id) == copy
    assert other.walk() == [copy]
    assert other.count() == 1
    for name in ("id", "project_id", "group_id", "library_persona_id", "created_at"):
        copy.ClearField(name)
    one.profile.ClearField("created_at")
    assert copy == one.profile
    assert not place.get(one.origin_persona_id).HasField("library_persona_id")


def test_a_copy_can_be_sent_as_it_was_read(place: Place) -> None:
    """Under its id it is that copy; elsewhere, with an id of its own, it is fresh."""
    one = individual(place)
    other = make_place(place.caller)
    (copy,) = reuse(other, one.id)
    assert other.create(copy) == copy
    assert other.count() == 1
    other.delete(copy.id)
    assert other.create(copy) == copy == other.get(copy.id)
    elsewhere = make_place(place.caller)
    with refused("ALREADY_EXISTS"):
        elsewhere.create(copy)
    copy.ClearField("id")
    made = elsewhere.create(copy)
    assert not made.HasField("library_persona_id")
    assert (made.full_name, made.created_at) == (copy.full_name, copy.created_at)
    (page,) = lineage(elsewhere, made.id)
    assert not page.personas
    assert not page.HasField("library_persona")
    assert len(projects_of(place.caller, one.id)) == 2


def test_a_deleted_copy_does_not_come_back_beside_its_individual(place: Place) -> None:
    one = individual(place)
    other = make_place(place.caller)
    (copy,) = reuse(other, one.id)
    other.delete(copy.id)
    (second,) = reuse(other, one.id)
    with refused("ALREADY_EXISTS") as refusal:
        other.create(copy)
    assert refusal.problem.metadata["state"] == "deleted"
    assert other.walk() == [second]


def test_several_are_reused_in_order_and_all_or_none(place: Place) -> None:
    three = [individual(place, full_name=f"Person {i}").id for i in range(3)]
    other = make_place(place.caller)
    with refused("LIBRARY_PERSONA_NOT_FOUND") as refusal:
        reuse(other, *three[:2], uid(), three[2])
    assert set(refusal.problem.fields) == {"library_persona_ids[2]"}
    assert other.count() == 0
    copies = reuse(other, *reversed(three))
    assert [copy.library_persona_id.value for copy in copies] == three[::-1]
    assert [one.full_name for one in other.walk()] == ["Person 2", "Person 1", "Person 0"]


def test_twice_in_one_group_is_refused(place: Place) -> None:
    one = individual(place)
    with refused("ALREADY_EXISTS", grpc.StatusCode.ALREADY_EXISTS) as refusal:
        reuse(place, one.id)  # the origin counts
    assert refusal.problem.metadata["library_persona_id"] == one.id
    other = make_place(place.caller)
    (copy,) = reuse(other, one.id)
    with refused("ALREADY_EXISTS"):
        reuse(other, one.id)
    other.delete(copy.id)
    (again,) = reuse(other, one.id)  # only the visible ones count
    assert again.id != copy.id
    assert other.count() == 1
    # Another group of the same project is another place.
    neighbour = make_place(place.caller, other.project)
    reuse(neighbour, one.id)
    assert library_persona(place.caller, one.id).project_count == 2


def test_an_origin_does_not_come_back_beside_its_copy(place: Place) -> None:
    given = rich_persona(id=uid())
    origin = place.create(given)
    answer_reliably(place, origin.id)
    one = promote(place, origin.id)
    place.delete(origin.id)
    (copy,) = reuse(place, one.id)
    with refused("ALREADY_EXISTS") as refusal:
        place.create(given)
    assert refusal.problem.metadata["state"] == "deleted"
    assert "same individual" in refusal.problem.message
    place.delete(copy.id)
    assert place.create(given) == origin
    assert [use.relation for use in projects_of(place.caller, one.id)] == [REUSE, ORIGIN]


def test_two_reuses_at_once_make_one_copy(place: Place) -> None:
    one = individual(place)
    other = make_place(place.caller)

    request = pb.ReuseLibraryPersonasRequest(**other.ids, library_persona_ids=[one.id])
    calls = [place.caller.library.ReuseLibraryPersonas.future(request) for _ in range(16)]
    codes = Counter(call.code() for call in calls)
    assert codes == {grpc.StatusCode.OK: 1, grpc.StatusCode.ALREADY_EXISTS: 15}
    assert other.count() == 1
    assert len(projects_of(place.caller, one.id)) == 2


def test_a_retired_one_refuses_reuse_and_keeps_its_history(place: Place) -> None:
    one = individual(place)
    other = make_place(place.caller)
    (copy,) = reuse(other, one.id)
    retired = retire(place.caller, one.id)
    assert retired.HasField("retired_at")
    assert retire(place.caller, one.id) == retired  # the first time stays
    assert library_persona(place.caller, one.id) == retired
    with refused("LIBRARY_PERSONA_RETIRED", grpc.StatusCode.FAILED_PRECONDITION):
        reuse(make_place(place.caller), one.id)
    assert len(projects_of(place.caller, one.id)) == 2
    assert other.get(copy.id) == copy
    record(place.caller, uid(), answer(copy.id))
    assert library_persona(place.caller, one.id).response_count == retired.response_count + 1
    assert other.count() == 1
    with refused("LIBRARY_PERSONA_NOT_FOUND"):
        retire(place.caller, uid())


@pytest.mark.parametrize(
    ("ids", "field"),
    [
        ([], "library_persona_ids"),
        ([uid()] * 2, "library_persona_ids[1]"),
        (["x"], "library_persona_ids[0]"),
        ([uid() for _ in range(1001)], "library_persona_ids"),
    ],
)
def test_bad_ids(place: Place, ids: list[str], field: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        reuse(place, *ids)
    assert field in refusal.problem.fields


def test_the_group_must_be_there(place: Place) -> None:
    one = individual(place)
    for ids, reason in (
        ({"project_id": uid()}, "PROJECT_NOT_FOUND"),
        ({"group_id": uid()}, "PERSONA_GROUP_NOT_FOUND"),
    ):
        request = pb.ReuseLibraryPersonasRequest(
            **(make_place(place.caller).ids | ids), library_persona_ids=[one.id]
        )
        with refused(reason):
            place.caller.library.ReuseLibraryPersonas(request)


def test_a_replayed_reuse_gives_the_same_copies(place: Place) -> None:
    one = individual(place)
    other, key = make_place(place.caller), uid()
    first = reuse(other, one.id, request_id=key)
    assert reuse(other, one.id, request_id=key) == first
    other.delete(first[0].id)
    (bare,) = reuse(other, one.id, request_id=key)
    assert bare == persona(full_name="", id=first[0].id)
    assert other.count() == 0


def test_lineage_of_an_origin_a_copy_and_a_stranger(place: Place) -> None:
    stranger = place.create(rich_persona()).id
    (page,) = lineage(place, stranger)
    assert page == personas_pb.GetPersonaLineageResponse()
    one = individual(place)
    project = make_project(place.caller, name="Second").id
    group = make_group(place.caller, project, name="Nurses", occupation="Nurse", gender="Male").id
    other = Place(place.caller, project, group)
    (copy,) = reuse(other, one.id)
    third = make_place(place.caller)
    fits = make_group(place.caller, third.project, name="Fits", income_level="High").id
    reuse(Place(place.caller, third.project, fits), one.id)
    for where, name in ((place, one.origin_persona_id), (other, copy.id)):
        (page,) = lineage(where, name)
        assert page.library_persona.id == one.id
        assert [use.relation for use in page.personas] == [REUSE, REUSE, ORIGIN]
        assert list(page.personas) == projects_of(place.caller, one.id)
    newest, second, origin = page.personas
    assert (second.project_name, second.group_name) == ("Second", "Nurses")
    assert (second.project_id, second.group_id, second.persona_id) == (project, group, copy.id)
    assert not second.HasField("match_score")  # the group asks for another gender
    assert newest.match_score.value == 0.5  # an adjacent income level
    assert not origin.HasField("match_score")
    assert not any(use.HasField("persona_deleted_at") for use in page.personas)
    assert second.linked_at.ToMicroseconds() < newest.linked_at.ToMicroseconds()


def test_uses_are_paged_newest_first(place: Place) -> None:
    one = individual(place)
    for _ in range(6):
        reuse(make_place(place.caller), one.id)
    whole = projects_of(place.caller, one.id)
    assert len({use.persona_id for use in whole}) == 7
    for size in (1, 2, 3, 7, 8):
        assert projects_of(place.caller, one.id, page_size=size) == whole
    pages = lineage(place, one.origin_persona_id, page_size=3)
    assert [use for page in pages for use in page.personas] == whole
    assert [len(page.personas) for page in pages] == [3, 3, 1]
    with refused("LIBRARY_PERSONA_NOT_FOUND"):
        projects_of(place.caller, uid())


def test_names_stay_as_they_were_and_deletions_are_told(place: Place) -> None:
    one = individual(place)
    kept, emptied, marked, gone = (make_place(place.caller) for _ in range(4))
    copies = [reuse(each, one.id)[0].id for each in (kept, emptied, marked, gone)]
    answers = [record(place.caller, uid(), answer(copy))[0] for copy in copies]
    before = projects_of(place.caller, one.id)
    projects = place.caller.projects
    projects.UpdateProject(
        projects_pb.UpdateProjectRequest(project_id=kept.project, project=Project(name="Renamed"))
    )
    kept.delete(copies[0])
    emptied.delete_all()
    projects.DeletePersonaGroup(projects_pb.DeletePersonaGroupRequest(**marked.ids))
    projects.DeleteProject(projects_pb.DeleteProjectRequest(project_id=gone.project))
    after = projects_of(place.caller, one.id)
    assert [use.HasField("persona_deleted_at") for use in after] == [True] * 4 + [False]
    for use in after:
        use.ClearField("persona_deleted_at")
    assert after == before
    for where, copy, response in zip((kept, emptied, marked, gone), copies, answers, strict=True):
        (page,) = lineage(where, copy)
        assert page.library_persona.id == one.id
        assert len(page.personas) == 5
        assert answerer(place.caller, response.id).library_persona_id.value == one.id
    # A later mark does not overwrite an earlier one.
    first = {use.persona_id: use.persona_deleted_at for use in projects_of(place.caller, one.id)}
    projects.DeletePersonaGroup(projects_pb.DeletePersonaGroupRequest(**kept.ids))
    projects.DeleteProject(projects_pb.DeleteProjectRequest(project_id=emptied.project))
    second = {use.persona_id: use.persona_deleted_at for use in projects_of(place.caller, one.id)}
    assert second == first


def test_responses_of_an_individual_are_those_of_origin_and_copies(place: Place) -> None:
    one = individual(place)
    first = listed(place.caller, library_persona_id=one.id)
    assert {response.persona_id for response in first} == {one.origin_persona_id}
    assert len(first) == one.response_count
    assert not any(response.HasField("library_persona_id") for response in first)
    copies = [reuse(make_place(place.caller), one.id)[0].id for _ in range(2)]
    said = [record(place.caller, uid(), answer(copy, question_key="later"))[0] for copy in copies]
    assert all(response.library_persona_id.value == one.id for response in said)
    own = answer(one.origin_persona_id, question_key="last")
    said += record(place.caller, uid(), own)  # generated fresh, also after its promotion
    assert not said[-1].HasField("library_persona_id")
    whole = listed(place.caller, library_persona_id=one.id)
    assert whole == first + said
    for size in (1, 7, 63, 64, 65, 66):
        assert listed(place.caller, library_persona_id=one.id, page_size=size) == whole
    assert listed(place.caller, library_persona_id=one.id, question_key="later") == said[:2]
    assert listed(place.caller, persona_id=copies[0]) == said[:1]
    with refused("LIBRARY_PERSONA_NOT_FOUND"):
        listed(place.caller, library_persona_id=uid())

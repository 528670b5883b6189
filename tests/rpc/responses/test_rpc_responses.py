"""ResponseService: answers recorded once and for good, and attributable."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from persona.v1 import project_service_pb2 as projects_pb
from persona.v1 import response_pb2
from persona.v1.response_pb2 import Response
from support.answers import KINDS, answer, answerer, listed, record, rich_answer
from support.data import Place, at, make_place, micros, persona, rich_persona, uid
from support.errors import refused

NOT_FOUND, INVALID = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT
DAY = 86_400


def delete_project(place: Place) -> None:
    request = projects_pb.DeleteProjectRequest(project_id=place.project)
    place.caller.projects.DeleteProject(request)


def delete_group(place: Place) -> None:
    place.caller.projects.DeletePersonaGroup(projects_pb.DeletePersonaGroupRequest(**place.ids))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_answer_comes_back_as_it_was(place: Place, kind: str) -> None:
    (one,) = place.fill(1)
    given = rich_answer(one.id)
    given.ClearField("choice")
    given.MergeFrom(Response(**{kind: KINDS[kind]}))
    simulation, before = uid(), time.time_ns() // 1000
    (recorded,) = record(place.caller, simulation, given)
    assert before <= micros(recorded.recorded_at) <= time.time_ns() // 1000
    assert (recorded.simulation_id, recorded.project_id, recorded.group_id) == (
        simulation,
        place.project,
        place.group,
    )
    assert recorded.id[14] == "7"  # a UUIDv7
    assert not recorded.HasField("library_persona_id")
    assert not recorded.persona_deleted
    assert listed(place.caller, simulation_id=simulation) == [recorded]
    for name in ("id", "simulation_id", "project_id", "group_id", "recorded_at"):
        recorded.ClearField(name)
    assert recorded == given


def test_what_is_output_only_is_ignored(place: Place) -> None:
    (one,) = place.fill(1)
    given = answer(one.id, simulation_id=uid(), project_id="x", group_id="y", persona_deleted=True)
    given.library_persona_id.value = uid()
    given.recorded_at.CopyFrom(at(5))
    simulation = uid()
    (recorded,) = record(place.caller, simulation, given)
    assert recorded.simulation_id == simulation
    assert (recorded.project_id, recorded.group_id) == (place.project, place.group)
    assert not recorded.HasField("library_persona_id")
    assert micros(recorded.recorded_at) > DAY
    assert not recorded.persona_deleted


def test_a_time_that_is_left_out_is_the_servers_plus_the_place_in_the_batch(place: Place) -> None:
    (one,) = place.fill(1)
    made = record(place.caller, uid(), *[answer(one.id) for _ in range(3)])
    start = micros(made[0].recorded_at)
    assert [micros(each.occurred_at) for each in made] == [start, start + 1, start + 2]
    assert listed(place.caller, persona_id=one.id) == made


def test_times_are_cut_to_microseconds_and_ids_to_lower_case(place: Place) -> None:
    (one,) = place.fill(1)
    given = answer(one.id.upper(), id=uid().upper())
    given.occurred_at.seconds, given.occurred_at.nanos = 5, 1999
    (recorded,) = record(place.caller, uid().upper(), given)
    assert recorded.occurred_at.nanos == 1000
    assert (recorded.id, recorded.persona_id) == (given.id.lower(), one.id)
    assert recorded.simulation_id.islower()


def test_the_same_answer_is_recorded_once(place: Place) -> None:
    (one,) = place.fill(1)
    simulation, known, fresh = uid(), rich_answer(one.id, id=uid()), rich_answer(one.id, id=uid())
    (first,) = record(place.caller, simulation, known)
    again = record(place.caller, simulation, fresh, known)
    assert again[1] == first
    assert len(listed(place.caller, simulation_id=simulation)) == 2
    known.ClearField("occurred_at")  # a time that is left out is not compared
    assert record(place.caller, simulation, known) == [first]
    assert record(place.caller, simulation, first) == [first]  # as it was read
    assert len(listed(place.caller, simulation_id=simulation)) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"question_key": "other"},
        {"question_text": ""},
        {"themes": ["size", "price"]},
        {"model": "sim-2"},
        {"text": "b"},
        {"occurred_at": at(1)},
        {"choice": response_pb2.ChoiceAnswer(value="a", options=["a", "b"])},
        {"choice": response_pb2.ChoiceAnswer(value="b", options=["b", "a"])},
    ],
    ids=repr,
)
def test_the_same_id_with_another_content_is_refused(
    place: Place, changes: dict[str, object]
) -> None:
    (one,) = place.fill(1)
    simulation, known = uid(), rich_answer(one.id, id=uid())
    recorded = record(place.caller, simulation, known)
    given = {"id": known.id, **changes}
    if "text" in changes:
        other = rich_answer(one.id, id=known.id)
        other.text = "b"
    else:
        other = rich_answer(one.id, **given)
    with refused("ALREADY_EXISTS", grpc.StatusCode.ALREADY_EXISTS) as refusal:
        record(place.caller, simulation, answer(one.id), other)
    assert refusal.problem.metadata["field"] == "responses[1].id"
    assert refusal.problem.metadata["id"] == known.id
    assert listed(place.caller, simulation_id=simulation) == recorded


def test_the_same_id_elsewhere_is_refused(place: Place) -> None:
    one, two = place.fill(2)
    simulation, known = uid(), answer(one.id, id=uid())
    record(place.caller, simulation, known)
    with refused("ALREADY_EXISTS"):
        record(place.caller, uid(), known)
    with refused("ALREADY_EXISTS"):
        record(place.caller, simulation, answer(two.id, id=known.id))


def test_ids_must_not_repeat_within_a_batch(place: Place) -> None:
    (one,) = place.fill(1)
    same = uid()
    with refused("INVALID_FIELD", INVALID) as refusal:
        record(place.caller, uid(), answer(one.id, id=same), answer(one.id, id=same.upper()))
    assert set(refusal.problem.fields) == {"responses[1].id"}


def test_unknown_personas_refuse_the_batch_and_are_named(place: Place) -> None:
    (one,) = place.fill(1)
    simulation, nobody = uid(), uid()
    batch = [answer(one.id), answer(nobody), answer(one.id), answer(uid()), answer(nobody)]
    with refused("PERSONA_NOT_FOUND", NOT_FOUND) as refusal:
        record(place.caller, simulation, *batch)
    problem = refusal.problem
    assert set(problem.fields) == {f"responses[{i}].persona_id" for i in (1, 3, 4)}
    assert problem.metadata == {"persona_id": nobody, "indexes": "1,3-4"}
    assert listed(place.caller, simulation_id=simulation) == []
    assert len(record(place.caller, simulation, batch[0], batch[2])) == 2


def test_more_unknown_personas_than_an_error_can_list(place: Place) -> None:
    (one,) = place.fill(1)
    batch = [answer(one.id if i % 2 else uid()) for i in range(1000)]
    with refused("PERSONA_NOT_FOUND") as refusal:
        record(place.caller, uid(), *batch)
    metadata = refusal.problem.metadata
    assert metadata["violations_total"] == "500"
    *shown, rest = metadata["indexes"].split(",")
    assert rest == "…"
    assert [int(i) for i in shown] == list(range(0, 2 * len(shown), 2))
    with refused("PERSONA_NOT_FOUND") as refusal:
        record(place.caller, uid(), *[answer(uid()) for _ in range(1000)])
    assert refusal.problem.metadata["indexes"] == "0-999"


def test_a_simulation_belongs_to_one_project(place: Place) -> None:
    sibling = make_place(place.caller, place.project)
    other = make_place(place.caller)
    (one,), (two,), (stranger,) = place.fill(1), sibling.fill(1), other.fill(1)
    simulation = uid()
    with refused("INVALID_FIELD", INVALID) as refusal:
        record(place.caller, simulation, answer(one.id), answer(stranger.id))
    assert set(refusal.problem.fields) == {"responses[1].persona_id"}
    record(place.caller, simulation, answer(one.id), answer(two.id))
    with refused("INVALID_FIELD") as refusal:
        record(place.caller, simulation, answer(stranger.id), answer(one.id), answer(stranger.id))
    assert set(refusal.problem.fields) == {
        "responses[0].persona_id",
        "responses[2].persona_id",
    }
    # What was refused has bound nothing.
    elsewhere = uid()
    with refused("PERSONA_NOT_FOUND"):
        record(place.caller, elsewhere, answer(one.id), answer(uid()))
    record(place.caller, elsewhere, answer(stranger.id))


@pytest.mark.parametrize("how", ["persona", "all", "group", "project"])
def test_answers_of_a_persona_deleted_meanwhile_are_taken(place: Place, how: str) -> None:
    one = place.create(rich_persona())
    simulation = uid()
    (first,) = record(place.caller, simulation, answer(one.id))
    assert not first.persona_deleted
    ways: dict[str, Callable[[], object]] = {
        "persona": lambda: place.delete(one.id),
        "all": place.delete_all,
        "group": lambda: delete_group(place),
        "project": lambda: delete_project(place),
    }
    ways[how]()
    key, late = uid(), answer(one.id)
    (second,) = record(place.caller, simulation, late, request_id=key)
    assert second.persona_deleted
    assert record(place.caller, simulation, late, request_id=key) == [second]
    first.persona_deleted = True
    for scope in (
        {"simulation_id": simulation},
        {"project_id": place.project},
        {"persona_id": one.id},
    ):
        assert listed(place.caller, **scope) == [first, second]
    assert answerer(place.caller, first.id) == one
    assert answerer(place.caller, second.id) == one


def test_a_persona_that_comes_back_is_not_deleted(place: Place) -> None:
    one = place.create(persona(id=uid()))
    (first,) = record(place.caller, uid(), answer(one.id))
    place.delete(one.id)
    assert [r.persona_deleted for r in listed(place.caller, persona_id=one.id)] == [True]
    place.create(persona(id=one.id))
    assert listed(place.caller, persona_id=one.id) == [first]


def test_a_replayed_batch_says_who_is_deleted_now(place: Place) -> None:
    one, two = place.fill(2)
    simulation, key = uid(), uid()
    batch = [answer(one.id), answer(two.id)]
    made = record(place.caller, simulation, *batch, request_id=key)
    place.delete(two.id)
    again = record(place.caller, simulation, *batch, request_id=key)
    assert [each.persona_deleted for each in again] == [False, True]
    again[1].persona_deleted = False
    assert again == made


def test_who_answered_is_who_it_was(place: Place) -> None:
    one = place.create(rich_persona())
    (first,) = record(place.caller, uid(), answer(one.id))
    assert answerer(place.caller, first.id.upper()) == one
    with refused("RESPONSE_NOT_FOUND", NOT_FOUND) as refusal:
        answerer(place.caller, uid())
    assert set(refusal.problem.metadata) == {"response_id"}


def test_a_hundred_concurrent_batches_record_each_answer_once(place: Place) -> None:
    people, simulation = place.fill(5), uid()
    batch = [answer(one.id, id=uid(), occurred_at=at(i)) for i, one in enumerate(people)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: record(place.caller, simulation, *batch), range(100)))
    assert all(each == answers[0] for each in answers)
    assert listed(place.caller, simulation_id=simulation) == answers[0]

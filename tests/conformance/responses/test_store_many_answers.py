"""Individuals who have answered very often: what is read of one at once is bounded."""

from collections.abc import Callable
from typing import Any

import pytest

from persona.v1 import errors_pb2, library_pb2, measures_pb2
from persona.v1 import library_service_pb2 as pb
from persona.v1.library_pb2 import Promotion
from persona.v1.measures_pb2 import PersonaReliability
from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, Response
from persona_server.errors import ServiceError
from persona_server.measures.individual.policy import Policy
from persona_server.services.call import Call
from persona_server.services.library.service import LibraryService
from persona_server.services.paging import PageTokens
from persona_server.services.responses.voiding import (
    settle_voids,
    void_responses,
    void_simulation,
)
from persona_server.storage.derived import repository, writing
from persona_server.storage.keys import id_bytes, id_text
from support.answering.looks import reliable, run, say, waiting
from support.answering.measuring import image
from support.answers import answer
from support.data import at, persona, uid
from support.probe import Probe
from support.stored import TENANT, StoredGroup

DAY = 1_700_000_000_000_000
OPTIONS = [f"{i} {'x' * 120}" for i in range(500)]  # as long as they may be, nearly


def refused(call: Callable[[], object]) -> str:
    """Return the field for which a call is refused."""
    with pytest.raises(ServiceError) as caught:
        call()
    assert caught.value.reason == errors_pb2.ERROR_REASON_INVALID_FIELD
    (violation,) = caught.value.violations
    return str(violation.field)


class Measuring:
    """The calls that read all answers of a persona."""

    def __init__(self, group: StoredGroup, one: bytes) -> None:
        self._library = LibraryService(group.store, PageTokens(bytes(32)), Policy())
        self._call = Call("", TENANT, "tests")
        self._group: dict[str, Any] = {
            "project_id": id_text(group.project),
            "group_id": id_text(group.group),
        }
        self._path: dict[str, Any] = {**self._group, "persona_id": id_text(one)}

    def reliability(self) -> bytes:
        return self._library.get_reliability(self._call, pb.GetReliabilityRequest(**self._path))

    def timeline(self) -> bytes:
        request = pb.GetAttitudeTimelineRequest(**self._path)
        return self._library.get_attitude_timeline(self._call, request)

    def promotion(self) -> bytes:
        return self._library.promote_persona(self._call, pb.PromotePersonaRequest(**self._path))

    def promotions(self) -> list[Promotion]:
        raw = self._library.promote_personas(self._call, pb.PromotePersonasRequest(**self._group))
        return list(pb.PromotePersonasResponse.FromString(raw).promotions)

    def rows(self) -> list[PersonaReliability]:
        request = pb.ListReliabilitiesRequest(**self._group)
        raw = self._library.list_reliabilities(self._call, request)
        return list(pb.ListReliabilitiesResponse.FromString(raw).reliabilities)


def assert_not_measured(group: StoredGroup, one: bytes) -> None:
    """Nothing reads all answers of a persona, and others of its group have theirs."""
    measuring = Measuring(group, one)
    for call in (measuring.reliability, measuring.timeline, measuring.promotion):
        assert refused(call) == "persona_id"
    assert one in [queued.persona_id for queued in waiting(group)]
    other, _ = reliable(group)
    rows = {row.persona_id: row for row in measuring.rows()}
    assert rows[id_text(other)].coefficient.value == 1
    assert rows[id_text(one)].status == measures_pb2.RELIABILITY_STATUS_INSUFFICIENT_DATA
    assert "more than 100000 answers" in rows[id_text(one)].explanation
    assert run(group.store) == 1  # who promotes by itself goes on without it
    assert waiting(group) == []
    assert Probe(group.store).values("library_persona", "origin_persona_id") == [other]
    outcomes = {each.persona_id: each for each in measuring.promotions()}
    assert outcomes[id_text(other)].outcome == library_pb2.PROMOTION_OUTCOME_ALREADY_PROMOTED
    assert outcomes[id_text(one)].outcome == library_pb2.PROMOTION_OUTCOME_NOT_ELIGIBLE


def test_of_many_long_options_none_is_measured(group: StoredGroup) -> None:
    (one,) = group.add(persona())
    choice = ChoiceAnswer(value=OPTIONS[0], options=OPTIONS)
    for start in range(0, 80, 40):
        keys = range(start, start + 40)
        say(group, *[answer(id_text(one), question_key=f"q{k}", choice=choice) for k in keys])
    assert_not_measured(group, one)


def test_of_many_large_sets_none_is_measured(group: StoredGroup) -> None:
    (one,) = group.add(persona())
    options = [f"{i:x}" for i in range(500)]
    sets = [[each for each in options if each != options[i]] for i in range(500)]
    given = [ChoicesAnswer(values=each, options=options) for each in sets]
    say(group, *[answer(id_text(one), choices=each) for each in given])
    assert_not_measured(group, one)


def test_of_many_answers_none_is_measured(
    group: StoredGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "MOST_ANSWERS", 400)
    monkeypatch.setattr(repository, "_CHUNK", 7)
    (one,) = group.add(persona())
    for _ in range(20):
        say(group, *[answer(id_text(one), question_key=f"q{k}") for k in range(20)])
    assert Measuring(group, one).reliability()
    say(group, answer(id_text(one), question_key="q7"))
    assert_not_measured(group, one)


def daily(one: bytes, count: int, start: int = 0) -> list[Response]:
    """Return answers of a persona to one question, in order of time."""
    return [answer(id_text(one), occurred_at=at(DAY + start + i), id=uid()) for i in range(count)]


def test_one_question_is_answered_so_often(
    group: StoredGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_OF_ONE", 100)
    one, other = group.add(persona(), persona())
    say(group, *daily(one, 60))
    for i in range(39):  # one by one, in order
        say(group, *daily(one, 1, 60 + i))
    both = [answer(id_text(other)), answer(id_text(one)), answer(id_text(one))]
    assert refused(lambda: say(group, *both)) == "responses[1].question_key"
    say(group, *both[:2])
    assert refused(lambda: say(group, answer(id_text(one)))) == "responses[0].question_key"
    say(group, answer(id_text(one), question_key="another"), answer(id_text(other)))


def test_a_call_reads_so_many_earlier_answers_again(
    group: StoredGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, simulation = group.add(*[persona() for _ in range(4)]), uid()
    given = [each for one in people for each in daily(one, 50)]
    say(group, *given, simulation=simulation)
    monkeypatch.setattr(writing, "MOST_AGAIN", 100)  # of two of them
    again = [answer(id_text(one)) for one in people]
    assert refused(lambda: say(group, *again, simulation=simulation)) == "responses"
    superseding = [
        answer(id_text(one), supersedes=given[i * 50].id) for i, one in enumerate(people)
    ]
    assert refused(lambda: say(group, *superseding, simulation=simulation)) == "responses"
    before = image(group.store)

    def void(ids: list[str]) -> None:
        with group.store.writing(TENANT, None) as repositories:
            void_responses(repositories, ids, "a bad run")

    firsts = [given[i * 50].id for i in range(len(people))]
    assert refused(lambda: void(firsts)) == "response_ids"
    assert image(group.store) == before
    say(group, *again[:2], simulation=simulation)
    void(firsts[:2])


def test_a_void_simulation_is_taken_out_in_parts_that_are_small_enough(
    group: StoredGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, simulation = group.add(*[persona() for _ in range(4)]), uid()
    for one in people:
        say(group, *daily(one, 50))
    before = image(group.store)
    say(group, *[each for one in people for each in daily(one, 50, 100)], simulation=simulation)
    monkeypatch.setattr(writing, "MOST_AGAIN", 100)
    with group.store.writing(TENANT, None) as repositories:
        void_simulation(repositories, simulation, "a bad run")
    assert settle_voids(group.store, lambda: False) == 200
    assert image(group.store) == before
    with group.store.reading(TENANT) as repositories:
        assert not repositories.simulations.voiding()
        assert repositories.simulations.is_void(id_bytes(simulation))

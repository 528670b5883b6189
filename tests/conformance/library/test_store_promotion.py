"""Promotion by the worker, and limits and snapshots of what is measured, on a store alone."""

from functools import partial
from typing import Any

import pytest

from persona.v1 import measures_pb2
from persona.v1.response_pb2 import RatingAnswer
from persona_server.errors import ServiceError
from persona_server.measures.individual.policy import Policy
from persona_server.services.library import promoting
from persona_server.services.library.promoting import promote_waiting
from persona_server.services.responses.recording import record_responses
from persona_server.storage.derived.repository import DerivedTables
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store
from support.answering.looks import (
    DEFAULTS,
    FEW,
    LENIENT,
    Served,
    in_another_thread,
    origins,
    reliable,
    run,
    say,
    waiting,
)
from support.answers import answer
from support.data import at, persona, uid
from support.library import DAY, OWN, PEERS, SIMULATIONS, START, ratings
from support.probe import Probe
from support.stored import StoredGroup, unframe


def test_the_worker_promotes_and_leaves_an_audit_row(store: Store, group: StoredGroup) -> None:
    one, _ = reliable(group)
    assert len(waiting(group)) == 1 + len(PEERS) * SIMULATIONS
    assert run(store) == 1
    assert origins(store) == [one]
    assert waiting(group) == []
    names = ("actor", "method", "project_id", "group_id", "persona_id", "library_persona_id")
    (library_id,) = Probe(store).values("library_persona", "id")
    assert Probe(store).rows("audit", *names) == [
        ("automatic-promotion", "PromotePersona", group.project, group.group, one, library_id)
    ]
    assert run(store) == 0
    say(group, answer(id_text(one)))  # of the library by now
    assert waiting(group) == []


def test_whom_a_delete_has_hidden_nobody_promotes_until_it_is_back(
    store: Store, group: StoredGroup
) -> None:
    one, tag = reliable(group)
    before = unframe(group.get(one) or b"")
    assert group.hide(one)
    assert run(store) == 0
    assert waiting(group) == []
    say(group, *ratings(id_text(one), tag, OWN, SIMULATIONS))
    assert waiting(group) == []
    assert origins(store) == []
    assert group.add(*before) == [one]
    assert run(store) == 1
    assert origins(store) == [one]


def test_whoever_comes_back_without_an_answer_is_not_looked_at(
    store: Store, group: StoredGroup
) -> None:
    (one,) = group.add(persona())
    before = unframe(group.get(one) or b"")
    store.promotes()
    assert group.hide(one)
    assert group.add(*before) == [one]
    assert waiting(group) == []


def test_nobody_waits_where_nobody_promotes(store: Store, group: StoredGroup) -> None:
    (one,) = group.add(persona())
    with store.writing(group.tenant, None) as repositories:
        record_responses(repositories, uid(), [answer(id_text(one))])
    assert waiting(group) == []


def test_answers_sent_again_queue_nobody(group: StoredGroup) -> None:
    (one, other), simulation = group.add(persona(), persona()), uid()
    given: dict[str, Any] = {"persona_id": id_text(one), "id": uid(), "occurred_at": at(START)}
    say(group, answer(**given), simulation=simulation)
    run(group.store)
    say(group, answer(**given), answer(id_text(other)), simulation=simulation)
    assert [queued.persona_id for queued in waiting(group)] == [other]


def test_a_stop_ends_after_one_look(group: StoredGroup) -> None:
    for _ in range(5):
        say(group, answer(id_text(group.add(persona())[0])))
    stops = iter([False, False, True])
    promote_waiting(group.store, DEFAULTS, lambda: next(stops))
    assert len(waiting(group)) == 3


def test_every_chunk_is_looked_at(group: StoredGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promoting, "_CHUNK", 2)
    for _ in range(5):
        say(group, answer(id_text(group.add(persona())[0])))
    run(group.store)
    assert waiting(group) == []


@pytest.fixture
def served(store: Store, group: StoredGroup) -> Served:
    return Served(store, group, LENIENT)


def change_moods(group: StoredGroup, one: bytes) -> None:
    """Let one persona change by 4 points in a question, and three others by 1 point."""
    others = [(other, 1) for other in group.add(*[persona() for _ in range(3)])]
    for day in range(2):
        given = [
            answer(
                id_text(who),
                question_key="mood",
                rating=RatingAnswer(value=1 + day * change, min=1, max=9),
                occurred_at=at(START + day * DAY),
            )
            for who, change in ((one, 4), *others)
        ]
        say(group, *given)


def test_limits_are_those_that_were_set(store: Store, group: StoredGroup, served: Served) -> None:
    one, _ = reliable(group, simulations=FEW)
    strict = Served(store, group, DEFAULTS)
    assert strict.reliability(one).status == measures_pb2.RELIABILITY_STATUS_INSUFFICIENT_DATA
    found = served.reliability(one)
    assert found.status == measures_pb2.RELIABILITY_STATUS_ELIGIBLE
    assert {rule.name: rule.limit for rule in found.rules}["lower_bound"] == LENIENT.min_lower_bound
    with pytest.raises(ServiceError):
        strict.promote(one)
    assert run(store) == 0
    assert served.promote(one).reliability.status == measures_pb2.RELIABILITY_STATUS_ELIGIBLE


def test_the_worker_takes_the_limits_that_were_set(store: Store, group: StoredGroup) -> None:
    one, _ = reliable(group, simulations=FEW)
    assert run(store, LENIENT) == 1
    assert origins(store) == [one]


def test_changes_are_measured_against_the_noise_of_others_alone(
    store: Store, group: StoredGroup
) -> None:
    one, _ = reliable(group)
    change_moods(group, one)
    strict = Served(store, group, DEFAULTS)
    served = Served(store, group, Policy(min_noise_differences=3, min_noise_individuals=3))
    library_id = served.promote(one).id
    assert served.reliability(one).reliable_change_count == 1
    shift = served.timeline(library_id).timelines[-1].numeric_shift
    assert (shift.reliable_change.rci, shift.reliable_change.noise.variance) == (4, 0.5)
    assert shift.reliable_change.reliable
    assert strict.reliability(one).reliable_change_count == 0
    shift = strict.timeline(library_id).timelines[-1].numeric_shift
    assert shift.reliable_change_reason == measures_pb2.UNDEFINED_REASON_TOO_FEW_DIFFERENCES


@pytest.mark.parametrize("read_by", ["reliability", "timeline"])
def test_one_moment_is_measured(
    store: Store,
    group: StoredGroup,
    served: Served,
    monkeypatch: pytest.MonkeyPatch,
    read_by: str,
) -> None:
    """Answers that come after the first of several reads are in none of them."""
    one, tag = reliable(group)
    peer, library_id = id_text(group.add(persona())[0]), served.promote(one).id

    def measured() -> Any:
        return served.reliability(one) if read_by == "reliability" else served.timeline(library_id)

    before, read_series = measured(), DerivedTables.series_of

    def then_answers(self: DerivedTables, individual: bytes) -> Any:
        found = read_series(self, individual)
        for day in (7, 8):
            later = [r for who in (id_text(one), peer) for r in ratings(who, tag, day - 6, day)]
            in_another_thread(partial(say, group, *later))
        return found

    monkeypatch.setattr(DerivedTables, "series_of", then_answers)
    assert measured() == before
    monkeypatch.undo()
    assert measured() != before


def test_only_tenants_of_whom_somebody_waits_are_looked_at(store: Store) -> None:
    """Each once, however many of it wait; of thousands at rest nothing is asked."""
    groups = {name: StoredGroup(store, name) for name in ("one", "two", "three", "four")}
    for name in ("four", "two"):
        for one in groups[name].add(persona(), persona()):
            say(groups[name], answer(id_text(one)))
    assert list(store.tenants.promoting()) == ["two", "four"]
    run(store)
    assert list(store.tenants.promoting()) == []


def test_damage_of_one_individual_keeps_no_other_waiting(store: Store, group: StoredGroup) -> None:
    bad, _ = reliable(group)
    good, _ = reliable(group)
    Probe(store).change("UPDATE series SET records = ? WHERE individual_id = ?", b"\0", bad)
    assert run(store) == 1
    assert origins(store) == [good]
    assert waiting(group) == []

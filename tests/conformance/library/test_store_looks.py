"""Individuals are measured on a snapshot, outside of the write lock: what happens meanwhile."""

from collections.abc import Iterator

import pytest

from persona.v1.library_pb2 import (
    PROMOTION_OUTCOME_ANSWERED_MEANWHILE,
    PROMOTION_OUTCOME_PERSONA_NOT_FOUND,
    PROMOTION_OUTCOME_PROMOTED,
)
from persona.v1.response_pb2 import Response
from persona_server.errors import ServiceError
from persona_server.services.library.service import LOOKS
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store
from support.answering.looks import (
    DEFAULTS,
    Served,
    origins,
    reliable,
    run,
    say,
    waiting,
    while_measured,
)
from support.answers import answer
from support.library import QUESTIONS, SIMULATIONS
from support.stored import StoredGroup


@pytest.fixture
def served(store: Store, group: StoredGroup) -> Served:
    return Served(store, group, DEFAULTS)


def test_a_delete_while_the_worker_looks(
    store: Store, group: StoredGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = reliable(group)
    while_measured(monkeypatch, lambda: group.hide(one))
    assert run(store) == 0
    assert origins(store) == []


def test_answers_while_the_worker_looks(
    store: Store, group: StoredGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures without an individual's latest answers don't count; whoever answered waits."""
    one, _ = reliable(group)
    while_measured(monkeypatch, lambda: say(group, answer(id_text(one))))
    assert run(store) == 0
    assert origins(store) == []
    assert one in [queued.persona_id for queued in waiting(group)]


def test_answers_while_a_promotion_measures(
    store: Store, group: StoredGroup, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are recorded meanwhile, since no lock is held, and measured too before it counts."""
    one, _ = reliable(group)
    later = iter([answer(id_text(one))])
    looks = while_measured(monkeypatch, lambda: say_all(group, later))
    promoted = served.promote(one)
    assert len(looks) == 2
    assert promoted.response_count == SIMULATIONS * QUESTIONS + 1
    assert promoted.reliability.lower_bound == served.reliability(one).lower_bound


def say_all(group: StoredGroup, given: Iterator[Response]) -> None:
    if answers := list(given):
        say(group, *answers)


def test_who_is_not_where_the_request_says_is_not_measured(
    store: Store, group: StoredGroup, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, _ = reliable(StoredGroup(store))
    looks = while_measured(monkeypatch, lambda: None)
    with pytest.raises(ServiceError) as refused:
        served.promote(elsewhere)
    assert refused.value.reason_name == "PERSONA_NOT_FOUND"
    assert not looks


def test_answers_at_every_look(
    store: Store, group: StoredGroup, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = reliable(group)
    looks = while_measured(monkeypatch, lambda: say(group, answer(id_text(one))))
    with pytest.raises(ServiceError) as refused:
        served.promote(one)
    assert refused.value.reason_name == "CONCURRENT_CHANGE"
    assert refused.value.metadata == {"persona_id": id_text(one)}
    assert refused.value.retry_after == 1
    assert len(looks) == LOOKS
    assert origins(store) == []
    monkeypatch.undo()
    assert served.promote(one).origin_persona_id == id_text(one)


def test_who_answers_while_a_page_is_measured_keeps_nobody_waiting(
    store: Store, group: StoredGroup, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are measured at one moment, with no lock held; the others of the page are promoted."""
    first, _ = reliable(group)
    second, _ = reliable(group)
    third, _ = reliable(group)
    later, hidden = iter([answer(id_text(first))]), iter([second])

    def meanwhile() -> None:
        say_all(group, later)
        for one in hidden:
            group.hide(one)

    while_measured(monkeypatch, meanwhile)
    found = {one.persona_id: one.outcome for one in served.promote_group().promotions}
    assert found[id_text(first)] == PROMOTION_OUTCOME_ANSWERED_MEANWHILE
    assert found[id_text(second)] == PROMOTION_OUTCOME_PERSONA_NOT_FOUND
    assert found[id_text(third)] == PROMOTION_OUTCOME_PROMOTED
    assert origins(store) == [third]
    monkeypatch.undo()
    again = {one.persona_id: one.outcome for one in served.promote_group().promotions}
    assert again[id_text(first)] == PROMOTION_OUTCOME_PROMOTED

"""Snapshots: all reads of a block at one moment, and no transaction left open."""

import threading
import uuid
from collections.abc import Callable

import pytest

from persona_server.measures.answers import Question
from persona_server.storage.keys import id_text
from support.answering.measuring import measured
from support.answering.recorded import one, rating, say
from support.data import uid
from support.probe import Probe
from support.stored import StoredGroup

NPS = Question.rating("nps", 1, 5)


def test_a_snapshot_sees_one_moment(group: StoredGroup) -> None:
    who = one(group)
    simulation = uid()
    say(group, who, 1, simulation, rating=rating(1))
    with group.store.snapshot(group.tenant) as repositories:
        ids, asked = repositories.derived.series_of(who).ids, {NPS: [simulation]}
        before = repositories.derived.crowds(ids, asked)
        assert before[NPS][simulation].tally == {1: 1}
        in_another_thread(lambda: say(group, who, 0, simulation, rating=rating(5)))
        assert repositories.derived.crowds(ids, asked) == before
        assert len(repositories.derived.series_of(who)[NPS]) == 1
    assert len(measured(group.store).series[id_text(who)][NPS]) == 2


def in_another_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_snapshot_never_nests_and_never_stays_open(group: StoredGroup) -> None:
    store = group.store
    with pytest.raises(RuntimeError), store.writing(group.tenant, None), store.snapshot("acme"):
        pass
    with pytest.raises(RuntimeError), store.snapshot("acme"), store.snapshot("acme"):
        pass
    with pytest.raises(RuntimeError), store.snapshot("acme"), store.writing("acme", None):
        pass
    with pytest.raises(ZeroDivisionError), store.snapshot("acme") as repositories:
        _ = 1 / len(repositories.derived.series_of(uuid.uuid4().bytes))
    assert not Probe(store).in_transaction()
    say(group, one(group), 1)

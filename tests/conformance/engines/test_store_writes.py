"""Transactions: one at a time, whole or absent, and never into a set that was swapped out."""

import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from persona.v1.persona_service_pb2 import BatchCreatePersonasRequest
from persona_server.errors import ServiceError
from persona_server.services.call import Call
from persona_server.services.idempotency import Outcome, mutate
from persona_server.storage.store import Store, Transaction
from support.data import persona
from support.probe import Probe
from support.stored import StoredGroup, UndoneError, read, rolled_back


def test_a_failed_block_leaves_nothing(store: Store, group: StoredGroup) -> None:
    version = group.head().version

    def work(repositories: Transaction) -> None:
        group.add_in(repositories, persona(), persona())
        repositories.idempotency.keep("M", bytes(16), bytes(32), b"", 1)

    rolled_back(store, work)
    assert group.page(10).size == group.count() == 0
    assert group.head().version == version
    assert Probe(store).count("idempotency") == 0


def test_what_is_not_committed_is_not_seen(store: Store, group: StoredGroup) -> None:
    with store.writing("acme", None) as repositories, ThreadPoolExecutor(1) as other:
        group.add_in(repositories, persona())
        assert other.submit(lambda: group.page(10).size).result() == 0
        assert group.page(10).size == 1  # the writer sees its own
    assert group.page(10).size == 1


def test_personas_written_are_told_after_the_commit(store: Store, group: StoredGroup) -> None:
    call, request = Call("BatchCreatePersonas", "acme", "me"), BatchCreatePersonasRequest()

    def add(repositories: Transaction) -> Outcome:
        assert call.written == 0  # not before it is on disk
        return Outcome(group.add_in(repositories, persona(), persona()).ids[0], None)

    def fail(repositories: Transaction) -> Outcome:
        group.add_in(repositories, persona())
        raise UndoneError

    def hide(repositories: Transaction) -> Outcome:
        locked = group.locked(repositories)
        repositories.personas.hide(one, locked.set_id, locked.hidden_set_id, repositories.now)
        return Outcome(b"", None)

    one = mutate(store, call, request, add)
    assert call.written == 2
    with pytest.raises(UndoneError):
        mutate(store, call, request, fail)
    mutate(store, call, request, hide)
    assert call.written == 2


def test_a_nested_transaction_is_refused(store: Store) -> None:
    """It would silently be a savepoint, acknowledged before it is on disk."""
    with (
        store.writing("acme", None),
        pytest.raises(RuntimeError),
        store.writing("acme", None),
    ):
        pass


@pytest.mark.parametrize("timeout", [0.0, -1.0])
def test_no_time_left_is_refused_before_the_work(store: Store, timeout: float) -> None:
    entered = False
    with pytest.raises(ServiceError) as refused, store.writing("acme", timeout):
        entered = True
    assert refused.value.reason_name == "DEADLINE_EXCEEDED"
    assert not entered


def test_a_writer_waits_no_longer_than_its_time(store: Store, group: StoredGroup) -> None:
    entered = threading.Event()

    def second() -> str:
        with pytest.raises(ServiceError) as refused, store.writing("acme", 0.01):
            entered.set()
        return refused.value.reason_name

    with store.writing("acme", None), ThreadPoolExecutor(1) as other:
        reason = other.submit(second).result()
    assert reason == "DEADLINE_EXCEEDED"  # which is when nobody waits any more
    assert not entered.is_set()


def test_writers_queue_and_none_is_lost(store: Store, group: StoredGroup) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(group.add, persona()) for _ in range(40)]:
            done.result()
    assert group.page(100).size == group.count() == 40


def test_nothing_lands_in_a_set_that_was_swapped_out(store: Store, group: StoredGroup) -> None:
    """Writers beside a swapper: each dropped set holds exactly what was counted for it."""
    counted: dict[int, int] = {}

    def swap() -> None:
        with store.writing("acme", None) as repositories:
            locked = group.locked(repositories)
            counted[locked.set_id] = locked.persona_count
            repositories.groups.swap_set(group.group, locked.set_id, repositories.now)

    with ThreadPoolExecutor(4) as pool:
        work = [
            pool.submit(swap) if i % 5 == 4 else pool.submit(group.add, persona(), persona())
            for i in range(60)
        ]
        for done in work:
            done.result()
    found = Counter(Probe(store).values("persona", "set_id"))
    counted[group.set_id] = group.count()
    assert found == {set_id: count for set_id, count in counted.items() if count}
    assert sum(counted.values()) == 96


def test_one_of_many_that_hide_a_persona_does(store: Store, group: StoredGroup) -> None:
    one, _ = group.add(persona(), persona())
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(group.hide, one) for _ in range(12)]
        assert sum(each.result() for each in done) == 1
    assert group.count() == 1


def test_ids_of_sets_and_audit_rows_do_not_repeat(store: Store) -> None:
    """They are made in Python, from one clock reading for all of a burst."""
    with ThreadPoolExecutor(4) as pool:
        made = [
            each.result() for each in [pool.submit(store.id_generator.next, 1) for _ in range(400)]
        ]
    assert len(set(made)) == 400
    assert max(made) < 2**63


def test_foreign_keys_hold(store: Store, group: StoredGroup) -> None:
    group.add(persona())
    assert Probe(store).refuses("DELETE FROM persona_set")
    assert Probe(store).checks_references()
    assert read(store).projects.find(uuid.uuid4().bytes) is None

"""The pools of calls: tenants in turn, on threads that are woken as they are needed."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from persona_server.transport.sharing.pool import FairPool, FullError
from persona_server.transport.sharing.turns import Caller, PoolLimits
from support.waiting import LIMIT


def caller_of(arguments: tuple[Any, ...]) -> Caller:
    """Return the caller that a test has put into the first argument."""
    return Caller(*arguments[0])


@pytest.fixture
def pool() -> Iterator[FairPool]:
    with FairPool("test", PoolLimits(1, costly=1, waiting=12, waiting_each=8), caller_of) as made:
        yield made


class Held:
    """A pool of one thread, which is held until `free()`; then what was submitted runs."""

    def __init__(self, pool: FairPool) -> None:
        self._pool = pool
        self._free, self.held = threading.Event(), threading.Event()
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        pool.submit(self._hold, ("holder", "Hold"))
        assert self.held.wait(LIMIT)

    def _hold(self, _caller: object) -> None:
        self.held.set()
        self._free.wait()

    def submit(self, tenant: str, work: Callable[[], Any]) -> None:
        self._pool.submit(lambda _: self.answers.put(work()), (tenant, "Work"))

    def free(self, count: int) -> list[Any]:
        self._free.set()
        return [self.answers.get(timeout=LIMIT) for _ in range(count)]


def test_a_crowd_of_one_tenant_does_not_come_before_another(pool: FairPool) -> None:
    held = Held(pool)
    for _ in range(6):
        held.submit("a", lambda: "a")
    held.submit("b", lambda: "b")
    assert "b" in held.free(7)[:2]


@pytest.mark.parametrize(("tenants", "room"), [(["a"], 8), (["a", "b"], 12)])
def test_what_finds_no_room_is_not_taken(pool: FairPool, tenants: list[str], room: int) -> None:
    held = Held(pool)
    for i in range(room):
        held.submit(tenants[i % len(tenants)], lambda: "served")
    with pytest.raises(FullError):
        held.submit("a", lambda: "too much")
    assert held.free(room) == ["served"] * room


def test_a_fault_does_not_cost_the_thread(pool: FairPool) -> None:
    held = Held(pool)
    pool.submit(lambda _: 1 // 0, ("a", "Fault"))
    held.submit("a", lambda: "served")
    assert held.free(1) == ["served"]


def test_all_threads_serve() -> None:
    """Each piece of work ends only when all have begun: once when it was never seen, then again."""
    with FairPool("test", PoolLimits(8, costly=8), caller_of) as pool:
        for _ in range(20):
            together = threading.Barrier(6)
            for _ in range(5):
                pool.submit(lambda _, together=together: together.wait(LIMIT), ("a", "Wait"))
            together.wait(LIMIT)


def test_a_closed_pool_takes_nothing(pool: FairPool) -> None:
    pool.shutdown(wait=False)
    with pytest.raises(RuntimeError):
        pool.submit(print, ("a", "Late"))

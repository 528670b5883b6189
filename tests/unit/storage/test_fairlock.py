"""The lock before the writers: tenants in turn, and a bound on the waiting."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from persona_server.storage.engine.fairlock import FairLock
from support.waiting import eventually


class Crowd:
    """A lock that is held, and threads that queue for it one after the other."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.lock = FairLock()
        self.order: list[int] = []
        self.pool = pool

    def waits(self, number: int, timeout: float = 30.0, tenant: str = "") -> "Future[None]":
        """Queue for the lock, and return once this thread is in the queue."""
        before = self.waiting()
        future = self.pool.submit(self._take, number, timeout, tenant)
        eventually(lambda: self.waiting() > before or future.done())
        return future

    def waiting(self) -> int:
        return sum(map(len, list(self.lock._waiting.values())))

    def _take(self, number: int, timeout: float, tenant: str) -> None:
        with self.lock.hold(timeout, tenant):
            self.order.append(number)

    def held(self) -> AbstractContextManager[None]:
        return self.lock.hold(1.0)


def test_turns_come_in_the_order_of_asking() -> None:
    with ThreadPoolExecutor(16) as pool:
        crowd = Crowd(pool)
        with crowd.held():
            waiting = [crowd.waits(number) for number in range(16)]
        for future in waiting:
            future.result()
        assert crowd.order == list(range(16))


def test_tenants_take_turns() -> None:
    """Who asks alone waits for one of each other tenant, however many of theirs asked before."""
    with ThreadPoolExecutor(8) as pool:
        crowd = Crowd(pool)
        with crowd.held():
            waiting = [crowd.waits(number, tenant="many") for number in range(4)]
            waiting += [crowd.waits(10 + number, tenant="few") for number in range(2)]
            waiting.append(crowd.waits(20, tenant="alone"))
        for future in waiting:
            future.result()
        assert crowd.order == [0, 10, 20, 1, 11, 2, 3]


def test_nobody_overtakes_a_waiter() -> None:
    """The one that releases can't take it again before those who wait."""
    with ThreadPoolExecutor(2) as pool:
        crowd = Crowd(pool)
        with crowd.held():
            waiting = crowd.waits(1)
        with crowd.held():
            assert crowd.order == [1]
        waiting.result()


def test_waiting_ends_with_its_time_and_leaves_the_queue() -> None:
    with ThreadPoolExecutor(2) as pool:
        crowd = Crowd(pool)
        with crowd.held():
            patient = crowd.waits(1)
            with pytest.raises(TimeoutError):
                crowd.waits(2, timeout=0.01).result()
            assert crowd.waiting() == 1
        patient.result()
        assert crowd.order == [1]


def test_no_time_is_a_try() -> None:
    lock = FairLock()
    with lock.hold(0.0), pytest.raises(TimeoutError), lock.hold(0.0):
        pass
    with lock.hold(-1.0):
        pass


def test_an_error_inside_lets_go() -> None:
    lock = FairLock()
    with pytest.raises(ZeroDivisionError), lock.hold(1.0):
        _ = 1 // 0
    with lock.hold(0.0):
        pass


def test_one_at_a_time_under_contention() -> None:
    lock, inside, worst = FairLock(), 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, worst
        for _ in range(50):
            with lock.hold(30.0):
                with guard:
                    inside += 1
                    worst = max(worst, inside)
                with guard:
                    inside -= 1

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result()
    assert worst == 1
    assert not lock._held

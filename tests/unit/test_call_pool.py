"""The pools of calls: work knows when it came, and how long it waited for a thread."""

import threading
import time

from persona_server.transport.arrivals import Arrival, CallPool, arrival


def test_waiting_is_from_submission_to_the_thread() -> None:
    free = threading.Event()
    with CallPool(1) as pool:
        first = pool.submit(free.wait)
        before = time.perf_counter()
        second = pool.submit(arrival)
        after = time.perf_counter()
        free.set()
        assert first.result()
        found: Arrival = second.result()
    assert before <= found.at <= after
    assert after <= found.at + found.waited <= time.perf_counter()


def test_elsewhere_a_call_comes_when_it_is_looked_at() -> None:
    before = time.perf_counter()
    found = arrival()
    assert before <= found.at <= time.perf_counter()
    assert found.waited == 0.0

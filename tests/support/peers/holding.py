"""How long other threads must wait while something runs: Python runs one at a time."""

import threading
import time
from collections.abc import Callable

from support.machine import slowness

_RUNS = 15  # a core is twice as slow at one moment as at another


def longest_hold(work: Callable[[], object], enough: float) -> float:
    """Return for how many seconds of its CPU time `work` let no other thread run, at a stretch.

    On a usual machine; the best of many runs, or the first within `enough`: the system, too, lets
    threads wait.
    """
    longest = float("inf")
    for _ in range(_RUNS):
        longest = min(longest, _longest_gap(work))
        if longest <= enough:
            return longest
    return longest / slowness()


def _longest_gap(work: Callable[[], object]) -> float:
    ended, gaps = threading.Event(), [0.0]
    clock = time.pthread_getcpuclockid(threading.get_ident())

    def tick() -> None:
        last = time.clock_gettime(clock)
        while not ended.wait(0.0005):
            now = time.clock_gettime(clock)
            gaps.append(now - last)
            last = now
        gaps.append(time.clock_gettime(clock) - last)

    ticker = threading.Thread(target=tick)
    ticker.start()
    work()
    ended.set()
    ticker.join()
    return max(gaps)

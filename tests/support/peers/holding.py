"""How long other threads must wait while something runs: Python runs one at a time."""

import threading
import time
from collections.abc import Callable

from support.machine import least


def longest_hold(work: Callable[[], object], enough: float) -> float:
    """Return for how many seconds of its CPU time `work` let no other thread run, at a stretch.

    The least of many runs, as `least` says: the system, too, lets threads wait.
    """
    return least(lambda: _longest_gap(work), enough)


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

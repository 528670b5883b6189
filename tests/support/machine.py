"""How fast this machine is just now: bounds in CPU time, rates of attacks are for a usual one."""

import time
from collections.abc import Callable
from statistics import median

_RUNS = 15
_NUMBERS = 200_000
_USUAL = 0.011  # seconds of CPU that a usual machine takes to add them up, in Python


def slowness() -> float:
    """Return how many times the CPU that it takes elsewhere the same work takes here, 1 at least.

    Cores are shared, and are three times as slow at one hour as at another, by CPU time too.
    """
    return max(1.0, median(_seconds() for _ in range(10)) / _USUAL)


def least(measure: Callable[[], float], enough: float) -> float:
    """Return what a usual machine would measure: the least of many, or one within `enough`.

    Whatever else runs makes it more, and a core is twice as slow at one moment as at another.
    """
    best = float("inf")
    for _ in range(_RUNS):
        best = min(best, measure())
        if best <= enough:
            return best
    return best / slowness()


def _seconds() -> float:
    start, total = time.thread_time(), 0
    for number in range(_NUMBERS):
        total += number
    return time.thread_time() - start

"""How fast this machine is just now: bounds in CPU time, rates of attacks are for a usual one."""

import time

_NUMBERS = 200_000
_USUAL = 0.011  # seconds of CPU that a usual machine takes to add them up, in Python


def slowness() -> float:
    """Return how many times the CPU that it takes elsewhere the same work takes here, 1 at least.

    Cores are shared, and are three times as slow at one hour as at another, by CPU time too.
    """
    return max(1.0, min(_seconds() for _ in range(10)) / _USUAL)


def _seconds() -> float:
    start, total = time.thread_time(), 0
    for number in range(_NUMBERS):
        total += number
    return time.thread_time() - start

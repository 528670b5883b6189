"""Wait for what another thread or process does, and no longer than it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LIMIT = 60.0  # seconds after which it will never come, also on a machine that has much to do


def eventually(found: Callable[[], T], limit: float = LIMIT) -> T:
    """Return the first true answer. Fails the test if none comes."""
    until = time.monotonic() + limit
    while True:
        answer = found()
        if answer:
            return answer
        assert time.monotonic() < until, "it never came"
        time.sleep(0.002)

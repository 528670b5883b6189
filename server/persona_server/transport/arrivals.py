"""When the work came that this thread does, and so how long it waited for the thread."""

import threading
import time
from typing import NamedTuple


class Arrival(NamedTuple):
    """When work came, on the clock of time.perf_counter(), and its seconds until a thread began."""

    at: float
    waited: float


def serving(at: float) -> None:
    """Let `arrival()` tell this thread from now on that what it does has come `at` this time."""
    _here.arrival = Arrival(at, time.perf_counter() - at)


def arrival() -> Arrival:
    """Return the arrival of the work that this thread does: now, if it is none of a pool."""
    found: Arrival | None = getattr(_here, "arrival", None)
    return found or Arrival(time.perf_counter(), 0.0)


_here = threading.local()

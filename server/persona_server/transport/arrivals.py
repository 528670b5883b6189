"""Thread pools whose work knows when it came, and so how long it waited for a thread."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple


class Arrival(NamedTuple):
    """When work came, on the clock of time.perf_counter(), and its seconds until a thread began."""

    at: float
    waited: float


class CallPool(ThreadPoolExecutor):
    """A pool for calls. gRPC submits each from its event thread as soon as its headers are there.

    So the time of submission is the call's arrival; grpcio tells a behaviour nothing earlier.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit work; within it, `arrival()` tells when that was."""
        return super().submit(_run, time.perf_counter(), fn, args, kwargs)


def arrival() -> Arrival:
    """Return the arrival of the call that this thread serves: now, if it is none of a CallPool."""
    found: Arrival | None = getattr(_here, "arrival", None)
    return found or Arrival(time.perf_counter(), 0.0)


_here = threading.local()


def _run(
    at: float, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    _here.arrival = Arrival(at, time.perf_counter() - at)
    return fn(*args, **kwargs)

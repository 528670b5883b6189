"""When the call came that this thread serves, and so how long it waited for the thread."""

import threading
import time
from typing import NamedTuple

from persona_server.errors import ServiceError
from persona_server.principal import Principal


class Arrival(NamedTuple):
    """When work came, on the clock of time.perf_counter(), and its seconds until a thread began.

    `principal` is who calls, if that is known already. `turned_away` says why there is no room for
    it: then it must only be refused.
    """

    at: float
    waited: float
    principal: Principal | None = None
    turned_away: ServiceError | None = None


def serving(
    at: float, principal: Principal | None = None, turned_away: ServiceError | None = None
) -> None:
    """Let `arrival()` tell this thread from now on that what it does has come `at` this time."""
    _here.arrival = Arrival(at, time.perf_counter() - at, principal, turned_away)


def arrival() -> Arrival:
    """Return the arrival of the call that this thread serves: now, if it serves none."""
    found: Arrival | None = getattr(_here, "arrival", None)
    return found or Arrival(time.perf_counter(), 0.0)


_here = threading.local()

"""Who calls what, until when: all that a service knows about a call, and what it reports of it."""

import time
from dataclasses import dataclass


@dataclass(slots=True)
class Call:
    """One call. `deadline` is on the monotonic clock, None where the caller set none.

    `peer` is the address that it came from, "" if it came from within the process.
    A service adds to `written` how many personas it has made visible, once they are on disk, and
    of a stream notes when it `progressed_at` last, on the monotonic clock. Of a list it
    may tell the `version`, which has risen whenever the list is another one.
    """

    method: str  # "CreatePersona"
    tenant: str
    actor: str
    deadline: float | None = None
    peer: str = ""
    written: int = 0
    progressed_at: float = 0.0
    version: int | None = None

    def timeout(self) -> float | None:
        """Return how many seconds the caller still waits, at least 0; None without a deadline."""
        return None if self.deadline is None else max(self.deadline - time.monotonic(), 0.0)

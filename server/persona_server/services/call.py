"""Who calls what, until when: all that a service knows about a call."""

import time
from typing import NamedTuple


class Call(NamedTuple):
    """One call. `deadline` is on the monotonic clock, None where the caller set none."""

    method: str  # "CreatePersona"
    tenant: str
    actor: str
    deadline: float | None = None

    def timeout(self) -> float | None:
        """Return how many seconds the caller still waits, at least 0; None without a deadline."""
        return None if self.deadline is None else max(self.deadline - time.monotonic(), 0.0)

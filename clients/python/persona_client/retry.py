"""When to try again, and after how long."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom

import grpc

from persona_client.errors import PersonaError

LONGEST = 365 * 86_400.0  # seconds of a call; gRPC can't count some that are much longer
_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with jitter; all times in seconds.

    Try n waits between half and all of `initial` · 2ⁿ, at most `maximum`, and never less than the
    service asked for. `attempts` bounds the tries, None leaves them to the call's deadline.
    """

    initial: float = 0.1
    maximum: float = 2.0
    attempts: int | None = None
    sleep: Callable[[float], None] = time.sleep

    def delay(self, attempt: int, retry_after: float | None) -> float:
        """Return the seconds to wait after try `attempt`, counted from 0."""
        backoff = min(self.initial * 2.0 ** min(attempt, 30), self.maximum)
        return (retry_after or 0.0) + backoff * _random.uniform(0.5, 1.0)


class Backoff:
    """The tries of one call, or of a stream that does not get ahead, within `timeout` seconds.

    The clock runs from the first question for what remains. Raises ValueError for no number;
    infinity is a year.
    """

    def __init__(self, policy: RetryPolicy, timeout: float) -> None:
        if math.isnan(timeout):
            raise ValueError("timeout must be a number of seconds; got nan.")
        self._policy = policy
        self._timeout = min(timeout, LONGEST)
        self.reset()

    def reset(self) -> None:
        """Begin anew: the stream has got ahead."""
        self._attempt = 0
        self._ends: float | None = None

    def remaining(self) -> float:
        """Return the seconds left, at least a millisecond so that a last try is a real one."""
        now = time.monotonic()
        if self._ends is None:
            self._ends = now + self._timeout
        return max(self._ends - now, 0.001)

    def wait(self, error: PersonaError) -> None:
        """Sleep before the next try; raises the error if there should be none."""
        delay = self._policy.delay(self._attempt, error.retry_after)
        self._attempt += 1
        spent = self._policy.attempts is not None and self._attempt >= self._policy.attempts
        if not is_retryable(error) or spent or delay >= self.remaining():
            raise error
        self._policy.sleep(delay)


def is_retryable(error: PersonaError) -> bool:
    """Whether the same request may succeed later: where the service says when, or is not there.

    RESOURCE_EXHAUSTED without a delay will not pass: the message is too large, say.
    """
    return error.retry_after is not None or error.code is grpc.StatusCode.UNAVAILABLE

"""Doing again what the database has taken back: it is as if it had never begun.

A deadlock or a serialization failure says nothing of the work itself: PostgreSQL ends one of those
who stand in each other's way, so that the others get on.
"""

from collections.abc import Callable
from typing import TypeVar

from persona_server import patience
from persona_server.errors import DisturbedError
from persona_server.telemetry.logs import LOGGER

T = TypeVar("T")
TRIES = 5


def until_kept(work: Callable[[], T]) -> T:
    """Return what `work` returns, done again for as long as the database takes it back.

    It must begin anew each time, and change nothing that it reads. Raises CONCURRENT_CHANGE after
    the last try, and DEADLINE_EXCEEDED once nobody waits for another.
    """
    resume = patience.resuming()
    try:
        return work()
    except DisturbedError as error:
        return again_until_kept(work, error, resume)


def again_until_kept(work: Callable[[], T], error: DisturbedError, resume: Callable[[], None]) -> T:
    """Do the same when the first try has ended in an error.

    `resume` lets this thread work for its caller again.
    """
    for _ in range(TRIES - 2):
        _before_another(error, resume)
        try:
            return work()
        except DisturbedError as another:
            error = another
    _before_another(error, resume)
    return work()


def _before_another(error: DisturbedError, resume: Callable[[], None]) -> None:
    LOGGER.info("a transaction was taken back, and is tried again", exc_info=error)
    resume()
    patience.require()

"""Whether anybody still waits for what this thread does, so that long work can end by itself.

A front tells for whom a thread works; a query, a loop or a lock asks whether to go on.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

from persona_server import errors

T = TypeVar("T")
_CHUNK = 100  # items between two questions


# Until when it waits, on the monotonic clock, and whether it has left; None where that is unknown.
_Caller: TypeAlias = tuple[float | None, Callable[[], bool] | None]
_NOBODY: _Caller = (None, None)


class _Here(threading.local):
    caller: _Caller = _NOBODY


_here = _Here()


def begin(deadline: float | None, has_left: Callable[[], bool]) -> None:
    """Work for a caller from now on: until a time on the monotonic clock, unless it has left."""
    _here.caller = deadline, has_left


def end() -> None:
    """Work on, whoever waits: what must be whole, such as taking back what was written."""
    _here.caller = _NOBODY


def resuming() -> Callable[[], None]:
    """Return what lets this thread work for its caller of now again, whatever was said since."""
    waiting = _here.caller

    def resume() -> None:
        _here.caller = waiting

    return resume


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Wait no longer than so many seconds for what a block does, nor than the caller does."""
    resume, until = resuming(), time.monotonic() + seconds
    deadline, has_left = _here.caller
    _here.caller = until if deadline is None else min(until, deadline), has_left
    try:
        yield
    finally:
        resume()


@contextmanager
def ended_by_failure() -> Iterator[None]:
    """Let nothing interrupt what takes a transaction back once the block has failed."""
    try:
        yield
    except BaseException:
        end()
        raise


def is_over() -> bool:
    """Return whether nobody waits any more. Where no caller is known, somebody does."""
    deadline, has_left = _here.caller
    if deadline is not None and deadline <= time.monotonic():
        return True
    return has_left is not None and has_left()


def left() -> float:
    """Return for how many seconds the caller still waits, as far as is known: it may leave."""
    deadline, _ = _here.caller
    return math.inf if deadline is None else deadline - time.monotonic()


def caller() -> Callable[[], bool] | None:
    """Return what says, in any thread, whether this thread's caller is there no more.

    None where no caller is known.
    """
    deadline, has_left = _here.caller
    if deadline is None and has_left is None:
        return None

    def is_gone() -> bool:
        late = deadline is not None and deadline <= time.monotonic()
        return late or (has_left is not None and has_left())

    return is_gone


def require() -> None:
    """Go on only if somebody waits. Raises DEADLINE_EXCEEDED, and what follows is not disturbed."""
    if is_over():
        end()
        raise errors.deadline_exceeded()


def interrupts() -> bool:
    """Return whether to interrupt a query: once, so that its transaction can be taken back."""
    if not is_over():
        return False
    end()
    return True


def while_awaited(items: Sequence[T]) -> Iterator[T]:
    """Yield the items for as long as somebody waits. Raises DEADLINE_EXCEEDED."""
    for start in range(0, len(items), _CHUNK):
        require()
        yield from items[start : start + _CHUNK]

"""Results that are remembered for whoever asks again, bounded by bytes and not by their number.

What a caller sends can be long: five hundred lists of options of 64 KiB would be 32 MiB, in each
place that remembers them.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, TypeVarTuple

MOST = 1 << 19  # characters, or bytes, of what all results of one function follow from
EACH = 200  # what a result costs beside them
_LONGEST = MOST // 4  # of one result: the longest list of options has room, and is repeated

Given = TypeVarTuple("Given")
Key = TypeVar("Key")
Result = TypeVar("Result")
_UNKNOWN: Any = object()


class Remembered(dict[Key, Result]):
    """Results by what they follow from. All are forgotten at once where there is no more room."""

    def __init__(self, most: int = MOST) -> None:
        super().__init__()
        self._most = self._left = most

    def keep(self, key: Key, result: Result, length: int) -> Result:
        """Remember a result, unless it follows from too much; return it.

        `length` is that of what it follows from.
        """
        if length <= _LONGEST:
            if self._left < EACH + length:  # threads may do this at once: it forgets more
                self.clear()
                self._left = self._most
            self._left -= EACH + length
            self[key] = result
        return result


def remembered(call: Callable[[*Given], Result]) -> Callable[[*Given], Result]:
    """Return a function of hashable arguments, given by their places, that remembers results."""
    known = Remembered[tuple[*Given], Result]()

    @wraps(call)
    def answered(*given: *Given) -> Result:
        found: Result = known.get(given, _UNKNOWN)
        if found is _UNKNOWN:
            found = known.keep(given, call(*given), len(repr(given)))
        return found

    return answered

"""Tracebacks in the log: whole once a minute, as a thousand calls may fail in the same way."""

import time
import traceback
from collections import OrderedDict
from types import CodeType

WHOLE_SECONDS = 60.0
KINDS = 256  # that are remembered: the oldest is forgotten, and written whole again

_Raised = tuple[type[BaseException], *tuple[tuple[CodeType, int], ...]]
_Kind = tuple[_Raised, ...]  # an error and what caused it


class Tracebacks:
    """Writes errors: one whole, and more of its kind in brief for a minute."""

    def __init__(self) -> None:
        self._whole: OrderedDict[_Kind, tuple[float, str]] = OrderedDict()

    def text(self, error: BaseException, at: str) -> str:
        """Return what a line says of an error. `at` is the time that the line begins with."""
        errors = _errors(error)
        kind, now = tuple(map(_raised, errors)), time.monotonic()
        since, before = self._whole.get(kind, (-WHOLE_SECONDS, ""))
        if now - since < WHOLE_SECONDS:
            brief = (line for each in errors for line in traceback.format_exception_only(each))
            return f"{''.join(brief)}(whole in the line of {before})\n"
        self._whole[kind] = (now, at)
        self._whole.move_to_end(kind)
        if len(self._whole) > KINDS:
            self._whole.popitem(last=False)
        return "".join(traceback.format_exception(error))


def _errors(error: BaseException) -> list[BaseException]:
    """Return an error behind what caused it, as a traceback has them."""
    errors: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in errors:
        errors.insert(0, each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return errors


def _raised(error: BaseException) -> _Raised:
    """Return the type of an error, and the line of code that raised it, if any did."""
    lines = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return type(error), *lines[-1:]

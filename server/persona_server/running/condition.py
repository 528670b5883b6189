"""How the database is, by what calls and jobs have met: health follows from it."""

import threading
from collections.abc import Callable

from persona_server import errors
from persona_server.errors import ServiceError
from persona_server.storage.engine.faults import FAULTS, KINDS, Effect

_DAMAGED, _FAILING = range(2)
WORDS = 2  # that flags have
_FLAGS = {Effect.RESTART: _DAMAGED, Effect.WRITE: _FAILING}
_EFFECTS = {fault.kind: fault.effect for fault in FAULTS}


def _nothing() -> None:
    pass


class Condition:
    """What was met of the database, by any thread, and by any worker where they share `flags`.

    `met` counts by kind. `worsened` is called when something was met that health must look at now.
    """

    def __init__(self, flags: "memoryview[int] | list[int] | None" = None) -> None:
        self.met = dict.fromkeys(KINDS, 0)
        self.worsened: Callable[[], None] = _nothing
        self._flags = [0] * WORDS if flags is None else flags
        self._counting = threading.Lock()

    @property
    def is_damaged(self) -> bool:
        """Whether damage was met since the start, which only an operator can mend."""
        return bool(self._flags[_DAMAGED])

    @property
    def is_failing(self) -> bool:
        """Whether the disk has failed, and no write has succeeded since it was looked at."""
        return bool(self._flags[_FAILING])

    def is_mended(self) -> None:
        """Note that a write has succeeded."""
        self._flags[_FAILING] = 0

    def meet(self, error: Exception) -> Exception:
        """Note what an error says of the database; return what the caller is told.

        In a damaged database what is unexpected comes of the damage.
        """
        if isinstance(error, ServiceError):
            if error.fault:
                self._note(error.fault)
            return error
        self._count("fault")
        if not self.is_damaged:
            return error
        told = errors.database_damaged()
        told.__cause__ = error
        return told

    def _note(self, kind: str) -> None:
        self._count(kind)
        flag = _FLAGS.get(_EFFECTS[kind])
        if flag is not None and not self._flags[flag]:
            self._flags[flag] = 1
            self.worsened()

    def _count(self, kind: str) -> None:
        with self._counting:
            self.met[kind] += 1

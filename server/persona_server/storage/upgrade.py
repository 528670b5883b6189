"""How far an upgrade of a database is, for whoever waits for it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeAlias

TELL_SECONDS = 5.0  # between two looks at how far it is
DERIVING = "answers"  # the last step, which makes anew what is derived from them


class Upgrade:
    """The way from a schema to that of this code, by the names of migrations, and where it is.

    `done` counts answers within the last step, of which there are `of`.
    """

    def __init__(self, had: list[str], pending: list[str]) -> None:
        self.old = had[-1] if had else ""
        self.new = pending[-1] if pending else self.old
        self.steps = len(pending)
        self.is_due = bool(had and pending)  # a new database is none
        self.number = 0
        self.step = ""
        self.done = self.of = 0

    def begin(self, step: str) -> None:
        """Note that a step begins."""
        self.number += 1
        self.step = step

    def __str__(self) -> str:
        answers = f": {self.done:,} of {self.of:,}" if self.of else ""
        return f"{self.step}{answers}"

    def count(self, answers: int) -> None:
        """Note that so many more answers are done."""
        self.done += answers


Watched: TypeAlias = Callable[[Upgrade], AbstractContextManager[object]]


def unwatched(_upgrade: Upgrade) -> AbstractContextManager[object]:
    """Return what watches an upgrade for nobody."""
    return nullcontext()


@contextmanager
def telling(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` every five seconds of a block, from another thread."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(TELL_SECONDS):
            tell()

    threading.Thread(target=run, name="upgrade", daemon=True).start()
    try:
        yield
    finally:
        ended.set()

"""Pages of questions, of which a call reads and computes a bounded amount."""

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

from google.protobuf.message import Message

from persona_server.measures.answers import Question
from persona_server.services.comparison.selecting import MOST_READ, AskedOf, Selection
from persona_server.services.framing import ELEMENT, frame
from persona_server.services.paging import MAX_PAGE_BYTES
from persona_server.storage.derived.participation import ALL_QUESTIONS

START = ALL_QUESTIONS  # before every position
_CHUNK = 100  # questions in memory at a time, at most; each has 64 KiB of options at most
_LEAST_WORK = 0.0005  # of a page: nothing is for nothing
Item = TypeVar("Item", bound=Message)


class Cost(NamedTuple):
    """What a question takes: how many answers are read, and what share of a page's computing."""

    read: int
    work: float


NOTHING = Cost(0, 0)  # what a question takes that is passed over


class Page(Generic[Item]):
    """The items of a page, and what may still be read and computed for it."""

    def __init__(self, limit: int) -> None:
        self.items: list[Item] = []
        self.last = START  # the position of its last question
        self.is_last = True
        self._limit = limit
        self._bytes = self._read = 0
        self._work = 0.0

    def has_room(self, cost: Cost) -> bool:
        """Return whether a question is of this page, which the first always is; else it ends."""
        self._read += cost.read
        self._work += max(_LEAST_WORK, cost.work)
        within = self._read <= MOST_READ and self._work <= 1
        full = len(self.items) >= self._limit or self._bytes > MAX_PAGE_BYTES // 2
        self.is_last = self.last == START or (within and not full)
        return self.is_last

    def add(self, position: int, item: Item | None) -> None:
        """Add what is said of a question at a position; None for nothing."""
        self.last = position
        if item is not None:
            self.items.append(item)
            self._bytes += item.ByteSize()

    def framed(self) -> bytes:
        """Return the items as the elements of an answer."""
        return b"".join(frame(ELEMENT, item.SerializeToString()) for item in self.items)


def is_asked_for(key: str, question: Question) -> bool:
    """Return whether a question is one of those with a key; "" is no restriction."""
    return key in ("", question.key)


def questions_of(selection: Selection, after: int) -> Iterator[AskedOf]:
    """Yield the questions of a selection behind one."""
    while chunk := selection.questions(after, _CHUNK):
        yield from chunk
        after = chunk[-1].id

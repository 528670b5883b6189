"""The copy of all rows, chunk by chunk, and the comparison at its end."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from persona_server.storage.copying.progress import Progress
from persona_server.storage.copying.tables import Content, Row, Table, contents
from persona_server.storage.engine.database import LOCK_TIMEOUT, Database
from persona_server.storage.engine.errors import refusing_to_open

ROWS, BYTES = 5000, 8 << 20  # of a chunk, at most; its last row may go over


class Step(NamedTuple):
    """How many of a table's rows are copied, and how many there are."""

    table: str
    rows: int
    of: int


class Check(NamedTuple):
    """What a table holds in the source and in the target."""

    table: str
    source: Content
    target: Content

    @property
    def is_equal(self) -> bool:
        """Whether count and hash are the same."""
        return self.source == self.target


class Copier:
    """Copies what is missing in a target, whose tables have the order of the source's."""

    def __init__(
        self, target: Database, progress: Progress, pairs: list[tuple[Table, Table]]
    ) -> None:
        self._target = target
        self._progress = progress
        self._pairs = pairs  # of the source and of the target

    def copy(self) -> Iterator[Step]:
        """Copy all that is not there yet; yield each table at its start and after each chunk."""
        for source, copied in self._pairs:
            done, of = copied.count(), source.count()
            yield Step(source.name, done, of)
            for chunk in chunks(source.rows(self._progress.after(source.name))):
                self._add(copied, chunk)
                done += len(chunk)
                yield Step(source.name, done, of)

    def _add(self, table: Table, chunk: list[Row]) -> None:
        """Add rows and note how far they reach, both or neither."""
        with refusing_to_open(self._target.place), self._target.write(LOCK_TIMEOUT):
            table.add(chunk)
            self._progress.reached(table.name, table.key(chunk[-1]))

    def check(self) -> Iterator[Check]:
        """Compare every table; if all are equal, the copy is finished."""
        are_equal = True
        with self._target.snapshot():
            for source, copied in self._pairs:
                check = Check(source.name, *contents(source, copied))
                are_equal &= check.is_equal
                yield check
        if are_equal:
            with self._target.write(LOCK_TIMEOUT):
                self._progress.end()


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows together: of so many, or of so many bytes."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += sum(len(value) for value in row if isinstance(value, bytes))
        if len(chunk) >= ROWS or size >= BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk

"""The input files of a command, read line by line: each line is an item, or refused."""

import hashlib
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from errno import ENOSPC
from pathlib import Path
from typing import Any, BinaryIO, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from persona_cli.files.json_lines import LineError

OnRead: TypeAlias = Callable[[int], None]  # is told how many bytes were read
_CACHE = 16 << 10  # KiB in memory of the ids of the input


class FromRow(Protocol):
    """What a row was made into."""

    @property
    def cells(self) -> dict[str, Any]:
        """What it was made of."""


Item = TypeVar("Item", bound=FromRow)


class Position(NamedTuple):
    """A line: the index of its file, and its number from 1; or one of several items of it."""

    file: int
    line: int
    part: int = 0  # of the line's items that are none of the first


class Line(NamedTuple, Generic[Item]):
    """What a line stands for, and where it stands."""

    position: Position
    item: Item


class InputFile:
    """A file to read, or standard input. Only a regular file can be read twice."""

    def __init__(self, name: str, key: str = "") -> None:
        """`key` is what a folder calls the one persona of the file, if it is one of a folder's.

        Raises OSError if the file can't be read.
        """
        self.name = "<stdin>" if name == "-" else name
        self.key = key
        self.unit = ""  # what is counted, if not lines
        self._path = None if name == "-" else Path(name)
        self.size: int | None = None
        self.sha256: str | None = None
        if self._path is not None and stat.S_ISREG(self._path.stat().st_mode):
            with naming_errors(self.name), self._path.open("rb") as stream:
                self.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
                self.size = stream.tell()

    @property
    def is_pipe(self) -> bool:
        """Whether it can be read only once."""
        return self.sha256 is None

    def is_at(self, path: str) -> bool:
        """Return whether a path leads to it."""
        return self._path is not None and Path(path).exists() and self._path.samefile(path)

    def place(self, number: int) -> str:
        """Return how a line, a row or an item of it is called; 0 is the whole file."""
        if not number:
            return self.name
        return f"{self.name}, {self.unit} {number}" if self.unit else f"{self.name}:{number}"

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open it for reading."""
        if self._path is None:
            yield sys.stdin.buffer
        else:
            with naming_errors(self.name), self._path.open("rb") as stream:
                yield stream


@contextmanager
def naming_errors(name: str) -> Iterator[None]:
    """Let an error of reading name its file: one without a name is taken for the output's."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno == ENOSPC:  # of a temporary file
            raise
        raise OSError(error.errno, error.strerror, name) from None


class LineReader(Generic[Item]):
    """Reads inputs line by line, in memory that does not grow with them.

    `items` reads one file; `id_of` names what may not repeat ("" may), and
    `repeat_message` is what a line that does is refused with, given {id} and {where}.
    """

    def __init__(
        self,
        inputs: Sequence[InputFile],
        items: Callable[[int, OnRead], Iterator[tuple[int, Item | LineError]]],
        id_of: Callable[[Item], str],
        repeat_message: str = "repeats the id {id} of {where}",
    ) -> None:
        self._inputs = inputs
        self._items = items
        self._id_of = id_of
        self._repeat_message = repeat_message

    def lines(
        self, refuse: Callable[[Position, LineError], None], read: OnRead
    ) -> Iterator[Line[Item]]:
        """Yield every item in order.

        `refuse` is told of each line that cannot be one and why, `read` how many bytes were read.
        """
        with closing(_SeenIds()) as seen:
            for index in range(len(self._inputs)):
                position = Position(index, 0, -1)
                for number, item in self._items(index, read):
                    part = position.part + 1 if number == position.line else 0
                    position = Position(index, number, part)
                    if isinstance(item, LineError):
                        refuse(position, item)
                    elif (known := self._id_of(item)) and not seen.add(known, position):
                        refuse(position, self._repeated(item, seen.first(known)))
                    else:
                        yield Line(position, item)

    def _repeated(self, item: Item, first: Position) -> LineError:
        where = self._inputs[first.file].place(first.line)
        return LineError(self._repeat_message.format(id=self._id_of(item), where=where), item.cells)


class _SeenIds:
    """The ids of the input, in a temporary database that goes to disk when they are many."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # no name: a file of its own
        self._database.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{_CACHE};"
            "BEGIN; CREATE TABLE seen (id TEXT PRIMARY KEY, file, line, part) WITHOUT ROWID"
        )
        self._adding = self._database.cursor()  # one for all, which is half the cost

    def add(self, item_id: str, position: Position) -> bool:
        """Note where an id stands; False if it stood somewhere before."""
        row = (item_id, *position)
        self._adding.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", row)
        return self._adding.rowcount > 0

    def first(self, item_id: str) -> Position:
        """Return where an id stood first."""
        query = "SELECT file, line, part FROM seen WHERE id = ?"
        return Position(*self._database.execute(query, (item_id,)).fetchone())

    def close(self) -> None:
        """Drop the database."""
        self._database.close()

"""The lines of the files to import, streamed, each a persona or a refusal."""

import hashlib
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import apsw

from persona.v1.persona_pb2 import Persona
from persona_server.cli.formats import Format, LineError, format_of, parse_object, persona_of
from persona_server.services.persona_rules import MAX_PERSONA_BYTES

# JSON may write one byte of a text as the six of \u00XX, and names its fields.
MAX_LINE = 6 * MAX_PERSONA_BYTES + (64 << 10)
_BOM = b"\xef\xbb\xbf"


class Place(NamedTuple):
    """A line: the index of its file, and its number from 1."""

    source: int
    line: int


class Line(NamedTuple):
    """A persona, and where it stands."""

    place: Place
    persona: Persona


class Source:
    """A file to import, or standard input. Only a regular file can be read twice."""

    def __init__(self, name: str) -> None:
        """Raises OSError if the file can't be read."""
        self.name = "<stdin>" if name == "-" else name
        self._path = None if name == "-" else Path(name)
        self.size: int | None = None
        self.sha256: str | None = None
        if self._path is not None and stat.S_ISREG(self._path.stat().st_mode):
            with self._path.open("rb") as stream:
                self.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
                self.size = stream.tell()

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open it for reading."""
        if self._path is None:
            yield sys.stdin.buffer
        else:
            with self._path.open("rb") as stream:
                yield stream


class Reader:
    """Reads sources line by line, in memory that does not grow with them."""

    def __init__(self, sources: list[Source], form: Format, *, new_ids: bool) -> None:
        self._sources = sources
        self._form = form
        self._new_ids = new_ids

    def lines(
        self, refuse: Callable[[Place, str], None], read: Callable[[int], None]
    ) -> Iterator[Line]:
        """Yield every persona in order.

        `refuse` is told of each line that cannot be a persona and why, `read` how many bytes were
        read.
        """
        with closing(_SeenIds()) as seen:
            for index, source in enumerate(self._sources):
                with source.opened() as stream:
                    numbered = enumerate(_raw_lines(stream, read), 1)
                    yield from self._of_source(index, numbered, refuse, seen)

    def _of_source(
        self,
        index: int,
        numbered: Iterable[tuple[int, bytes]],
        refuse: Callable[[Place, str], None],
        seen: "_SeenIds",
    ) -> Iterator[Line]:
        form = self._form
        for number, raw in numbered:
            place = Place(index, number)
            try:
                text = (raw.removeprefix(_BOM) if number == 1 else raw).strip()
                if not text:
                    continue
                if len(text) > MAX_LINE:
                    raise LineError(f"is too long: a persona has at most {MAX_PERSONA_BYTES} bytes")
                value = parse_object(text)
                if form is Format.AUTO:
                    form = format_of(value)
                persona = persona_of(value, form)
                self._require_new(persona, place, seen)
            except LineError as error:
                refuse(place, str(error))
                continue
            yield Line(place, persona)

    def _require_new(self, persona: Persona, place: Place, seen: "_SeenIds") -> None:
        if self._new_ids:
            persona.ClearField("id")
        if persona.id and (first := seen.first(persona.id, place)) != place:
            raise LineError(
                f"repeats the id {persona.id} of {self._sources[first.source].name}:{first.line}"
            )


def _raw_lines(stream: BinaryIO, read: Callable[[int], None]) -> Iterator[bytes]:
    """Yield lines; of one that is too long the beginning, still too long."""
    while line := stream.readline(MAX_LINE + 2):
        size = len(line)
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE)
            size += len(rest)
        read(size)
        yield line


class _SeenIds:
    """The ids of the input, in a temporary database that goes to disk when they are many."""

    def __init__(self) -> None:
        self._database = apsw.Connection("")
        self._database.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")
        self._database.execute(
            "CREATE TABLE seen (id TEXT PRIMARY KEY, source INT, line INT) WITHOUT ROWID"
        )

    def first(self, persona_id: str, place: Place) -> Place:
        """Return where an id stood first: at this place if it is new."""
        bindings = (persona_id, *place)
        self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", bindings)
        query = "SELECT source, line FROM seen WHERE id = ?"
        return Place(*self._database.execute(query, (persona_id,)).get)

    def close(self) -> None:
        """Drop the database."""
        self._database.close()

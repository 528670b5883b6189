"""Files of personas: what each is, and the personas of its rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from persona.v1.persona_pb2 import Persona
from persona_cli.files.formats import PersonaFormat, mapping_of, named_format, rules_of
from persona_cli.files.inputs import InputFile, OnRead
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.fields import Rules
from persona_cli.files.layouts.filling import Filler, Origin
from persona_cli.files.layouts.guessing import by_names, guessed
from persona_cli.files.layouts.known import is_header, layout_of
from persona_cli.files.layouts.mapping import Mapping
from persona_cli.files.layouts.user_mapping import UserMapping
from persona_cli.files.tables.opening import open_table
from persona_cli.files.tables.table import Cells, FileError, Reading, Rows, Table

LOOKED_AT = 100  # rows by which a layout is found
_ALL_BROKEN = 3  # rows, if all are, make a file one of another kind
RAW, REFUSED = "_raw", "_refused"  # of a list of refused rows: what was no row, and why


@dataclass(frozen=True, slots=True)
class Options:
    """How files are read."""

    form: PersonaFormat = PersonaFormat.AUTO
    reading: Reading = field(default_factory=Reading)
    said: UserMapping = field(default_factory=UserMapping)
    zone: tzinfo | None = None
    new_ids: bool = False
    is_draft: bool = False  # a layout that is not known may be guessed


@dataclass(frozen=True, slots=True)
class Look:
    """What a file is: its table, the first rows of it, and what becomes of them."""

    table: Table
    rows: list[tuple[int, Cells | LineError]]
    mapping: Mapping

    @property
    def numbered(self) -> list[tuple[int, Cells]]:
        """The rows that are such, with their numbers."""
        return [(n, row) for n, row in self.rows if isinstance(row, dict) and not is_header(row)]

    @property
    def title(self) -> str:
        """What it is, as its user calls it."""
        note = f" ({self.table.note})" if self.table.note else ""
        return f"{self.table.kind}{note}, {self.mapping.name}"


class PersonaRow(NamedTuple):
    """A persona, and the row that it was made of."""

    persona: Persona
    cells: Cells


class PersonaFiles:
    """Reads personas of files. `notes` counts what there is to know of fields."""

    def __init__(self, inputs: Sequence[InputFile], options: Options) -> None:
        self.inputs = inputs
        self.notes: Counter[tuple[str, str]] = Counter()
        self._options = options
        self._looks: dict[int, Look | FileError] = {}
        self._open = ExitStack()  # pipes, which are looked at and read in one go

    def __enter__(self) -> "PersonaFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def look(self, index: int) -> Look:
        """Return what a file is. Raises FileError."""
        if index not in self._looks:
            try:
                self._looks[index] = self._looked(self.inputs[index])
            except FileError as error:
                self._looks[index] = error
        found = self._looks[index]
        if isinstance(found, FileError):
            raise found
        return found

    def persona_of(self, index: int, row: tuple[int, Cells]) -> Persona:
        """Return the persona of a row of a file. Raises LineError, FileError."""
        file, look = self.inputs[index], self.look(index)
        return self._filled(self._filler(look), _origin(file, look), *row)

    def items(self, index: int, read: OnRead) -> Iterator[tuple[int, PersonaRow | LineError]]:
        """Yield the personas of a file by the numbers of their rows, or why one is none.

        What fails for the file as a whole has the number 0.
        """
        file = self.inputs[index]
        try:
            look = self.look(index)
            filler, origin = self._filler(look), _origin(file, look)
            for number, row in self._rows(file, look, read):
                if isinstance(row, LineError):
                    yield number, row
                elif not is_header(row):
                    yield number, self._item(filler, origin, number, row)
        except FileError as error:
            yield 0, LineError(str(error))

    def _item(
        self, filler: Filler, origin: Origin, number: int, row: Cells
    ) -> PersonaRow | LineError:
        try:
            return PersonaRow(self._filled(filler, origin, number, row), row)
        except LineError as error:
            error.source = row
            return error

    def _filled(self, filler: Filler, origin: Origin, number: int, row: Cells) -> Persona:
        if RAW in row:
            raise LineError(f"is still a text that is no row: put its fields in place of {RAW}")
        if REFUSED in row:
            row = {name: cell for name, cell in row.items() if name != REFUSED}
        persona = filler.persona(row, origin._replace(number=number))
        if self._options.new_ids:
            persona.ClearField("id")
        return persona

    def _filler(self, look: Look) -> Filler:
        is_sheet = look.table.is_sheet
        rules = rules_of(look.mapping, Rules(zone=self._options.zone), is_sheet=is_sheet)
        return Filler(look.mapping, rules, self._note, is_sheet=is_sheet)

    def _note(self, name: str, text: str) -> None:
        self.notes[name, text] += 1

    def _looked(self, file: InputFile) -> Look:
        if file.is_pipe:
            stream = self._open.enter_context(file.opened())
            return self._looked_at(file, stream, most=1)
        with file.opened() as stream:
            return self._looked_at(file, stream, most=LOOKED_AT)

    def _looked_at(self, file: InputFile, stream: Any, most: int) -> Look:
        reading = self._options.reading
        table = open_table(stream, reading, lambda _: None, is_pipe=file.is_pipe)
        file.unit = table.unit
        rows = list(islice(table.rows, most))
        while rows and not any(isinstance(row, dict) and not is_header(row) for _, row in rows):
            if not (more := list(islice(table.rows, 1))):
                break
            rows += more
        return Look(table, rows, self._mapping(rows, is_sheet=table.is_sheet))

    def _mapping(self, rows: list[tuple[int, Cells | LineError]], *, is_sheet: bool) -> Mapping:
        cells = [row for _, row in rows if isinstance(row, dict)]
        if not cells:
            _require_some(rows)
        said = self._options.said
        form = named_format(said.layout) if said.layout else self._options.form
        if form is not PersonaFormat.AUTO:
            return said.over(mapping_of(form))
        first = cells[0] if cells else {}
        known = layout_of(first, is_sheet=is_sheet)
        if known is None and cells:
            is_draft = self._options.is_draft
            known = guessed(first) if is_draft else by_names(first, is_sheet=is_sheet)
        mapping = said.over(known or mapping_of(PersonaFormat.JSONL))
        if "full_name" not in mapping.fields:
            raise FileError(_unknown(first))
        return mapping

    def _rows(self, file: InputFile, look: Look, read: OnRead) -> Rows:
        if file.is_pipe:
            yield from chain(look.rows, look.table.rows)
        else:
            with file.opened() as stream:
                yield from open_table(stream, self._options.reading, read, is_pipe=False).rows


def _require_some(rows: list[tuple[int, Cells | LineError]]) -> None:
    """Refuse a file that has nothing but broken rows. Raises FileError."""
    if len(rows) >= _ALL_BROKEN:
        number, row = rows[0]
        raise FileError(f"has no row that can be read: the first one ({number}) {row}")


def _unknown(row: Cells) -> str:
    names = ", ".join(list(row)[:20])
    return (
        f"has a layout that is not known ({names}): --map full_name=COLUMN says what is a name, "
        "and `persona import --explain FILE` drafts a mapping"
    )


def _origin(file: InputFile, look: Look) -> Origin:
    """Return where the rows of a file stand; one alone is called what its folder calls it."""
    path = Path(file.name)
    is_one = len(look.rows) == 1 and look.table.unit == "item"
    return Origin(file=path.stem, folder=path.parent.name, key=file.key if is_one else "")

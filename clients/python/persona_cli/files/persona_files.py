"""Files of personas: what each is, and the personas of its rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple

from persona.v1.persona_pb2 import Persona
from persona_cli.files.formats import PersonaFormat, mapping_of, named_format, rules_of
from persona_cli.files.inputs import InputFile, OnRead
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.fields import Rules
from persona_cli.files.layouts.filling import Filler, Origin
from persona_cli.files.layouts.guessing import by_names, guessed, with_key
from persona_cli.files.layouts.known import is_header, is_persona, layout_of
from persona_cli.files.layouts.mapping import Mapping
from persona_cli.files.layouts.own import OWN
from persona_cli.files.layouts.user_mapping import UserMapping
from persona_cli.files.looked_files import Looked, LookedFiles, NumberedRows, numbered, require_some
from persona_cli.files.tables.table import Cells, FileError, Reading, Table


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
    rows: NumberedRows
    mapping: Mapping

    @property
    def numbered(self) -> list[tuple[int, Cells]]:
        """The rows that are such, with their numbers."""
        return numbered(self.rows)

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
        self._files = LookedFiles(options.reading, is_row=is_persona, waits=options.is_draft)

    def __enter__(self) -> "PersonaFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

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

    def is_sheet(self, index: int) -> bool:
        """Whether the rows of a file are those of a table."""
        try:
            return self.look(index).table.is_sheet
        except FileError:
            return False

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
            for number, row in self._files.rows(file, Looked(look.table, look.rows), read):
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
        table, rows = self._files.look(file)
        return Look(table, rows, self._mapping(rows, is_sheet=table.is_sheet))

    def _mapping(self, rows: NumberedRows, *, is_sheet: bool) -> Mapping:
        cells = [row for _, row in rows if isinstance(row, dict)]
        if not cells:
            require_some(rows)
        said = self._options.said
        if is_sheet and cells and (lacking := said.lacking(cells[0])):
            names = ", ".join(list(cells[0])[:20])
            raise FileError(f"has no column {lacking}, which the mapping names; there are {names}")
        form = named_format(said.layout) if said.layout else self._options.form
        if form is not PersonaFormat.AUTO:
            return said.over(mapping_of(form))
        first = cells[0] if cells else {}
        known = layout_of(first, is_sheet=is_sheet)
        columns = [name for name in first if name not in said.dropped]
        if known is OWN:
            known = with_key(OWN, columns, is_sheet=is_sheet)
        if known is None and cells:
            is_draft = self._options.is_draft
            known = guessed(columns) if is_draft else by_names(columns, is_sheet=is_sheet)
        mapping = said.over(known or mapping_of(PersonaFormat.JSONL))
        if "full_name" not in mapping.fields:
            raise FileError(_unknown(first))
        return mapping


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

"""Files of answers: what each is, and the answers of its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from typing import NamedTuple

from persona_cli.files.answers.answer import Answer, Layout, SimulationResponse, Tally, checked
from persona_cli.files.answers.codebook import Codebook
from persona_cli.files.answers.edsl import EdslResults, is_edsl
from persona_cli.files.answers.long_rows import require_columns
from persona_cli.files.answers.rows import ContractRows, LongRows
from persona_cli.files.answers.wide import WideRows
from persona_cli.files.inputs import InputFile, OnRead
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.known import is_header
from persona_cli.files.looked_files import Looked, LookedFiles, NumberedRows, numbered, require_some
from persona_cli.files.tables.table import Cells, FileError, Reading, Table


class AnswerFormat(StrEnum):
    """What the rows of a file are."""

    AUTO = "auto"
    JSONL = "jsonl"
    CSV = "csv"
    WIDE = "wide"
    EDSL = "edsl"


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How files of answers are read."""

    form: AnswerFormat = AnswerFormat.AUTO
    simulation_id: str = ""  # of answers that name none
    reading: Reading = field(default_factory=Reading)
    zone: tzinfo | None = None
    codebook: Codebook | None = None  # of wide tables


class Look(NamedTuple):
    """What a file is: its table, the first rows of it, and its layout."""

    table: Table
    rows: NumberedRows
    layout: Layout

    @property
    def title(self) -> str:
        """What it is, as its user calls it; "" if there is nothing to say."""
        if not self.table.note and isinstance(self.layout, ContractRows | LongRows):
            return ""
        note = f" ({self.table.note})" if self.table.note else ""
        return f"{self.table.kind}{note}, {self.layout.title}"


class AnswerFiles:
    """Reads answers of files. `tally` has what there is to say beside them."""

    def __init__(self, inputs: Sequence[InputFile], options: AnswerOptions) -> None:
        self.inputs = inputs
        self.tally = Tally()
        self._options = options
        self._looks: dict[int, Look] = {}
        self._files = LookedFiles(options.reading)

    def __enter__(self) -> "AnswerFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def look(self, index: int) -> Look:
        """Return what a file is. Raises FileError."""
        if index not in self._looks:
            self._looks[index] = self._looked(self.inputs[index])
        return self._looks[index]

    def items(
        self, index: int, read: OnRead
    ) -> Iterator[tuple[int, SimulationResponse | LineError]]:
        """Yield the answers of a file by the numbers of their rows, or why one is none.

        What fails for the rest of the file has the number 0.
        """
        try:
            look = self.look(index)
            looked = Looked(look.table, look.rows)
            for number, row in self._files.rows(self.inputs[index], looked, read):
                for item in self._of_row(look.layout, row):
                    yield number, item
        except FileError as error:
            yield 0, LineError(str(error))

    def _of_row(
        self, layout: Layout, row: Cells | LineError
    ) -> Iterator[SimulationResponse | LineError]:
        if isinstance(row, LineError):
            row.count = layout.width
            yield row
        elif not is_header(row):
            try:
                for made in layout.answers(row):
                    yield self._checked(made, row, layout)
            except LineError as error:
                error.source = row
                yield error

    def _checked(
        self, made: Answer | LineError, row: Cells, layout: Layout
    ) -> SimulationResponse | LineError:
        if isinstance(made, LineError):
            return made
        try:
            return checked(made, self._options.simulation_id, row, layout)
        except LineError as error:
            error.source = layout.part(row, made.column)
            return error

    def _looked(self, file: InputFile) -> Look:
        table, rows = self._files.look(file)
        if not numbered(rows):
            require_some(rows)
        cells = [row for _, row in rows if isinstance(row, dict)]
        return Look(table, rows, self._layout(cells, is_sheet=table.is_sheet))

    def _layout(self, rows: list[Cells], *, is_sheet: bool) -> Layout:
        options = self._options
        form = self._form(rows)
        if form is AnswerFormat.JSONL:
            return ContractRows(options.zone, self.tally)
        if form is AnswerFormat.WIDE:
            return self._wide(rows, is_sheet=is_sheet)
        if form is AnswerFormat.EDSL:
            return EdslResults([row for row in rows if not is_header(row)], self.tally)
        if is_sheet and rows:
            _require_columns(rows[0])
        return LongRows(options.zone, self.tally, is_sheet=is_sheet)

    def _form(self, rows: list[Cells]) -> AnswerFormat:
        """Return what rows are, as the user says or by their names. Raises FileError."""
        if self._options.codebook is not None:
            return AnswerFormat.WIDE
        if self._options.form is not AnswerFormat.AUTO:
            return self._options.form
        if any(map(is_edsl, rows)):
            return AnswerFormat.EDSL
        if any({"question_key", "questionKey"} & row.keys() for row in rows) or not rows:
            is_long = any({"kind", "value"} & row.keys() for row in rows)
            return AnswerFormat.CSV if is_long else AnswerFormat.JSONL
        raise FileError(
            f"has a layout that is not known ({', '.join(list(rows[0])[:20])}): a table with a row "
            "for each respondent needs a --codebook, which --draft-codebook drafts"
        )

    def _wide(self, rows: list[Cells], *, is_sheet: bool) -> Layout:
        codebook = self._options.codebook
        if codebook is None:
            raise FileError("is a table of respondents, which needs a --codebook")
        if is_sheet and rows and (missing := [c for c in codebook.columns if c not in rows[0]]):
            raise FileError(f"lacks columns that the codebook names: {', '.join(missing)}")
        return WideRows(codebook, self._options.zone, self.tally)


def _require_columns(row: Cells) -> None:
    try:
        require_columns(row)
    except LineError as error:
        raise FileError(str(error)) from None

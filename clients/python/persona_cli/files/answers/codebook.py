"""A codebook: what the columns of a survey are. TOML, or a table with a row for each column."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona_cli.files.answers.cells import is_blank, text, texts
from persona_cli.files.answers.labels import Labels, labels_in
from persona_cli.files.answers.questions import KINDS, Question, parse_scale
from persona_cli.files.inputs import InputFile
from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.opening import open_table
from persona_cli.files.tables.table import Cells, FileError, Reading
from persona_cli.files.toml_files import read_toml
from persona_cli.terminal.failures import CommandError

# What a column may be beside a question, and the field of a response that it is.
ROLES = {
    "respondent": "persona_external_id",
    "persona_id": "persona_id",
    "simulation_id": "simulation_id",
    "occurred_at": "occurred_at",
    "model": "model",
    "prompt_version": "prompt_version",
}
_COLUMNS = {"question", "key", "kind", "options", "scale", "text", "separator", "themes"}


@dataclass(frozen=True, slots=True)
class Codebook:
    """The columns of a survey: those of fields of a response, by field, and its questions."""

    fields: dict[str, str]
    questions: tuple[Question, ...]

    @property
    def columns(self) -> list[str]:
        """Every column that it names."""
        asked = (each for q in self.questions for each in (q.column, q.themes) if each)
        return [*self.fields.values(), *asked]


def read_codebook(file: str) -> Codebook:
    """Return the codebook of a file. Raises OSError, CommandError."""
    try:
        rows = _toml_rows(file) if Path(file).suffix.lower() == ".toml" else _table_rows(file)
        return _codebook(rows)
    except (LineError, FileError) as error:
        raise CommandError(f"{file}: {error}") from None


def _toml_rows(file: str) -> Iterable[Cells]:
    said = read_toml(file)
    questions = said.pop("questions", {})
    if not isinstance(questions, dict) or not all(isinstance(q, dict) for q in questions.values()):
        raise LineError("must have a table for each question, such as [questions.Q1]")
    yield from ({"question": column, "kind": role} for role, column in said.items())
    yield from ({"question": column, **held} for column, held in questions.items())


def _table_rows(file: str) -> Iterable[Cells]:
    source = InputFile(file)
    with source.opened() as stream:
        table = open_table(stream, Reading(), lambda _: None, is_pipe=source.is_pipe)
        for number, row in table.rows:
            if isinstance(row, LineError):
                raise LineError(f"row {number} {row}")
            yield row


def _codebook(rows: Iterable[Cells]) -> Codebook:
    fields: dict[str, str] = {}
    questions: dict[str, Question] = {}
    for row in rows:
        column, kind = text(row, "question").strip(), text(row, "kind").strip()
        if not column or column in questions or column in fields.values():
            raise LineError(f"names {column!r} twice" if column else "has a row without a question")
        if kind in ROLES and ROLES[kind] not in fields:
            fields[ROLES[kind]] = column
        else:
            questions[column] = _question(column, kind, row)
    if not questions:
        raise LineError("names no question")
    if not {"persona_external_id", "persona_id"} & fields.keys():
        raise LineError("must say which column is the respondent, or the persona_id")
    return Codebook(fields, tuple(questions.values()))


def _question(column: str, kind: str, row: Cells) -> Question:
    try:
        _require_known(kind, row)
        options = texts(row, "options")
        labels = labels_in(options)
        return Question(
            column,
            key=text(row, "key").strip() or column,
            kind=kind,
            options=tuple(labels.values()) or tuple(options),
            scale=_scale(kind, row, labels),
            text=text(row, "text"),
            separator=text(row, "separator"),
            themes=text(row, "themes").strip(),
            labels=labels,
        )
    except LineError as error:
        raise LineError(f"{column}: {error}") from None


def _require_known(kind: str, row: Cells) -> None:
    if kind not in KINDS:
        said: Any = ", ".join((*KINDS, *ROLES))
        raise LineError(f"kind must be one of {said}; got {kind[:40]!r}")
    if unknown := sorted(row.keys() - _COLUMNS):
        raise LineError(f"has {', '.join(unknown)}; there are {', '.join(sorted(_COLUMNS))}")
    if kind in {"choice", "choices"} and is_blank(row, "options"):
        raise LineError(f"a {kind} needs its options")


def _scale(kind: str, row: Cells, labels: Labels) -> tuple[int, int]:
    """Return the scale of a rating, as it is said or from code to code. Raises LineError."""
    if not is_blank(row, "scale"):
        return parse_scale(row["scale"])
    if kind != "rating":
        return 0, 0
    try:
        codes = list(map(int, labels))
    except ValueError:
        raise LineError("options must have whole numbers as codes, for a rating") from None
    if len(codes) < 2:
        raise LineError("a rating needs its scale")
    return min(codes), max(codes)

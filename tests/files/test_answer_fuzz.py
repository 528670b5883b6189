"""Whatever a file of answers holds: no traceback, and each row or cell is counted once."""

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from persona_cli.files.answers.answer_files import AnswerFiles, AnswerOptions
from persona_cli.files.answers.codebook import Codebook
from persona_cli.files.answers.questions import Question
from persona_cli.files.inputs import InputFile
from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.table import FileError

SIMULATION = "0190b5a4-0000-7000-8000-0000000000aa"
PERSONA = "0190b5a4-0000-7000-8000-000000000001"
LONG = (
    "persona_id", "question_key", "kind", "value", "options", "min", "max", "themes", "occurred_at",
)  # fmt: skip
BOOK = Codebook(
    {"persona_external_id": "who", "occurred_at": "when"},
    (
        Question("a", "a", "rating", scale=(1, 5)),
        Question("b", "b", "choices", options=("x", "y")),
        Question("c", "c", "sentiment"),
        Question("d", "d", "text"),
    ),
)
LIKELY = st.sampled_from(
    ["", " ", "1", "4.0", "0,5", "0_5", "true", "rating", "choice", "choices", "text", "x|y", "[1]",
     "['x']", "[[[", "2026-03-01", "0001-01-01T00:00:00+01:00", "9" * 40, "nan", PERSONA, '"'],
)  # fmt: skip
CELLS = LIKELY | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | CELLS
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELLS, inner, max_size=3),
    max_leaves=6,
)


def read(raw: bytes, codebook: Codebook | None = None) -> tuple[int, int, int] | None:
    """Return how many answers are good, refused and skipped; None if it is no file of answers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "answers")
        path.write_bytes(raw)
        options = AnswerOptions(simulation_id=SIMULATION, codebook=codebook)
        with AnswerFiles([InputFile(str(path))], options) as answers:
            try:
                answers.look(0)
            except FileError:
                return None
            items = [item for _, item in answers.items(0, lambda _: None)]
            good = sum(not isinstance(item, LineError) for item in items)
            refused = sum(item.count for item in items if isinstance(item, LineError))
            return good, refused, answers.tally.skipped


def sheet(names: tuple[str, ...], rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([names, *rows])
    return text.getvalue().encode()


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_answers_or_not(raw: bytes) -> None:
    read(raw)
    read(raw, BOOK)


@given(st.lists(st.lists(CELLS, min_size=len(LONG), max_size=len(LONG)), max_size=4))
@settings(max_examples=150, deadline=None)
def test_every_row_of_a_long_table_is_counted_once(rows: list[list[str]]) -> None:
    found = read(sheet(LONG, rows))
    said = [row for row in rows if any(cell.strip() for cell in row)]
    assert found is not None
    assert sum(found) == len(said)


@given(st.lists(st.lists(CELLS, min_size=6, max_size=6), max_size=4))
@settings(max_examples=150, deadline=None)
def test_every_cell_of_a_question_is_counted_once(rows: list[list[str]]) -> None:
    found = read(sheet(("who", "when", "a", "b", "c", "d"), rows), BOOK)
    said = [row for row in rows if any(cell.strip() for cell in row)]
    assert found is not None
    assert sum(found) == len(said) * len(BOOK.questions)


@given(st.lists(st.dictionaries(st.sampled_from([*LONG, "rating", "text"]), VALUES), max_size=4))
@settings(max_examples=150, deadline=None)
def test_every_object_is_counted_once(rows: list[dict[str, Any]]) -> None:
    keyed = [{"question_key": "q", **row} for row in rows]
    found = read(json.dumps(keyed).encode())
    assert found is None or sum(found) == len(keyed)


@given(st.lists(VALUES, max_size=4), VALUES, VALUES)
@settings(max_examples=150, deadline=None)
def test_results_of_edsl_are_answers_or_refused(
    answers: list[Any], kind: Any, options: Any
) -> None:
    asked = {"question_type": kind, "question_options": options}
    for agent in ({"name": "Mira"}, {"name": kind}):
        result = {
            "agent": agent,
            "answer": {f"q{i}": answer for i, answer in enumerate(answers)},
            "question_to_attributes": {f"q{i}": asked for i in range(len(answers))},
        }
        found = read(json.dumps([result]).encode())
        assert found is None or sum(found) == len(answers)

"""Results of EDSL: what was asked, and how, is in the columns of its CSV, or within each result."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from persona.v1.response_pb2 import Response
from persona_cli.files.answers.answer import Answer, Tally
from persona_cli.files.answers.cells import is_blank, text
from persona_cli.files.answers.questions import Question
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.values import held_in, split_texts, text_of, texts_of
from persona_cli.files.tables.table import Cells
from persona_cli.terminal.output import compact_json
from persona_server.validation.limits import TEXTS

# Kinds of answer by EDSL's types of question; those of other types are texts.
_KINDS = {
    "multiple_choice": "choice",
    "yes_no": "choice",
    "likert_five": "choice",
    "dropdown": "choice",
    "checkbox": "choices",
    "top_k": "choices",
    "linear_scale": "rating",
}
_ANSWER = "answer."
_NO_SCENARIO = {"scenario_index", "edsl_version", "edsl_class_name"}


class _Asked(NamedTuple):
    """A question as a result has it."""

    name: str
    answer: Any
    attributes: Cells  # question_text, question_type, question_options
    comment: Any


class EdslResults:
    """Results, of which each holds the answers of one agent."""

    title = "EDSL results"

    def __init__(self, rows: Sequence[Cells], tally: Tally) -> None:
        self._tally = tally
        self.width = max([1, *(sum(1 for _ in _asked(row)) for row in rows[:1])])

    def answers(self, row: Cells) -> Iterator[Answer | LineError]:
        """Yield the answers of a result, or why one is none. Raises LineError about all of them.

        JSON lines hold the survey and a cache as well, which are passed over.
        """
        asked = [one for one in _asked(row) if not is_blank(one._asdict(), "answer")]
        self._tally.skipped += sum(1 for _ in _asked(row)) - len(asked)
        shared = Response(persona_external_id=_of(row, "agent", "agent_name", "name").strip())
        shared.model = _of(row, "model", "model").strip()
        if asked and not shared.persona_external_id:
            error = LineError("has no name of its agent, which is the external id of a persona")
            error.count = len(asked)
            raise error
        for one in asked:
            made = self._answer(one, shared, _apart(row))
            if isinstance(made, LineError):
                made.source = self.part(row, one.name)
            yield made

    def part(self, row: Cells, column: str) -> Cells:
        """Return a result with no other answer than the one that a question names."""
        if _is_nested(row):
            return row | {"answer": {column: row["answer"][column]}}
        return {n: cell for n, cell in row.items() if not _is_answer(n) or n == _ANSWER + column}

    def _answer(self, asked: _Asked, shared: Response, apart: str) -> Answer | LineError:
        response = Response()
        response.CopyFrom(shared)
        try:
            self._question(asked).set_answer(response, {asked.name: asked.answer})
            comment = text(asked._asdict(), "comment")
        except LineError as error:
            return error
        if len(comment.encode()) <= TEXTS["quote"]:
            response.quote = comment
        else:
            self._tally.notes["a comment was too long and left out"] += 1
        return Answer(response, asked.name, apart)

    def _question(self, asked: _Asked) -> Question:
        kind = _KINDS.get(str(asked.attributes.get("question_type", "")), "text")
        options = _options(asked.attributes)
        if kind != "text" and not options:
            kind = "text"
            self._tally.notes[f"{asked.name} names no options, so that its answers are texts"] += 1
        scale = (0, 0)
        if kind == "rating":
            scale = _scale(options)
        return Question(
            asked.name,
            asked.name,
            kind,
            tuple(options),
            scale,
            text(asked.attributes, "question_text"),
        )


def is_edsl(row: Cells) -> bool:
    """Whether a row is a result, as JSON has it or CSV, or says that others are."""
    if row.get("__header__") is True:
        return row.get("edsl_class_name") == "Results"
    return _is_nested(row) or ("agent.agent_name" in row and any(map(_is_answer, row)))


def _is_nested(row: Cells) -> bool:
    return isinstance(row.get("answer"), dict) and isinstance(row.get("agent"), dict)


def _is_answer(column: str) -> bool:
    return column.startswith(_ANSWER)


def _asked(row: Cells) -> Iterator[_Asked]:
    if _is_nested(row):
        known, comments = _held(row, "question_to_attributes"), _held(row, "comments_dict")
        for name, answer in row["answer"].items():
            yield _Asked(name, answer, _held(known, name), comments.get(f"{name}_comment"))
        return
    for column in filter(_is_answer, row):
        name = column.removeprefix(_ANSWER)
        parts = ("question_text", "question_type", "question_options")
        attributes = {part: row.get(f"{part}.{name}_{part}") for part in parts}
        answer = _answer_in(row[column], attributes["question_type"])
        yield _Asked(name, answer, attributes, row.get(f"comment.{name}_comment"))


def _answer_in(cell: Any, question_type: Any) -> Any:
    """Return the list or object of a cell, as JSON has it, unless somebody wrote it."""
    is_unsaid = not question_type or question_type == "free_text"  # it may be of any type in JSON
    is_written = is_unsaid or not isinstance(cell, str)
    return cell if is_written else held_in(cell.strip()) or cell


def _of(row: Cells, part: str, *names: str) -> str:
    """Return what a result says of its agent or model, by the first name. Raises LineError."""
    held = _held(row, part) if _is_nested(row) else {n: row.get(f"{part}.{n}") for n in names}
    return next((text(held, name) for name in names if not is_blank(held, name)), "")


def _apart(row: Cells) -> str:
    """Return what tells a result from others of its agent: the iteration and the scenario."""
    if _is_nested(row):
        scenario, iteration = _held(row, "scenario"), row.get("iteration")
    else:
        scenario = {c.partition(".")[2]: v for c, v in row.items() if c.startswith("scenario.")}
        iteration = row.get("iteration.iteration")
    said = {name: value for name, value in scenario.items() if name not in _NO_SCENARIO and value}
    is_first = str(iteration or 0) == "0"
    return "" if is_first and not said else compact_json([str(iteration or 0), said])


def _held(cells: Cells, name: str) -> Cells:
    found = cells.get(name)
    return found if isinstance(found, dict) else {}


def _options(attributes: Cells) -> list[str]:
    said = attributes.get("question_options")
    return split_texts(text_of(said)) if isinstance(said, str) else texts_of(said) or []


def _scale(options: list[str]) -> tuple[int, int]:
    """Return the ends of a linear scale. Raises LineError."""
    try:
        values = [int(option) for option in options]
    except ValueError:
        raise LineError("question_options must be whole numbers") from None
    return min(values), max(values)

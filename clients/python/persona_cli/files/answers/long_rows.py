"""A long table: a row for each answer. docs/files.md describes its columns."""

from collections.abc import Callable, Iterable
from datetime import tzinfo

from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona_cli.files.answers.cells import is_blank, number, text, texts, time, whole
from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.table import Cells
from persona_server.validation.responses import OUTPUT_ONLY

_REQUIRED = ("persona_id", "question_key", "kind", "value")
_LINES = (
    "id", "simulation_id", "persona_id", "persona_external_id", "question_key", "model",
    "prompt_version", "supersedes",
)  # fmt: skip
_TEXTS = ("question_text", "quote")
# Columns that belong to some kinds of answer alone.
_SCALES = {"choice": {"options"}, "choices": {"options"}, "rating": {"min", "max"}}
_BESIDE = "persona."  # begins the columns of the persona that an export puts beside its answers
_COLUMNS = {*_REQUIRED, *_LINES, *_TEXTS, "options", "min", "max", "themes", "occurred_at"}


def require_columns(names: Iterable[str]) -> None:
    """Refuse a row, or a table, that lacks columns or has others. Raises LineError."""
    there = set(names)
    named = there | {"persona_id"} if "persona_external_id" in there else there
    if missing := [name for name in _REQUIRED if name not in named]:
        raise LineError(f"lacks columns that the first row must name: {', '.join(missing)}")
    unknown = sorted(there - _COLUMNS - OUTPUT_ONLY)
    if unknown := [name for name in unknown if not name.startswith(_BESIDE)]:
        raise LineError(f"has columns that an answer does not have: {', '.join(unknown)}")


def response_of_row(row: Cells, zone: tzinfo | None) -> Response:
    """Return the answer of a row by its columns; a blank cell is an unset field.

    Spaces around what is one line don't count. Raises LineError.
    """
    response = Response()
    for name in _LINES:
        setattr(response, name, text(row, name).strip())
    for name in _TEXTS:
        setattr(response, name, text(row, name))
    _set_answer(response, row)
    response.themes.extend(texts(row, "themes"))
    if not is_blank(row, "occurred_at"):
        response.occurred_at.CopyFrom(time(row, "occurred_at", zone))
    return response


def _set_answer(response: Response, row: Cells) -> None:
    kind = text(row, "kind").strip()
    if kind not in _KINDS:
        raise LineError(f"kind must be one of {', '.join(_KINDS)}; got {kind[:40]!r}")
    for name in sorted({"options", "min", "max"} - _SCALES.get(kind, set())):
        if not is_blank(row, name):
            raise LineError(f"{name} does not belong to a {kind}")
    _KINDS[kind](response, row)


def _set_choice(response: Response, row: Cells) -> None:
    choice = ChoiceAnswer(value=text(row, "value"), options=texts(row, "options"))
    response.choice.CopyFrom(choice)


def _set_choices(response: Response, row: Cells) -> None:
    choices = ChoicesAnswer(values=texts(row, "value"), options=texts(row, "options"))
    response.choices.CopyFrom(choices)


def _set_rating(response: Response, row: Cells) -> None:
    low, value, high = (whole(row, name) for name in ("min", "value", "max"))
    response.rating.CopyFrom(RatingAnswer(value=value, min=low, max=high))


def _set_sentiment(response: Response, row: Cells) -> None:
    response.sentiment = number(row, "value")


def _set_text(response: Response, row: Cells) -> None:
    response.text = text(row, "value")


_KINDS: dict[str, Callable[[Response, Cells], None]] = {
    "choice": _set_choice,
    "choices": _set_choices,
    "rating": _set_rating,
    "sentiment": _set_sentiment,
    "text": _set_text,
}

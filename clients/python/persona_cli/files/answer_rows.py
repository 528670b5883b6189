"""From a row of a CSV file to an answer. docs/api.md describes the columns."""

import json
import re
from collections.abc import Callable

from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona_cli.files.json_lines import LineError
from persona_cli.files.times import parse_time
from persona_server.validation.responses import OUTPUT_ONLY

_REQUIRED = ("persona_id", "question_key", "kind", "value")
_TEXTS = (
    "id", "simulation_id", "persona_id", "persona_external_id", "question_key", "question_text",
    "quote", "model", "prompt_version", "supersedes",
)  # fmt: skip
# Columns that belong to some kinds of answer alone.
_SCALES = {"choice": {"options"}, "choices": {"options"}, "rating": {"min", "max"}}
_COLUMNS = {*_REQUIRED, *_TEXTS, "options", "min", "max", "themes", "occurred_at"}
_WHOLE = re.compile(r"([+-]?\d{1,10})(\.0+)?")  # a program that knows no integers writes 4.0


def response_of_row(row: dict[str, str]) -> Response:
    """Return the answer of a row by its columns; an empty cell is an unset field.

    Raises LineError.
    """
    _require_columns(row)
    response = Response()
    for name in _TEXTS:
        setattr(response, name, row.get(name, ""))
    kind = row["kind"].strip()
    if kind not in _KINDS:
        raise LineError(f"kind must be one of {', '.join(_KINDS)}; got {kind[:40]!r}")
    for name in sorted({"options", "min", "max"} - _SCALES.get(kind, set())):
        if row.get(name):
            raise LineError(f"{name} does not belong to a {kind}")
    try:
        _KINDS[kind](response, row)
    except ValueError as error:
        raise LineError(str(error)) from None
    response.themes.extend(_items(row, "themes"))
    if text := row.get("occurred_at", "").strip():
        try:
            response.occurred_at.FromDatetime(parse_time(text))
        except ValueError as error:
            raise LineError(f"occurred_at {error}") from None
    return response


def _require_columns(row: dict[str, str]) -> None:
    named = {*row, "persona_id"} if "persona_external_id" in row else set(row)
    if missing := [name for name in _REQUIRED if name not in named]:
        raise LineError(f"lacks columns that the first row must name: {', '.join(missing)}")
    if unknown := sorted(row.keys() - _COLUMNS - OUTPUT_ONLY):
        raise LineError(f"has columns that an answer does not have: {', '.join(unknown)}")


def _set_choice(response: Response, row: dict[str, str]) -> None:
    response.choice.CopyFrom(ChoiceAnswer(value=row["value"], options=_items(row, "options")))


def _set_choices(response: Response, row: dict[str, str]) -> None:
    values, options = _items(row, "value"), _items(row, "options")
    response.choices.CopyFrom(ChoicesAnswer(values=values, options=options))


def _set_rating(response: Response, row: dict[str, str]) -> None:
    low, value, high = (_whole(row, name) for name in ("min", "value", "max"))
    response.rating.CopyFrom(RatingAnswer(value=value, min=low, max=high))


def _set_sentiment(response: Response, row: dict[str, str]) -> None:
    try:
        response.sentiment = float(row["value"])
    except ValueError:
        raise LineError(f"value must be a number; got {row['value'][:40]!r}") from None


def _set_text(response: Response, row: dict[str, str]) -> None:
    response.text = row["value"]


_KINDS: dict[str, Callable[[Response, dict[str, str]], None]] = {
    "choice": _set_choice,
    "choices": _set_choices,
    "rating": _set_rating,
    "sentiment": _set_sentiment,
    "text": _set_text,
}


def _items(row: dict[str, str], name: str) -> list[str]:
    """Return the items of a cell: a JSON array, or separated by |."""
    cell = row.get(name, "").strip()
    if not cell.startswith("["):
        return [item.strip() for item in cell.split("|")] if cell else []
    try:
        items = json.loads(cell)
    except ValueError:
        raise LineError(f"{name} starts with [ but is not a JSON array") from None
    if not all(isinstance(item, str) for item in items):
        raise LineError(f"{name} must be a JSON array of strings")
    return list(items)


def _whole(row: dict[str, str], name: str) -> int:
    text = row.get(name, "").strip()
    if not (found := _WHOLE.fullmatch(text)):
        raise LineError(f"{name} must be a whole number; got {text[:40]!r}")
    return int(found[1])

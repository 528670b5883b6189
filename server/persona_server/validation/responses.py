"""What a response must be, and the range of a list of them."""

import time
from collections.abc import Iterable
from typing import Any

from persona_server.errors import Violation
from persona_server.validation.fields import check_line, check_text, check_time, check_uuid

MAX_RESPONSES = 1000
MAX_RESPONSE_BYTES = 64 << 10
FUTURE_SECONDS = 86_400  # so far may a client's clock, or its time zone, be ahead

# A response that a client has read may be sent again: what the server gave it is not looked at.
OUTPUT_ONLY = frozenset(
    {
        "simulation_id",
        "project_id",
        "group_id",
        "library_persona_id",
        "recorded_at",
        "persona_deleted",
    }
)
_LINES = ("model", "prompt_version")
_TEXTS = (("question_text", 4 << 10), ("quote", 8 << 10))
_LINE = 255
_MAX_TEXT = 16 << 10
_MAX_THEMES, _THEME = 50, 128
_MAX_OPTIONS = 500
_DECIMALS = 6
SCOPES = ("simulation_id", "project_id", "persona_id", "library_persona_id")


def check_responses(found: list[Violation], request: Any) -> None:
    """Check and normalise the batch of a RecordResponsesRequest."""
    if not 1 <= len(request.responses) <= MAX_RESPONSES:
        what = f"must hold 1 to {MAX_RESPONSES} responses, holds {len(request.responses)}"
        found.append(Violation("responses", what))
        return
    latest = int(time.time()) + FUTURE_SECONDS
    seen: dict[str, int] = {}
    for i, response in enumerate(request.responses):
        _check_response(found, response, f"responses[{i}]", latest)
        if response.id and seen.setdefault(response.id, i) != i:
            what = f"is the id of responses[{seen[response.id]}] too; ids must not repeat"
            found.append(Violation(f"responses[{i}].id", what))


def response_violations(response: Any, path: str) -> list[Violation]:
    """Check and normalise one response, as it stands at `path`."""
    found: list[Violation] = []
    _check_response(found, response, path, int(time.time()) + FUTURE_SECONDS)
    return found


def check_scope_and_range(found: list[Violation], request: Any) -> None:
    """Check and normalise whose responses a ListResponsesRequest asks for, and of which time."""
    scope = request.WhichOneof("scope")
    if scope is None:
        what = f"is required, or another one of {', '.join(SCOPES)}"
        found.append(Violation(SCOPES[0], what))
    else:
        value = getattr(request, scope)
        check_uuid(found, scope, value, required=True)
        setattr(request, scope, value.lower())
    check_line(found, "question_key", request.question_key, _LINE)
    for name in ("start_time", "end_time"):
        if request.HasField(name):
            check_time(found, name, getattr(request, name))
    if request.HasField("start_time") and request.HasField("end_time"):
        start, end = request.start_time, request.end_time
        if (end.seconds, end.nanos) <= (start.seconds, start.nanos):
            found.append(Violation("end_time", "must be later than start_time"))


def _check_response(found: list[Violation], response: Any, path: str, latest: int) -> None:
    for name in OUTPUT_ONLY:
        response.ClearField(name)
    if response.id:
        check_uuid(found, f"{path}.id", response.id, required=False)
        response.id = response.id.lower()
    check_uuid(found, f"{path}.persona_id", response.persona_id, required=True)
    response.persona_id = response.persona_id.lower()
    if not response.question_key.strip():
        what = f"is required: 1 to {_LINE} characters, not only spaces"
        found.append(Violation(f"{path}.question_key", what))
    check_line(found, f"{path}.question_key", response.question_key, _LINE)
    for name in _LINES:
        if line := getattr(response, name):
            check_line(found, f"{path}.{name}", line, _LINE)
    for name, size in _TEXTS:
        if text := getattr(response, name):
            check_text(found, f"{path}.{name}", text, size)
    if themes := response.themes:
        _check_items(found, f"{path}.themes", themes, _MAX_THEMES, _THEME)
    _check_answer(found, response, path)
    if response.HasField("occurred_at"):
        check_time(found, f"{path}.occurred_at", response.occurred_at)
        if response.occurred_at.seconds > latest:
            what = "must not be more than a day ahead of the server's time"
            found.append(Violation(f"{path}.occurred_at", what))
    if (size := response.ByteSize()) > MAX_RESPONSE_BYTES:
        what = f"must have at most {MAX_RESPONSE_BYTES} bytes on the wire, has {size}"
        found.append(Violation(path, what))


def _check_answer(found: list[Violation], response: Any, path: str) -> None:
    kind = response.WhichOneof("answer")
    if kind == "choice":
        choice = response.choice
        _check_choices(found, f"{path}.choice", choice.options, {"value": choice.value})
    elif kind == "choices":
        values = response.choices.values
        named = {f"values[{i}]": value for i, value in enumerate(values)}
        _check_choices(found, f"{path}.choices", response.choices.options, named)
        _check_distinct(found, f"{path}.choices.values", values)
    elif kind == "rating":
        _check_rating(found, f"{path}.rating", response.rating)
    elif kind == "sentiment":
        _check_sentiment(found, f"{path}.sentiment", response)
    elif kind == "text":
        check_text(found, f"{path}.text", response.text, _MAX_TEXT)
    else:
        what = "is required: one of choice, choices, rating, sentiment, text"
        found.append(Violation(f"{path}.answer", what))


def _check_choices(found: list[Violation], path: str, options: Any, values: dict[str, str]) -> None:
    """Check the options, and that the values, named by their place below `path`, are among them."""
    if not options:
        found.append(Violation(f"{path}.options", "is required: at least one option"))
    _check_items(found, f"{path}.options", options, _MAX_OPTIONS, _LINE)
    _check_distinct(found, f"{path}.options", options)
    for name, value in values.items():
        if value not in options:
            found.append(Violation(f"{path}.{name}", "must be one of the options"))


def _check_distinct(found: list[Violation], path: str, items: Any) -> None:
    if len(set(items)) == len(items):
        return
    seen: dict[str, int] = {}
    for i, item in enumerate(items):
        if (first := seen.setdefault(item, i)) != i:
            found.append(Violation(f"{path}[{i}]", f"is the same as {path}[{first}]"))


def _check_items(
    found: list[Violation], path: str, items: Iterable[str], most: int, limit: int
) -> None:
    count = 0
    for i, item in enumerate(items):
        count += 1
        # The path is made only for an item that may be bad: a thousand answers have many.
        if not item.strip():
            found.append(Violation(f"{path}[{i}]", "must not be empty"))
        if len(item) > limit or not item.isprintable():
            check_line(found, f"{path}[{i}]", item, limit)
    if count > most:
        found.append(Violation(path, f"must hold at most {most}, holds {count}"))


def _check_rating(found: list[Violation], path: str, rating: Any) -> None:
    if rating.min >= rating.max:
        found.append(Violation(f"{path}.min", f"must be below max ({rating.max})"))
    elif not rating.min <= rating.value <= rating.max:
        what = f"must be {rating.min} to {rating.max}, is {rating.value}"
        found.append(Violation(f"{path}.value", what))


def _check_sentiment(found: list[Violation], path: str, response: Any) -> None:
    value = response.sentiment
    if not -1 <= value <= 1:  # NaN is not, either
        found.append(Violation(path, "must be −1 to 1"))
    elif round(value, _DECIMALS) != value:
        found.append(Violation(path, f"must have at most {_DECIMALS} decimals"))
    else:
        response.sentiment = value + 0.0  # −0 becomes 0

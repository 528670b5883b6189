"""What a response must be, and the range of a list of them."""

import time
from collections.abc import Iterable, Sequence

from persona.v1.response_service_pb2 import (
    ListResponsesRequest,
    RatingAnswer,
    RecordResponsesRequest,
    Response,
)
from persona_server.validation.fields import check_line, check_text, check_time, check_uuid
from persona_server.validation.limits import (
    FUTURE_SECONDS,
    LINES,
    LISTS,
    MAX_RESPONSE_BYTES,
    MAX_RESPONSES,
    SENTIMENT_DECIMALS,
    TEXTS,
    Items,
)
from persona_server.validation.violations import Violation

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
_TEXTS = ("question_text", "quote")
SCOPES = ("simulation_id", "project_id", "persona_id", "library_persona_id")


def check_responses(found: list[Violation], request: RecordResponsesRequest) -> None:
    """Check and normalise the batch of a RecordResponsesRequest."""
    if not 1 <= len(request.responses) <= MAX_RESPONSES:
        what = f"must contain 1 to {MAX_RESPONSES} responses, has {len(request.responses)}"
        found.append(Violation("responses", what))
        return
    latest = int(time.time()) + FUTURE_SECONDS
    seen: dict[str, int] = {}
    for i, response in enumerate(request.responses):
        _check_response(found, response, f"responses[{i}]", latest)
        if response.id and seen.setdefault(response.id, i) != i:
            what = f"repeats the id of responses[{seen[response.id]}]"
            found.append(Violation(f"responses[{i}].id", what))


def response_violations(response: Response, path: str) -> list[Violation]:
    """Check and normalise one response, as it stands at `path`."""
    found: list[Violation] = []
    _check_response(found, response, path, int(time.time()) + FUTURE_SECONDS)
    return found


def check_scope_and_range(found: list[Violation], request: ListResponsesRequest) -> None:
    """Check and normalise whose responses a ListResponsesRequest asks for, and of which time."""
    scope = request.WhichOneof("scope")
    if scope is None:
        what = f"is required, or one of {', '.join(SCOPES[1:])} in its place"
        found.append(Violation(SCOPES[0], what))
    else:
        value = getattr(request, scope)
        check_uuid(found, scope, value, required=True)
        setattr(request, scope, value.lower())
    check_line(found, "question_key", request.question_key, LINES["question_key"])
    for name in ("start_time", "end_time"):
        if request.HasField(name):
            check_time(found, name, getattr(request, name))
    if request.HasField("start_time") and request.HasField("end_time"):
        start, end = request.start_time, request.end_time
        if (end.seconds, end.nanos) <= (start.seconds, start.nanos):
            found.append(Violation("end_time", "must be later than start_time"))


def _check_response(found: list[Violation], response: Response, path: str, latest: int) -> None:
    for name in OUTPUT_ONLY:
        response.ClearField(name)  # type: ignore[arg-type]  # the stub wants literal names
    if response.id:
        check_uuid(found, f"{path}.id", response.id, required=False)
        response.id = response.id.lower()
    check_uuid(found, f"{path}.persona_id", response.persona_id, required=True)
    response.persona_id = response.persona_id.lower()
    _check_question(found, response, path)
    _check_answer(found, response, path)
    if response.HasField("occurred_at"):
        check_time(found, f"{path}.occurred_at", response.occurred_at)
        if response.occurred_at.seconds > latest:
            what = "must not be more than a day ahead of the server's time"
            found.append(Violation(f"{path}.occurred_at", what))
    if (size := response.ByteSize()) > MAX_RESPONSE_BYTES:
        what = f"must have at most {MAX_RESPONSE_BYTES} bytes on the wire, has {size}"
        found.append(Violation(path, what))


def _check_question(found: list[Violation], response: Response, path: str) -> None:
    """Check the texts about the question, and those about how the answer was given."""
    limit = LINES["question_key"]
    if not response.question_key.strip():
        what = f"is required: 1 to {limit} characters that are not all spaces"
        found.append(Violation(f"{path}.question_key", what))
    check_line(found, f"{path}.question_key", response.question_key, limit)
    for name in _LINES:
        if line := getattr(response, name):
            check_line(found, f"{path}.{name}", line, LINES[name])
    for name in _TEXTS:
        if text := getattr(response, name):
            check_text(found, f"{path}.{name}", text, TEXTS[name])
    if themes := response.themes:
        _check_items(found, f"{path}.themes", themes, LISTS["themes"])


def _check_answer(found: list[Violation], response: Response, path: str) -> None:
    kind = response.WhichOneof("answer")
    if kind == "choice":
        choice = response.choice
        _check_choices(found, f"{path}.choice", choice.options, {"value": choice.value})
    elif kind == "choices":
        values = response.choices.values
        taken = {f"values[{i}]": value for i, value in enumerate(values)}
        _check_choices(found, f"{path}.choices", response.choices.options, taken)
        _check_distinct(found, f"{path}.choices.values", values)
    elif kind == "rating":
        _check_rating(found, f"{path}.rating", response.rating)
    elif kind == "sentiment":
        _check_sentiment(found, f"{path}.sentiment", response)
    elif kind == "text":
        check_text(found, f"{path}.text", response.text, TEXTS["text"])
    else:
        what = "is required: one of choice, choices, rating, sentiment, text"
        found.append(Violation(f"{path}.answer", what))


def _check_choices(
    found: list[Violation], path: str, options: Sequence[str], values: dict[str, str]
) -> None:
    """Check the options, and that the values, named by their place below `path`, are among them."""
    if not options:
        found.append(Violation(f"{path}.options", "is required: at least one option"))
    _check_items(found, f"{path}.options", options, LISTS["options"])
    _check_distinct(found, f"{path}.options", options)
    for name, value in values.items():
        if value not in options:
            found.append(Violation(f"{path}.{name}", "must be one of the options"))


def _check_distinct(found: list[Violation], path: str, items: Sequence[str]) -> None:
    if len(set(items)) == len(items):
        return
    seen: dict[str, int] = {}
    for i, item in enumerate(items):
        if (first := seen.setdefault(item, i)) != i:
            found.append(Violation(f"{path}[{i}]", f"repeats {path}[{first}]"))


def _check_items(found: list[Violation], path: str, items: Iterable[str], limits: Items) -> None:
    count = 0
    for i, item in enumerate(items):
        count += 1
        # The path is made only for an item that may be bad: a thousand answers have many.
        if not item.strip():
            found.append(Violation(f"{path}[{i}]", "must not be blank"))
        if len(item) > limits.characters or not item.isprintable():
            check_line(found, f"{path}[{i}]", item, limits.characters)
    if count > limits.most:
        found.append(Violation(path, f"must contain at most {limits.most}, has {count}"))


def _check_rating(found: list[Violation], path: str, rating: RatingAnswer) -> None:
    if rating.min >= rating.max:
        found.append(Violation(f"{path}.min", f"must be less than max ({rating.max})"))
    elif not rating.min <= rating.value <= rating.max:
        what = f"must be {rating.min} to {rating.max}, is {rating.value}"
        found.append(Violation(f"{path}.value", what))


def _check_sentiment(found: list[Violation], path: str, response: Response) -> None:
    value = response.sentiment
    if not -1 <= value <= 1:  # NaN is not, either
        found.append(Violation(path, "must be −1 to 1"))
    elif round(value, SENTIMENT_DECIMALS) != value:
        found.append(Violation(path, f"must have at most {SENTIMENT_DECIMALS} decimals"))
    else:
        response.sentiment = value + 0.0  # −0 becomes 0

"""What a response must be, and what a list of them may ask for."""

import time
from collections.abc import Sequence

from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona.v1.response_service_pb2 import (
    ListResponsesRequest,
    RecordResponsesRequest,
    VoidResponsesRequest,
)
from persona_server.validation.fields import (
    check_ids,
    check_items,
    check_line,
    check_name,
    check_text,
    check_time,
    check_uuid,
)
from persona_server.validation.limits import (
    COUNTS,
    FUTURE_SECONDS,
    LINES,
    LISTS,
    MAX_RESPONSE_BYTES,
    MAX_RESPONSES,
    SENTIMENT_DECIMALS,
    TEXTS,
    Items,
)
from persona_server.validation.violations import Violations, found_by

# A response that a client has read may be sent again: what the server gave it is not looked at.
OUTPUT_ONLY = frozenset(
    {
        "simulation_id",
        "project_id",
        "group_id",
        "library_persona_id",
        "recorded_at",
        "persona_deleted",
        "voided_at",
        "void_reason",
    }
)
_LINES = ("model", "prompt_version")
_TEXTS = ("question_text", "quote")
# What a list may name, beside a question; and its orders, "" being the default.
FILTER_IDS = ("simulation_id", "project_id", "group_id", "persona_id", "library_persona_id")
_TIMES = ("occurred_from", "occurred_before", "recorded_after")
ORDERS = ("", "occurred_at", "recorded_at")


def check_responses(found: Violations, request: RecordResponsesRequest) -> None:
    """Check and normalise the batch of a RecordResponsesRequest."""
    _check_names(found, request)
    if not 1 <= len(request.responses) <= MAX_RESPONSES:
        what = f"must contain 1 to {MAX_RESPONSES} responses, has {len(request.responses)}"
        found.add("responses", what)
        return
    latest = int(time.time()) + FUTURE_SECONDS
    seen: dict[str, int] = {}
    for i, response in enumerate(request.responses):
        _check_response(found, response, f"responses[{i}]", latest)
        if response.id and seen.setdefault(response.id, i) != i:
            what = f"repeats the id of responses[{seen[response.id]}]"
            found.add(f"responses[{i}].id", what)
    _check_superseded(found, request.responses)


def _check_superseded(found: Violations, responses: Sequence[Response]) -> None:
    """No two responses take the place of one."""
    seen: dict[str, int] = {}
    for i, response in enumerate(responses):
        if response.supersedes and (first := seen.setdefault(response.supersedes, i)) != i:
            found.add(f"responses[{i}].supersedes", f"repeats that of responses[{first}]")


def check_void(found: Violations, request: VoidResponsesRequest) -> None:
    """Check what is void, and the reason."""
    request.simulation_id = check_uuid(
        found, "simulation_id", request.simulation_id, required=False
    )
    if not request.simulation_id:
        check_ids(found, "response_ids", request.response_ids, MAX_RESPONSES)
    elif request.response_ids:
        found.add("simulation_id", "must be left empty beside response_ids")
    check_name(found, "reason", request.reason, LINES["reason"])


def _check_names(found: Violations, request: RecordResponsesRequest) -> None:
    """Check the simulation's id, and the group's where an external id needs it."""
    request.simulation_id = check_uuid(found, "simulation_id", request.simulation_id, required=True)
    needed = any(response.persona_external_id for response in request.responses)
    request.group_id = check_uuid(found, "group_id", request.group_id, required=needed)


def response_violations(response: Response, path: str) -> Violations:
    """Check and normalise one response, as it stands at `path`."""
    latest = int(time.time()) + FUTURE_SECONDS
    return found_by(lambda found: _check_response(found, response, path, latest))


def check_list(found: Violations, request: ListResponsesRequest) -> None:
    """Check and normalise the filters and the order of a ListResponsesRequest."""
    for name in FILTER_IDS:
        value = check_uuid(found, name, getattr(request, name), required=False)
        setattr(request, name, value)
    check_line(found, "question_key", request.question_key, LINES["question_key"])
    for name in _TIMES:
        if request.HasField(name):  # type: ignore[arg-type]  # the stub wants literal names
            check_time(found, name, getattr(request, name))
    if request.HasField("occurred_from") and request.HasField("occurred_before"):
        start, end = request.occurred_from, request.occurred_before
        if (end.seconds, end.nanos) <= (start.seconds, start.nanos):
            found.add("occurred_before", "must be later than occurred_from")
    if not _has_key(request) and not request.HasField("recorded_after"):
        others = ", ".join((*FILTER_IDS[1:], "question_key", "recorded_after"))
        found.add(FILTER_IDS[0], f"is required, or one of {others} in its place")
    _check_order(found, request)


def order_of(request: ListResponsesRequest) -> tuple[bool, bool]:
    """Return whether a checked request asks for the order of recording, and for the latest first.

    What has no other filter than when it was recorded comes in that order by default.
    """
    default = "occurred_at" if _has_key(request) else "recorded_at"
    name, _, direction = (request.order_by or default).partition(" ")
    return name == "recorded_at", direction == "desc"


def _has_key(request: ListResponsesRequest) -> bool:
    """Return whether a request names whose answers it wants, or to what."""
    return bool(request.question_key) or any(getattr(request, name) for name in FILTER_IDS)


def _check_order(found: Violations, request: ListResponsesRequest) -> None:
    if len(request.order_by) > LINES["order_by"]:
        check_line(found, "order_by", request.order_by, LINES["order_by"])
        return
    request.order_by = " ".join(request.order_by.split())
    name, _, direction = request.order_by.partition(" ")
    if name not in ORDERS or direction not in ("", "desc"):
        what = f'must be one of {", ".join(ORDERS[1:])}, optionally followed by " desc"'
        found.add("order_by", what)
    elif name == "occurred_at" and not _has_key(request):
        found.add("order_by", "must be recorded_at where recorded_after is the only filter")


def _check_response(found: Violations, response: Response, path: str, latest: int) -> None:
    for name in OUTPUT_ONLY:
        response.ClearField(name)  # type: ignore[arg-type]  # the stub wants literal names
    if response.id:
        response.id = check_uuid(found, f"{path}.id", response.id, required=False)
    if response.supersedes:
        where = f"{path}.supersedes"
        response.supersedes = check_uuid(found, where, response.supersedes, required=False)
    where = f"{path}.persona_id"
    if external_id := response.persona_external_id:
        check_name(found, f"{path}.persona_external_id", external_id, LINES["external_id"])
    if external_id and response.persona_id:
        found.add(where, "must be left empty beside a persona_external_id")
    else:
        response.persona_id = check_uuid(
            found, where, response.persona_id, required=not external_id
        )
    _check_question(found, response, path)
    _check_answer(found, response, path)
    if response.HasField("occurred_at"):
        check_time(found, f"{path}.occurred_at", response.occurred_at)
        if response.occurred_at.seconds > latest:
            what = "must not be more than a day ahead of the server's time"
            found.add(f"{path}.occurred_at", what)
    if (size := response.ByteSize()) > MAX_RESPONSE_BYTES:
        what = f"must have at most {MAX_RESPONSE_BYTES} bytes on the wire, has {size}"
        found.add(path, what)


def _check_question(found: Violations, response: Response, path: str) -> None:
    """Check the texts about the question, and those about how the answer was given."""
    check_name(found, f"{path}.question_key", response.question_key, LINES["question_key"])
    for name in _LINES:
        if line := getattr(response, name):
            check_line(found, f"{path}.{name}", line, LINES[name])
    for name in _TEXTS:
        if text := getattr(response, name):
            check_text(found, f"{path}.{name}", text, TEXTS[name])
    if themes := response.themes:
        _check_list(found, f"{path}.themes", themes, LISTS["themes"])


def _check_answer(found: Violations, response: Response, path: str) -> None:
    kind = response.WhichOneof("answer")
    if kind == "choice":
        _check_choice(found, f"{path}.choice", response.choice)
    elif kind == "choices":
        _check_choices(found, f"{path}.choices", response.choices)
    elif kind == "rating":
        _check_rating(found, f"{path}.rating", response.rating)
    elif kind == "sentiment":
        _check_sentiment(found, f"{path}.sentiment", response)
    elif kind == "text":
        check_text(found, f"{path}.text", response.text, TEXTS["text"])
    else:
        what = "is required: one of choice, choices, rating, sentiment, text"
        found.add(f"{path}.answer", what)


def _check_choice(found: Violations, path: str, choice: ChoiceAnswer) -> None:
    options = _checked_options(found, f"{path}.options", choice.options)
    if options is not None and choice.value not in options:
        found.add(f"{path}.value", "must be one of the options")


def _check_choices(found: Violations, path: str, choices: ChoicesAnswer) -> None:
    options = _checked_options(found, f"{path}.options", choices.options)
    where, most = f"{path}.values", COUNTS["values"]
    if len(choices.values) > most:
        found.add(where, f"must contain at most {most}, has {len(choices.values)}")
        return
    values = list(choices.values)
    if options is not None and not options.issuperset(values):
        for i, value in enumerate(values):
            if value not in options:
                found.add(f"{where}[{i}]", "must be one of the options")
    _check_distinct(found, where, values)


def _checked_options(found: Violations, path: str, given: Sequence[str]) -> set[str] | None:
    """Check the options of a choice, and return them; None if there are too many to look at."""
    options = list(given)
    if not options:
        found.add(path, "is required: at least one option")
    if not _check_list(found, path, options, LISTS["options"]):
        return None
    return _check_distinct(found, path, options)


def _check_distinct(found: Violations, path: str, items: Sequence[str]) -> set[str]:
    """No item repeats another. Returns the items."""
    distinct = set(items)
    if len(distinct) < len(items):
        seen: dict[str, int] = {}
        for i, item in enumerate(items):
            if (first := seen.setdefault(item, i)) != i:
                found.add(f"{path}[{i}]", f"repeats {path}[{first}]")
    return distinct


def _check_list(found: Violations, path: str, items: Sequence[str], limits: Items) -> bool:
    """Check the items of a list unless there are too many, and return whether it did."""
    if len(items) > limits.most:
        found.add(path, f"must contain at most {limits.most}, has {len(items)}")
        return False
    check_items(found, path, items, limits.characters)
    return True


def _check_rating(found: Violations, path: str, rating: RatingAnswer) -> None:
    if rating.min >= rating.max:
        found.add(f"{path}.min", f"must be less than max ({rating.max})")
    elif not rating.min <= rating.value <= rating.max:
        what = f"must be {rating.min} to {rating.max}, is {rating.value}"
        found.add(f"{path}.value", what)


def _check_sentiment(found: Violations, path: str, response: Response) -> None:
    value = response.sentiment
    if not -1 <= value <= 1:  # NaN is not, either
        found.add(path, "must be −1 to 1")
    elif round(value, SENTIMENT_DECIMALS) != value:
        found.add(path, f"must have at most {SENTIMENT_DECIMALS} decimals")
    else:
        response.sentiment = value + 0.0  # −0 becomes 0

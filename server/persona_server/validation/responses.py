"""What a response must be, and what a list of them may ask for."""

import time
from collections.abc import Sequence

from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import (
    ListResponsesRequest,
    RecordResponsesRequest,
    VoidResponsesRequest,
)
from persona_server.validation.answers import check_answer, check_limited
from persona_server.validation.fields import (
    are_clean,
    are_uuids,
    check_ids,
    check_line,
    check_name,
    check_text,
    check_time,
    check_uuid,
    is_short,
)
from persona_server.validation.limits import (
    FUTURE_SECONDS,
    LINES,
    LISTS,
    MAX_RESPONSE_BYTES,
    MAX_RESPONSES,
    TEXTS,
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
_SHORTEST_LINE = min(LINES[name] for name in _LINES)
_SHORTEST_TEXT = min(TEXTS[name] for name in _TEXTS)
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
    is_well = _are_well(request.responses)
    seen: dict[str, int] = {}
    for i, response in enumerate(request.responses):
        _check_response(found, response, f"responses[{i}]", latest, is_well=is_well)
        if response.id and seen.setdefault(response.id, i) != i:
            what = f"repeats the id of responses[{seen[response.id]}]"
            found.add(f"responses[{i}].id", what)
    _check_superseded(found, request.responses)


def _are_well(responses: Sequence[Response]) -> bool:
    """Whether nothing is wrong with the ids and with what is said of the questions of a batch.

    Looked at together, since most of it is the same of many. False says that something may be.
    """
    ids = [id for response in responses for id in (response.id, response.persona_id) if id]
    lines = {getattr(response, name) for response in responses for name in _LINES}
    texts = {getattr(response, name) for response in responses for name in _TEXTS}
    keys = {response.question_key for response in responses}
    return (
        are_uuids(ids)
        and all(response.persona_id for response in responses)
        and not any(response.persona_external_id for response in responses)
        and are_clean([*keys], LINES["question_key"])
        and are_clean([line for line in lines if line], _SHORTEST_LINE)
        and all(is_short(text, _SHORTEST_TEXT) for text in texts)
    )


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


def _check_response(
    found: Violations, response: Response, path: str, latest: int, *, is_well: bool = False
) -> None:
    """Check and normalise a response. `is_well` is what `_are_well` found."""
    for name in OUTPUT_ONLY:
        response.ClearField(name)  # type: ignore[arg-type]  # the stub wants literal names
    if response.supersedes:
        where = f"{path}.supersedes"
        response.supersedes = check_uuid(found, where, response.supersedes, required=False)
    if not is_well:
        _check_ids(found, response, path)
        _check_question(found, response, path)
    if themes := response.themes:
        check_limited(found, f"{path}.themes", themes, LISTS["themes"])
    check_answer(found, response, path)
    if response.HasField("occurred_at"):
        check_time(found, f"{path}.occurred_at", response.occurred_at)
        if response.occurred_at.seconds > latest:
            what = "must not be more than a day ahead of the server's time"
            found.add(f"{path}.occurred_at", what)
    if (size := response.ByteSize()) > MAX_RESPONSE_BYTES:
        what = f"must have at most {MAX_RESPONSE_BYTES} bytes on the wire, has {size}"
        found.add(path, what)


def _check_ids(found: Violations, response: Response, path: str) -> None:
    """Check the id of a response, and that of who answered, or what is given in its place."""
    if response.id:
        response.id = check_uuid(found, f"{path}.id", response.id, required=False)
    where = f"{path}.persona_id"
    if external_id := response.persona_external_id:
        check_name(found, f"{path}.persona_external_id", external_id, LINES["external_id"])
    if external_id and response.persona_id:
        found.add(where, "must be left empty beside a persona_external_id")
    else:
        response.persona_id = check_uuid(
            found, where, response.persona_id, required=not external_id
        )


def _check_question(found: Violations, response: Response, path: str) -> None:
    """Check the texts about the question, and those about how the answer was given."""
    check_name(found, f"{path}.question_key", response.question_key, LINES["question_key"])
    for name in _LINES:
        if line := getattr(response, name):
            check_line(found, f"{path}.{name}", line, LINES[name])
    for name in _TEXTS:
        if text := getattr(response, name):
            check_text(found, f"{path}.{name}", text, TEXTS[name])

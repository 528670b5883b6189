"""What a list of responses may ask for, and what may be made void."""

from persona.v1.response_service_pb2 import ListResponsesRequest, VoidResponsesRequest
from persona_server.validation.fields import (
    check_ids,
    check_line,
    check_name,
    check_order,
    check_time,
    check_uuid,
)
from persona_server.validation.limits import LINES, MAX_RESPONSES
from persona_server.validation.violations import Violations

# What a list may name, beside a question; and its orders.
FILTER_IDS = ("simulation_id", "project_id", "group_id", "persona_id", "library_persona_id")
_TIMES = ("occurred_from", "occurred_before", "recorded_after")
ORDERS = ("occurred_at", "recorded_at")


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
    if check_order(found, request, ORDERS) == "occurred_at" and not _has_key(request):
        found.add("order_by", "must be recorded_at where recorded_after is the only filter")


def response_order(request: ListResponsesRequest) -> tuple[bool, bool]:
    """Return whether a checked request asks for the order of recording, and for the latest first.

    What has no other filter than when it was recorded comes in that order by default.
    """
    default = "occurred_at" if _has_key(request) else "recorded_at"
    name, _, direction = (request.order_by or default).partition(" ")
    return name == "recorded_at", direction == "desc"


def _has_key(request: ListResponsesRequest) -> bool:
    """Return whether a request names whose answers it wants, or to what."""
    return bool(request.question_key) or any(getattr(request, name) for name in FILTER_IDS)

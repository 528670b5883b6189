"""What the requests of the LibraryService must be."""

from persona.v1.library_service_pb2 import (
    GetAttitudeTimelineRequest,
    GetReliabilityRequest,
    ListLibraryPersonasRequest,
    MatchLibraryPersonasRequest,
    ReuseLibraryPersonasRequest,
)
from persona_server.validation.fields import check_ids, check_line, check_uuid
from persona_server.validation.limits import LINES, MAX_REUSED
from persona_server.validation.violations import Violations

_PERSONA = ("project_id", "group_id", "persona_id")
# What order_by names → the order of storage.
ORDERS = {
    "reliability": "lower_bound",
    "project_count": "project_count",
    "created_at": "created_at",
}
DEFAULT_ORDER = "reliability desc"


def order_of(order_by: str) -> tuple[str, bool]:
    """Return the order of storage that a checked order_by names, and whether it descends."""
    name, _, direction = (order_by or DEFAULT_ORDER).partition(" ")
    return ORDERS[name], direction == "desc"


def check_individual(found: Violations, request: GetReliabilityRequest) -> None:
    """An individual is named by a persona with its parents, or by a library persona alone."""
    named = [name for name in _PERSONA if getattr(request, name)]
    if named and request.library_persona_id:
        what = f"must not be set together with {named[0]}"
        found.add("library_persona_id", what)
    elif not named and not request.library_persona_id:
        what = "is required, unless project_id, group_id and persona_id are set"
        found.add("library_persona_id", what)
    for name in (*_PERSONA, "library_persona_id"):
        value = getattr(request, name)
        value = check_uuid(found, name, value, required=bool(named) and name in _PERSONA)
        setattr(request, name, value)


def check_list(found: Violations, request: ListLibraryPersonasRequest) -> None:
    """Check and normalise what is a list's own: its bound of reliability and its order."""
    _check_share(found, "min_reliability", request.min_reliability)
    if len(request.order_by) > LINES["order_by"]:
        check_line(found, "order_by", request.order_by, LINES["order_by"])
        return
    order_by = " ".join(request.order_by.split())
    name, _, direction = (order_by or DEFAULT_ORDER).partition(" ")
    if name not in ORDERS or direction not in ("", "desc"):
        what = f'must be one of {", ".join(ORDERS)}, optionally followed by " desc"'
        found.add("order_by", what)
    request.order_by = order_by


def check_match(found: Violations, request: MatchLibraryPersonasRequest) -> None:
    """Check what is a match's own."""
    _check_share(found, "min_score", request.min_score)


def check_reuse(found: Violations, request: ReuseLibraryPersonasRequest) -> None:
    """Check and normalise the individuals to reuse."""
    check_ids(found, "library_persona_ids", request.library_persona_ids, MAX_REUSED)


def check_timeline(found: Violations, request: GetAttitudeTimelineRequest) -> None:
    """Check what is a timeline's own."""
    check_line(found, "question_key", request.question_key, LINES["question_key"])


def _check_share(found: Violations, path: str, value: float) -> None:
    if not 0 <= value <= 1:  # NaN is not, either
        found.add(path, "must be 0 to 1, where 0 is no filter")

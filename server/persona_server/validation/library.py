"""What the requests of the LibraryService must be."""

from persona.v1.library_service_pb2 import (
    GetAttitudeTimelineRequest,
    GetLibraryPersonaAttitudeTimelineRequest,
    ListLibraryPersonasRequest,
    ListReliabilitiesRequest,
    MatchLibraryPersonasRequest,
    PromotePersonasRequest,
    ReuseLibraryPersonasRequest,
)
from persona_server.validation.fields import check_ids, check_line, check_order
from persona_server.validation.limits import LINES, MAX_PROMOTED, MAX_REUSED
from persona_server.validation.violations import Violations

ORDERS = ("lower_bound", "project_count", "created_at")
RELIABILITY_ORDERS = ("coefficient", "lower_bound", "question_count")
DEFAULT_ORDER = "lower_bound desc"


def library_order(order_by: str) -> tuple[str, bool]:
    """Return the order that a checked order_by names, and whether it descends."""
    name, _, direction = (order_by or DEFAULT_ORDER).partition(" ")
    return name, direction == "desc"


def check_list(found: Violations, request: ListLibraryPersonasRequest) -> None:
    """Check and normalise what is a list's own: its lower bound of reliability and its order."""
    _check_share(found, "lower_bound_min", request.lower_bound_min)
    check_order(found, request, ORDERS)


def check_reliabilities(found: Violations, request: ListReliabilitiesRequest) -> None:
    """Check and normalise the order of a group's reliabilities."""
    check_order(found, request, RELIABILITY_ORDERS)


def check_match(found: Violations, request: MatchLibraryPersonasRequest) -> None:
    """Check what is a match's own."""
    _check_share(found, "min_score", request.min_score)


def check_promotions(found: Violations, request: PromotePersonasRequest) -> None:
    """Check and normalise the personas to promote; none stand for a page."""
    if request.persona_ids:
        check_ids(found, "persona_ids", request.persona_ids, MAX_PROMOTED)


def check_reuse(found: Violations, request: ReuseLibraryPersonasRequest) -> None:
    """Check and normalise the individuals to reuse."""
    check_ids(found, "library_persona_ids", request.library_persona_ids, MAX_REUSED)


def check_timeline(
    found: Violations,
    request: GetAttitudeTimelineRequest | GetLibraryPersonaAttitudeTimelineRequest,
) -> None:
    """Check what is a timeline's own."""
    check_line(found, "question_key", request.question_key, LINES["question_key"])


def _check_share(found: Violations, path: str, value: float) -> None:
    if not 0 <= value <= 1:  # NaN is not, either
        found.add(path, "must be 0 to 1, where 0 is no filter")

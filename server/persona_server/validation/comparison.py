"""What the requests of the ComparisonService must be."""

from persona.v1.comparison_pb2 import TargetDistribution
from persona.v1.comparison_service_pb2 import CompareResponsesRequest, SummarizeResponsesRequest
from persona.v1.measures_pb2 import QUESTION_KIND_CHOICE, QUESTION_KIND_RATING, Question
from persona_server.validation.fields import check_items, check_line, check_name, check_uuid
from persona_server.validation.limits import (
    LINES,
    LISTS,
    MOST_COMPARED,
    MOST_POSITIONS,
    MOST_TARGETS,
)
from persona_server.validation.violations import Violations, found_by

_NEAR = 1e-6  # by which the sum of shares may miss 1
_OTHERS = ("other_simulation_id", "other_group_id", "other_model")


def check_selection(found: Violations, request: SummarizeResponsesRequest) -> None:
    """Check and normalise what is selected: without a project it is the library."""
    within = bool(request.simulation_id or request.group_id)
    request.project_id = check_uuid(found, "project_id", request.project_id, required=within)
    simulation_id = check_uuid(found, "simulation_id", request.simulation_id, required=False)
    request.simulation_id = simulation_id
    request.group_id = check_uuid(found, "group_id", request.group_id, required=False)
    check_line(found, "question_key", request.question_key, LINES["question_key"])


def check_comparison(found: Violations, request: CompareResponsesRequest) -> None:
    """Check and normalise what is compared: with another selection, or with targets."""
    request.project_id = check_uuid(found, "project_id", request.project_id, required=True)
    for prefix in ("", "other_"):
        for name in (f"{prefix}simulation_id", f"{prefix}group_id"):
            setattr(request, name, check_uuid(found, name, getattr(request, name), required=False))
        check_line(found, f"{prefix}model", getattr(request, f"{prefix}model"), LINES["model"])
    check_line(found, "question_key", request.question_key, LINES["question_key"])
    given = any(getattr(request, name) for name in _OTHERS)
    if given == bool(request.targets):
        found.add("targets", f"give either targets, or at least one of {', '.join(_OTHERS)}")
    elif len(request.targets) > MOST_TARGETS:
        found.add("targets", f"must contain at most {MOST_TARGETS}, has {len(request.targets)}")
    else:
        for i, target in enumerate(request.targets):
            _check_target(found, f"targets[{i}]", target)


def target_violations(target: TargetDistribution, path: str) -> Violations:
    """Check one target, as it stands at `path`."""
    return found_by(lambda found: _check_target(found, path, target))


def _check_target(found: Violations, path: str, target: TargetDistribution) -> None:
    question, where = target.question, f"{path}.question"
    check_name(found, f"{where}.key", question.key, LINES["question_key"])
    positions = _positions(found, where, question)
    if target.sample_size < 0:
        found.add(f"{path}.sample_size", "must not be negative (0: the shares are exact)")
    if positions and len(target.shares) != positions:
        what = f"must have one share for each of {positions} answers, has {len(target.shares)}"
        found.add(f"{path}.shares", what)
    elif positions and not _are_shares(target):
        total = f"{sum(target.shares):.7g}"
        found.add(f"{path}.shares", f"must be from 0 to 1, and 1 together, but are {total}")


def _positions(found: Violations, path: str, question: Question) -> int:
    """Return how many answers a question has; 0 if it is no question that has a target."""
    if question.kind == QUESTION_KIND_RATING:
        positions = question.max - question.min + 1
        if 1 < positions <= MOST_POSITIONS and not question.options:
            return positions
        found.add(path, f"a rating must have 2 to {MOST_POSITIONS} positions, and no options")
    elif question.kind == QUESTION_KIND_CHOICE:
        options = question.options
        if (
            1 < len(set(options)) == len(options) <= MOST_COMPARED
            and not question.min | question.max
        ):
            check_items(found, f"{path}.options", options, LISTS["options"].characters)
            return len(options)
        found.add(path, f"a choice must have 2 to {MOST_COMPARED} different options, and no bounds")
    else:
        found.add(f"{path}.kind", "must be QUESTION_KIND_CHOICE or QUESTION_KIND_RATING")
    return 0


def _are_shares(target: TargetDistribution) -> bool:
    within = all(0 <= share <= 1 for share in target.shares)
    return within and abs(sum(target.shares) - 1) <= _NEAR

"""What a response must be that is recorded, alone or among the others of a batch.

Nearly always all is well. So of a batch each aspect is looked at in all responses at once, which
takes half the time, and in one after the other only where something may be wrong.
"""

import time
from collections.abc import Callable, Sequence
from itertools import chain
from operator import attrgetter, methodcaller
from typing import NamedTuple

from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import RecordResponsesRequest
from persona_server.validation.answers import answers_are_well, check_answer, check_limited
from persona_server.validation.fields import (
    are_clean,
    are_uuids,
    check_distinct,
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
# Many fields of many responses are read without a step of the interpreter for each.
_own_ids = attrgetter("id", "supersedes")
_question = attrgetter("question_key", *_LINES, *_TEXTS)
_with_presence = {
    name: Response.DESCRIPTOR.fields_by_name[name].has_presence for name in OUTPUT_ONLY
}
_outputs = attrgetter(*[name for name, has in _with_presence.items() if not has])
_has_output = [methodcaller("HasField", name) for name, has in _with_presence.items() if has]


class _Aspect(NamedTuple):
    """What is looked at in responses: in many, whether all is well, and in one, what is wrong.

    `are_well` may be False where nothing is wrong. `check` normalises, too.
    """

    are_well: Callable[[Sequence[Response]], bool]
    check: Callable[[Violations, Response, str], None]


def check_responses(found: Violations, request: RecordResponsesRequest) -> None:
    """Check and normalise the batch of a RecordResponsesRequest."""
    _check_names(found, request)
    responses = list(request.responses)
    if not 1 <= len(responses) <= MAX_RESPONSES:
        what = f"must contain 1 to {MAX_RESPONSES} responses, has {len(responses)}"
        found.add("responses", what)
        return
    unsure = [aspect.check for aspect in _ASPECTS if not aspect.are_well(responses)]
    if unsure:
        for i, response in enumerate(responses):
            for check in unsure:
                check(found, response, f"responses[{i}]")
    ids, superseded = zip(*map(_own_ids, responses), strict=True)
    check_distinct(found, "responses", "id", ids)
    check_distinct(found, "responses", "supersedes", superseded)


def response_violations(response: Response, path: str) -> Violations:
    """Check and normalise one response, as it stands at `path`."""

    def check(found: Violations) -> None:
        for aspect in _ASPECTS:
            aspect.check(found, response, path)

    return found_by(check)


def _check_names(found: Violations, request: RecordResponsesRequest) -> None:
    """Check the simulation's id, and the group's where an external id needs it."""
    request.simulation_id = check_uuid(found, "simulation_id", request.simulation_id, required=True)
    needed = any(response.persona_external_id for response in request.responses)
    request.group_id = check_uuid(found, "group_id", request.group_id, required=needed)


def _lack_output_only(responses: Sequence[Response]) -> bool:
    return not (
        any(chain.from_iterable(map(_outputs, responses)))
        or any(any(map(has, responses)) for has in _has_output)
    )


def _clear_output_only(found: Violations, response: Response, path: str) -> None:  # noqa: ARG001
    for name in OUTPUT_ONLY:
        response.ClearField(name)  # type: ignore[arg-type]  # the stub wants literal names


def _ids_are_well(responses: Sequence[Response]) -> bool:
    personas = set(map(attrgetter("persona_id"), responses))
    own = filter(None, chain.from_iterable(map(_own_ids, responses)))
    external = any(map(attrgetter("persona_external_id"), responses))
    return not external and are_uuids([*own, *personas])


def _check_ids(found: Violations, response: Response, path: str) -> None:
    """Check the id of a response, and that of who answered, or what is given in its place."""
    for name in ("supersedes", "id"):
        if given := getattr(response, name):
            setattr(response, name, check_uuid(found, f"{path}.{name}", given, required=False))
    where = f"{path}.persona_id"
    if external_id := response.persona_external_id:
        check_name(found, f"{path}.persona_external_id", external_id, LINES["external_id"])
    if external_id and response.persona_id:
        found.add(where, "must be left empty beside a persona_external_id")
    else:
        response.persona_id = check_uuid(
            found, where, response.persona_id, required=not external_id
        )


def _questions_are_well(responses: Sequence[Response]) -> bool:
    """Look at distinct texts, since most of them are those of many responses."""
    keys, models, versions, *texts = map(set, zip(*map(_question, responses), strict=True))
    return (
        are_clean([*keys], LINES["question_key"])
        and are_clean([line for line in models | versions if line], _SHORTEST_LINE)
        and all(is_short(text, _SHORTEST_TEXT) for some in texts for text in some)
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


def _themes_are_well(responses: Sequence[Response]) -> bool:
    given = [*map(attrgetter("themes"), responses)]
    most, characters = LISTS["themes"]
    return max(map(len, given)) <= most and are_clean([*{*chain.from_iterable(given)}], characters)


def _check_themes(found: Violations, response: Response, path: str) -> None:
    check_limited(found, f"{path}.themes", response.themes, LISTS["themes"])


def _latest() -> int:
    """Return the last second in which something may have occurred."""
    return int(time.time()) + FUTURE_SECONDS


def _times_are_well(responses: Sequence[Response]) -> bool:
    """Look at them all: one that is not given is as well as 0."""
    times = [*map(attrgetter("occurred_at"), responses)]
    seconds, nanos = zip(*map(attrgetter("seconds", "nanos"), times), strict=True)
    return (
        min(seconds) >= 0
        and max(seconds) <= _latest()
        and min(nanos) >= 0
        and max(nanos) < 1_000_000_000
        and not any(nano % 1000 for nano in nanos)
    )


def _check_time(found: Violations, response: Response, path: str) -> None:
    if response.HasField("occurred_at"):
        check_time(found, f"{path}.occurred_at", response.occurred_at)
        if response.occurred_at.seconds > _latest():
            what = "must not be more than a day ahead of the server's time"
            found.add(f"{path}.occurred_at", what)


def _sizes_are_well(responses: Sequence[Response]) -> bool:
    return max(map(Response.ByteSize, responses)) <= MAX_RESPONSE_BYTES


def _check_size(found: Violations, response: Response, path: str) -> None:
    if (size := response.ByteSize()) > MAX_RESPONSE_BYTES:
        what = f"must have at most {MAX_RESPONSE_BYTES} bytes on the wire, has {size}"
        found.add(path, what)


# In the order in which what is wrong is told. The size is that of what is normalised.
_ASPECTS = (
    _Aspect(_lack_output_only, _clear_output_only),
    _Aspect(_ids_are_well, _check_ids),
    _Aspect(_questions_are_well, _check_question),
    _Aspect(_themes_are_well, _check_themes),
    _Aspect(answers_are_well, check_answer),
    _Aspect(_times_are_well, _check_time),
    _Aspect(_sizes_are_well, _check_size),
)

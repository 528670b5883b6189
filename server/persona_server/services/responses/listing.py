"""What a list of responses asks for, as storage takes it."""

from google.protobuf.timestamp_pb2 import Timestamp

from persona.v1.response_service_pb2 import ListResponsesRequest
from persona_server.services.library.individuals import library_individual
from persona_server.services.parents import (
    group_not_found,
    persona_not_found,
    project_not_found,
)
from persona_server.services.times import micros_of
from persona_server.storage import keys
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.response_lists import WantedResponses
from persona_server.storage.store import Repositories

_JUST_AFTER = 1  # microsecond, the unit of all stored times


def wanted(repositories: Repositories, request: ListResponsesRequest) -> WantedResponses:
    """Return a request's filters. What they name may be deleted, but only a simulation unknown.

    Raises PROJECT_NOT_FOUND, PERSONA_GROUP_NOT_FOUND, PERSONA_NOT_FOUND and
    LIBRARY_PERSONA_NOT_FOUND.
    """
    _require_known(repositories, request)
    origin = None
    if request.library_persona_id:
        origin = library_individual(repositories, request.library_persona_id).origin
    return WantedResponses(
        id_bytes(request.persona_id) or None,
        id_bytes(request.simulation_id) or None,
        id_bytes(request.library_persona_id) or None,
        origin,
        id_bytes(request.group_id) or None,
        request.question_key or None,
        id_bytes(request.project_id) or None,
        _before(request, "occurred_from"),
        _before(request, "occurred_before"),
        _before(request, "recorded_after", _JUST_AFTER),
    )


def _require_known(repositories: Repositories, request: ListResponsesRequest) -> None:
    if request.project_id and repositories.projects.find(id_bytes(request.project_id)) is None:
        raise project_not_found(request.project_id)
    if request.group_id and repositories.groups.find(id_bytes(request.group_id)) is None:
        raise group_not_found(request.group_id, where="")
    persona = id_bytes(request.persona_id)
    if persona and repositories.personas.recorded(persona) is None:
        raise persona_not_found(request.persona_id, where="")


def _before(request: ListResponsesRequest, name: str, later: int = 0) -> bytes | None:
    """Return what stands before every position of a time, or one so many microseconds later.

    None if the time is not set.
    """
    if not request.HasField(name):  # type: ignore[arg-type]  # the stub wants literal names
        return None
    time: Timestamp = getattr(request, name)
    return keys.position(micros_of(time) + later, b"")

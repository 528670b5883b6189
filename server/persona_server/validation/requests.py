"""What a request must be, before anything is looked up: one entry per request message.

`validate` also normalises, so that two requests that mean the same have the same hash.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol, TypeAlias, TypeVar

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from persona.v1 import (
    comparison_service_pb2,
    library_service_pb2,
    persona_service_pb2,
    project_service_pb2,
    response_service_pb2,
    simulation_service_pb2,
)
from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import (
    BatchCreatePersonasRequest,
    CopyPersonasRequest,
    CreatePersonaRequest,
    ImportPersonasRequest,
    ImportStart,
)
from persona_server.validation.columns import AT_ONCE, are_well
from persona_server.validation.comparison import check_comparison, check_selection
from persona_server.validation.fidelity import check_fidelity, check_references
from persona_server.validation.fields import (
    ALL_GROUPS,
    LOWER_UUID,
    check_distinct,
    check_ids,
    check_uuid,
)
from persona_server.validation.filters import check_filters
from persona_server.validation.library import (
    check_list,
    check_match,
    check_promotions,
    check_reliabilities,
    check_reuse,
    check_timeline,
)
from persona_server.validation.limits import MAX_COPIED, MAX_PERSONAS
from persona_server.validation.personas import check_persona
from persona_server.validation.projects import check_group, check_named, check_project
from persona_server.validation.response_lists import check_list as check_response_list
from persona_server.validation.response_lists import check_void
from persona_server.validation.responses import check_responses
from persona_server.validation.simulations import (
    check_questions,
    check_simulation,
    check_simulations,
)
from persona_server.validation.terms import check_terms
from persona_server.validation.unknown import check_unknown
from persona_server.validation.violations import Violations, found_by

_PATH_IDS = (
    "project_id",
    "group_id",
    "source_project_id",
    "source_group_id",
    "persona_id",
    "simulation_id",
    "response_id",
    "library_persona_id",
)

# Adds to a list what is wrong with the request that it is an entry for: see `_own`.
Check: TypeAlias = Callable[[Violations, Any], None]
Request = TypeVar("Request", bound=Message)


class Mutation(Protocol):
    """A request that a retry may repeat."""

    request_id: str


class Paged(Protocol):
    """A request for one page of a list."""

    page_size: int


def validate(request: Message) -> Violations:
    """Check and normalise a parsed request; return what is wrong with it, in order of its checks.

    How large it is stays to be checked by whoever has its bytes: see `limits.MAX_REQUEST_BYTES`.
    """
    return found_by(lambda found: _check(found, request))


def _check(found: Violations, request: Message) -> None:
    check_unknown(found, request)
    for check in _checks_of(request.DESCRIPTOR):
        check(found, request)


@cache
def _checks_of(descriptor: Descriptor) -> tuple[Check, ...]:
    """Return the checks of a type of request: those its field names ask for, then its own."""
    names = {field.name for field in descriptor.fields}
    path = [n for n in _PATH_IDS if n in names and descriptor.name not in _LENIENT]
    generic = [_path_ids(*path)] if path else []
    generic += [check for name, check in _BY_FIELD.items() if name in names]
    return (*generic, *_OWN.get(descriptor.name, ()))


def _path_ids(*names: str) -> Check:
    """Return the check of ids that a request must have.

    One look at all of them is enough for nearly all requests.
    """
    are_well = re.compile("/".join([LOWER_UUID] * len(names)))

    def check(found: Violations, request: Message) -> None:
        ids = [getattr(request, name) for name in names]
        if are_well.fullmatch("/".join(ids)):
            return
        for name, given in zip(names, ids, strict=True):
            setattr(request, name, check_uuid(found, name, given, required=True))

    return check


def _check_request_id(found: Violations, request: Mutation) -> None:
    if request.request_id:
        request.request_id = check_uuid(found, "request_id", request.request_id, required=False)


def _check_page_size(found: Violations, request: Paged) -> None:
    if request.page_size < 0:
        found.add("page_size", "must not be negative (0 asks for the largest page)")


def _check_persona(found: Violations, request: CreatePersonaRequest) -> None:
    if request.HasField("persona"):
        check_persona(found, request.persona, "persona")
    else:
        found.add("persona", "is required")


def _check_batch(found: Violations, request: BatchCreatePersonasRequest) -> None:
    _check_personas(found, request.personas, "personas")


def _check_personas(found: Violations, personas: Sequence[Persona], path: str) -> None:
    """Check the personas of a batch, as they stand at `path`."""
    if not 1 <= len(personas) <= MAX_PERSONAS:
        found.add(path, f"must contain 1 to {MAX_PERSONAS} personas, has {len(personas)}")
        return
    all_of_them = personas[:]  # one object for each, for as long as they are looked at
    for start in range(0, len(personas), AT_ONCE):
        some = all_of_them[start : start + AT_ONCE]
        is_well = are_well(some)
        for i, persona in enumerate(some, start):
            check_persona(found, persona, f"{path}[{i}]", is_well=is_well)
    for name in ("id", "external_id"):
        check_distinct(found, path, name, [getattr(each, name) for each in all_of_them])


def _check_copy(found: Violations, request: CopyPersonasRequest) -> None:
    check_ids(found, "persona_ids", request.persona_ids, MAX_COPIED)
    if request.source_group_id == request.group_id:
        found.add("source_group_id", "must be another group than group_id")


def _check_import(found: Violations, request: ImportPersonasRequest) -> None:
    """Check what can be told without the state of the stream, which the service knows."""
    kind = request.WhichOneof("content")
    if kind is None:
        found.add("start", "is required in the first message, and batch in every later one")
    elif kind == "start":
        _check_start(found, request.start)
    else:
        if request.batch.sequence < 1:
            found.add("batch.sequence", "must be at least 1")
        _check_personas(found, request.batch.personas, "batch.personas")


def _check_start(found: Violations, start: ImportStart) -> None:
    path = "start."
    start.project_id = check_uuid(found, f"{path}project_id", start.project_id, required=True)
    start.group_id = check_uuid(found, f"{path}group_id", start.group_id, required=True)
    start.import_id = check_uuid(found, f"{path}import_id", start.import_id, required=True)


# A list of personas may be of all groups, one of responses has some of several ids, recording needs
# a group only for external ids, a simulation is voided in place of responses, questions are those
# of a project without a simulation, a summary is of the library without a project, what is compared
# may be a whole project, and fidelity that of answers in any simulation.
_LENIENT = {
    persona_service_pb2.ListPersonasRequest.DESCRIPTOR.name,
    response_service_pb2.ListResponsesRequest.DESCRIPTOR.name,
    response_service_pb2.RecordResponsesRequest.DESCRIPTOR.name,
    response_service_pb2.VoidResponsesRequest.DESCRIPTOR.name,
    simulation_service_pb2.ListQuestionsRequest.DESCRIPTOR.name,
    comparison_service_pb2.SummarizeResponsesRequest.DESCRIPTOR.name,
    comparison_service_pb2.CompareResponsesRequest.DESCRIPTOR.name,
    comparison_service_pb2.MeasureFidelityRequest.DESCRIPTOR.name,
    comparison_service_pb2.MeasureGroupFidelityRequest.DESCRIPTOR.name,
}
_BY_FIELD: dict[str, Check] = {
    "request_id": _check_request_id,
    "page_size": _check_page_size,
}


def _own(
    kind: type[Request], *checks: Callable[[Violations, Request], None]
) -> tuple[str, tuple[Check, ...]]:
    """Return the entry of a request type, whose checks are typed as taking it."""
    return kind.DESCRIPTOR.name, checks


_check_project, _check_group = _path_ids("project_id"), _path_ids("project_id", "group_id")


def _check_parents(found: Violations, request: persona_service_pb2.ListPersonasRequest) -> None:
    """Check the parents of a list, which may be of all groups of a project."""
    (_check_project if request.group_id == ALL_GROUPS else _check_group)(found, request)


def _check_ids(found: Violations, request: persona_service_pb2.BatchGetPersonasRequest) -> None:
    check_ids(found, "persona_ids", request.persona_ids, MAX_PERSONAS)


_OWN: dict[str, tuple[Check, ...]] = dict(
    (
        _own(persona_service_pb2.ListPersonasRequest, _check_parents, check_filters, check_terms),
        _own(persona_service_pb2.CountPersonasRequest, check_filters, check_terms),
        _own(persona_service_pb2.BatchGetPersonasRequest, _check_ids),
        _own(persona_service_pb2.ExportPersonasRequest, check_filters, check_terms),
        _own(persona_service_pb2.CreatePersonaRequest, _check_persona),
        _own(persona_service_pb2.BatchCreatePersonasRequest, _check_batch),
        _own(persona_service_pb2.CopyPersonasRequest, _check_copy),
        _own(persona_service_pb2.ImportPersonasRequest, _check_import),
        _own(project_service_pb2.ListProjectsRequest, check_named),
        _own(project_service_pb2.ListPersonaGroupsRequest, check_named),
        _own(project_service_pb2.CreateProjectRequest, check_project),
        _own(project_service_pb2.UpdateProjectRequest, check_project),
        _own(project_service_pb2.CreatePersonaGroupRequest, check_group),
        _own(project_service_pb2.UpdatePersonaGroupRequest, check_group),
        _own(response_service_pb2.RecordResponsesRequest, check_responses),
        _own(response_service_pb2.ListResponsesRequest, check_response_list),
        _own(response_service_pb2.VoidResponsesRequest, check_void),
        _own(simulation_service_pb2.CreateSimulationRequest, check_simulation),
        _own(simulation_service_pb2.UpdateSimulationRequest, check_simulation),
        _own(simulation_service_pb2.ListSimulationsRequest, check_simulations),
        _own(simulation_service_pb2.ListQuestionsRequest, check_questions),
        _own(
            library_service_pb2.ListLibraryPersonasRequest, check_filters, check_terms, check_list
        ),
        _own(library_service_pb2.ListReliabilitiesRequest, check_reliabilities),
        _own(library_service_pb2.MatchLibraryPersonasRequest, check_match),
        _own(library_service_pb2.PromotePersonasRequest, check_promotions),
        _own(library_service_pb2.ReuseLibraryPersonasRequest, check_reuse),
        _own(library_service_pb2.GetAttitudeTimelineRequest, check_timeline),
        _own(library_service_pb2.GetLibraryPersonaAttitudeTimelineRequest, check_timeline),
        _own(comparison_service_pb2.SummarizeResponsesRequest, check_selection),
        _own(comparison_service_pb2.CompareResponsesRequest, check_comparison),
        _own(comparison_service_pb2.RecordReferenceAnswersRequest, check_references),
        _own(comparison_service_pb2.MeasureFidelityRequest, check_fidelity),
        _own(comparison_service_pb2.MeasureGroupFidelityRequest, check_fidelity),
    )
)

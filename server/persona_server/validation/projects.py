"""What a project and a persona group must be, on create and on update."""

from typing import TypeAlias

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from persona.v1.project_pb2 import PersonaGroup, Project
from persona.v1.project_service_pb2 import (
    CreatePersonaGroupRequest,
    CreateProjectRequest,
    ListPersonaGroupsRequest,
    ListProjectsRequest,
    UpdatePersonaGroupRequest,
    UpdateProjectRequest,
)
from persona.v1.simulation_pb2 import Simulation
from persona.v1.simulation_service_pb2 import CreateSimulationRequest, UpdateSimulationRequest
from persona_server.validation.fields import (
    check_ages,
    check_filterable,
    check_line,
    check_name,
    check_text,
    check_uuid,
)
from persona_server.validation.limits import FOLDED, INCOME_LEVELS, LINES, MAX_PATHS, TEXTS
from persona_server.validation.violations import Violations

PROJECT_FIELDS = ("name", "description")
GROUP_FIELDS = (
    "name",
    "description",
    "age_min",
    "age_max",
    "gender",
    "location",
    "occupation",
    "income_level",
    "psychographic_notes",
)
EVERYTHING = "*"  # the mask that replaces the whole (AIP-134)
_SHOWN = 100  # characters of a path that is refused
OPEN = ("All", "Any")  # what leaves a field of a group's definition open, beside ""

ProjectChange: TypeAlias = CreateProjectRequest | UpdateProjectRequest
GroupChange: TypeAlias = CreatePersonaGroupRequest | UpdatePersonaGroupRequest
SimulationChange: TypeAlias = CreateSimulationRequest | UpdateSimulationRequest
Resource: TypeAlias = Project | PersonaGroup | Simulation


def check_project(found: Violations, request: ProjectChange) -> None:
    """Check and normalise the project of a create or an update."""
    require(found, request, "project")
    names = prepared(found, request, request.project, "project", PROJECT_FIELDS)
    if "name" in names:
        check_name(found, "project.name", request.project.name)
    if "description" in names:
        description = request.project.description
        check_text(found, "project.description", description, TEXTS["description"])


def check_group(found: Violations, request: GroupChange) -> None:
    """Check and normalise the group of a create or an update."""
    require(found, request, "persona_group")
    names = prepared(found, request, request.persona_group, "persona_group", GROUP_FIELDS)
    if "name" in names:
        check_name(found, "persona_group.name", request.persona_group.name)
    _check_definition(found, request.persona_group)


def check_named(found: Violations, request: ListProjectsRequest | ListPersonaGroupsRequest) -> None:
    """Check the name that a list is filtered by."""
    check_line(found, "name", request.name, LINES["name"])


def _check_definition(found: Violations, group: PersonaGroup) -> None:
    """Check a group's definition; in it "", "All" and "Any" are open."""
    description, notes = group.description, group.psychographic_notes
    check_text(found, "persona_group.description", description, TEXTS["description"])
    check_ages(found, group, "persona_group.")
    for name in ("gender", "location", "occupation"):
        value = getattr(group, name)
        check_filterable(found, f"persona_group.{name}", value, LINES[name], FOLDED[name])
    if group.income_level not in (*INCOME_LEVELS, *OPEN):
        what = 'must be "Low", "Middle", "High", "All", "Any" or ""'
        found.add("persona_group.income_level", what)
    limit = TEXTS["psychographic_notes"]
    check_text(found, "persona_group.psychographic_notes", notes, limit)


def require(found: Violations, request: Message, name: str) -> None:
    """Add that a create or an update lacks its resource."""
    if not request.HasField(name):
        found.add(name, "is required")


def prepared(
    found: Violations,
    request: ProjectChange | GroupChange | SimulationChange,
    resource: Resource,
    name: str,
    fields: tuple[str, ...],
) -> tuple[str, ...]:
    """Clear what is output only in a resource, and return the fields that the request sets."""
    if isinstance(
        request, UpdateProjectRequest | UpdatePersonaGroupRequest | UpdateSimulationRequest
    ):
        _clear_all_but(resource, fields)
        return _masked(found, request.update_mask, resource, fields)
    _clear_all_but(resource, ("id", *fields))
    if resource.id:
        resource.id = check_uuid(found, f"{name}.id", resource.id, required=False)
    return fields


def _clear_all_but(resource: Message, fields: tuple[str, ...]) -> None:
    for field in resource.DESCRIPTOR.fields:
        if field.name not in fields:
            resource.ClearField(field.name)


def _masked(
    found: Violations, mask: FieldMask, resource: Message, fields: tuple[str, ...]
) -> tuple[str, ...]:
    """Normalise an update's mask to those of `fields` that it names, and return them.

    What else a resource has is set by the server alone, and ignored; what it has not is refused.
    """
    if not mask.paths:  # many clients send an empty mask for none
        mask.paths.extend(field.name for field, _ in resource.ListFields())
    elif mask.paths == [EVERYTHING]:
        mask.paths[:] = fields
    if len(mask.paths) > MAX_PATHS:
        found.add("update_mask", f"must contain at most {MAX_PATHS} paths, has {len(mask.paths)}")
        return ()
    for path in mask.paths:
        if path not in resource.DESCRIPTOR.fields_by_name:
            named, allowed = path[:_SHOWN], ", ".join(fields)
            what = f'contains "{named}", which can\'t be updated (allowed: {allowed})'
            found.add("update_mask", what)
    mask.paths[:] = sorted(set(mask.paths).intersection(fields))
    return tuple(mask.paths)

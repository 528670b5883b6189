"""What a project and a persona group must be, on create and on update."""

from typing import Any

from persona.v1.project_service_pb2 import PersonaGroup, Project
from persona_server.errors import Violation
from persona_server.validation.fields import (
    check_ages,
    check_folded,
    check_line,
    check_name,
    check_text,
    check_uuid,
)
from persona_server.validation.personas import INCOME_LEVELS

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
_OPEN = ("All", "Any")


def check_project(found: list[Violation], request: Any) -> None:
    """Check and normalise the project of a create or an update."""
    _require(found, request, "project", Project, PROJECT_FIELDS)
    names = _named(found, request, "project", PROJECT_FIELDS)
    if "name" in names:
        check_name(found, "project.name", request.project.name)
    if "description" in names:
        check_text(found, "project.description", request.project.description, 4 << 10)


def check_group(found: list[Violation], request: Any) -> None:
    """Check and normalise the group of a create or an update."""
    _require(found, request, "persona_group", PersonaGroup, GROUP_FIELDS)
    names = _named(found, request, "persona_group", GROUP_FIELDS)
    if "name" in names:
        check_name(found, "persona_group.name", request.persona_group.name)
    group_violations(found, request.persona_group)


def group_violations(found: list[Violation], group: PersonaGroup) -> None:
    """Check a group's definition; in it "", "All" and "Any" are open."""
    check_text(found, "persona_group.description", group.description, 4 << 10)
    check_ages(found, group, "persona_group.")
    for name, characters, folded in (
        ("gender", 64, 256),
        ("location", 255, 1020),
        ("occupation", 255, 1020),
    ):
        value = getattr(group, name)
        check_line(found, f"persona_group.{name}", value, characters)
        check_folded(found, f"persona_group.{name}", value, folded)
    if group.income_level not in (*INCOME_LEVELS, *_OPEN):
        what = 'must be "Low", "Middle", "High", "All", "Any" or ""'
        found.append(Violation("persona_group.income_level", what))
    notes = group.psychographic_notes
    check_text(found, "persona_group.psychographic_notes", notes, 16 << 10)


def _require(
    found: list[Violation],
    request: Any,
    name: str,
    kind: type[Project] | type[PersonaGroup],
    fields: tuple[str, ...],
) -> None:
    """Require the resource, and clear what is output only in it."""
    if not request.HasField(name):
        found.append(Violation(name, "is required"))
    resource = getattr(request, name)
    creating = not hasattr(request, "update_mask")
    if creating and resource.id:
        check_uuid(found, f"{name}.id", resource.id, required=False)
        resource.id = resource.id.lower()
    for field in kind.DESCRIPTOR.fields:
        if field.name not in fields and not (creating and field.name == "id"):
            resource.ClearField(field.name)


def _named(
    found: list[Violation], request: Any, name: str, fields: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the fields that a create or an update sets; a mask may name only those it can."""
    if not hasattr(request, "update_mask"):
        return fields
    resource = getattr(request, name)
    if not request.update_mask.paths:  # many clients send an empty mask for none
        populated = [field.name for field, _ in resource.ListFields()]
        request.update_mask.paths.extend(sorted(populated))
    for path in request.update_mask.paths:
        if path not in fields:
            what = f'names "{path}", which can\'t be updated; it can name {", ".join(fields)}'
            found.append(Violation("update_mask", what))
    request.update_mask.paths[:] = sorted(set(request.update_mask.paths))
    return tuple(request.update_mask.paths)

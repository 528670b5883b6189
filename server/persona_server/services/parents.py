"""Refusals for what is not there, outermost parent first."""

from typing import NamedTuple

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.groups import Locked
from persona_server.storage.store import Repositories


class Shown(NamedTuple):
    """The set that a visible group shows, the length of its longest row then, and its version."""

    set_id: int
    longest: int
    version: int


def project_not_found(project_id: str) -> ServiceError:
    """PROJECT_NOT_FOUND: never was, deleted, or another tenant's."""
    return ServiceError(
        errors_pb2.ERROR_REASON_PROJECT_NOT_FOUND,
        f"There is no project {project_id}.",
        metadata={"project_id": project_id},
    )


def group_not_found(group_id: str, where: str = " in this project") -> ServiceError:
    """PERSONA_GROUP_NOT_FOUND in a project that is there, or with `where` "" anywhere."""
    return ServiceError(
        errors_pb2.ERROR_REASON_PERSONA_GROUP_NOT_FOUND,
        f"There is no persona group {group_id}{where}.",
        metadata={"group_id": group_id},
    )


def persona_not_found(persona_id: str, where: str = " in this persona group") -> ServiceError:
    """PERSONA_NOT_FOUND in a group that is there, or with `where` "" anywhere, deleted or not."""
    return ServiceError(
        errors_pb2.ERROR_REASON_PERSONA_NOT_FOUND,
        f"There is no persona {persona_id}{where}.",
        metadata={"persona_id": persona_id},
    )


def response_not_found(response_id: str) -> ServiceError:
    """RESPONSE_NOT_FOUND: never recorded, or another tenant's."""
    return ServiceError(
        errors_pb2.ERROR_REASON_RESPONSE_NOT_FOUND,
        f"There is no response {response_id}.",
        metadata={"response_id": response_id},
    )


def simulation_not_found(simulation_id: str, where: str = " in this project") -> ServiceError:
    """SIMULATION_NOT_FOUND in a project that is there, or with `where` "" anywhere."""
    return ServiceError(
        errors_pb2.ERROR_REASON_SIMULATION_NOT_FOUND,
        f"There is no simulation {simulation_id}{where}.",
        metadata={"simulation_id": simulation_id},
    )


def name_taken(field: str, name: str, resource_id: str) -> ServiceError:
    """ALREADY_EXISTS: another resource of the same parent has this name."""
    return ServiceError(
        errors_pb2.ERROR_REASON_ALREADY_EXISTS,
        f'{field}: the name "{name}" is taken by {resource_id}. Use another name.',
        metadata={"state": "visible", "field": field, "id": resource_id},
    )


def already_exists(
    what: str, field: str, resource_id: str, *, visible: bool, other: str = ""
) -> ServiceError:
    """ALREADY_EXISTS: the id names something else, or something that was deleted.

    `other` is what else it is of, such as "group", where it is not of the one that is meant.
    """
    state = "visible" if visible else "deleted"
    different = f"of another {other}" if other else "with different content"
    owner = f"a visible {what} {different}" if visible else f"a deleted {what}"
    return ServiceError(
        errors_pb2.ERROR_REASON_ALREADY_EXISTS,
        f"{field}: the id {resource_id} is taken by {owner}. "
        "Use another id, or leave it unset to let the server assign one.",
        metadata={"state": state, "field": field, "id": resource_id},
    )


def external_id_taken(path: str, external_id: str) -> ServiceError:
    """ALREADY_EXISTS: another persona of the group has the external id of the item at a path."""
    field = f"{path}.external_id"
    return ServiceError(
        errors_pb2.ERROR_REASON_ALREADY_EXISTS,
        f"{field}: the external id {external_id} is taken by a visible persona of this group with "
        "another id or different content. Use another one, or delete that persona first.",
        metadata={"state": "visible", "field": field, "external_id": external_id},
    )


def lock_group(repositories: Repositories, project_id: str, group_id: str) -> Locked:
    """Lock a group, first in every write to it, or say which parent is missing."""
    # Deleting a project marks its groups too, so a visible group has a visible project.
    locked = repositories.groups.lock(id_bytes(project_id), id_bytes(group_id))
    if locked is None:
        require_project(repositories, project_id)
        raise group_not_found(group_id)
    return locked


def require_group(repositories: Repositories, project_id: str, group_id: str) -> None:
    """Refuse a group that is not visible, or say which parent is missing."""
    require_shown(repositories, project_id, group_id)


def require_shown(repositories: Repositories, project_id: str, group_id: str) -> Shown:
    """Return what a visible group shows, or say which parent is missing."""
    head = repositories.groups.head(id_bytes(project_id), id_bytes(group_id))
    if not head.project:
        raise project_not_found(project_id)
    if head.set_id is None:
        raise group_not_found(group_id)
    return Shown(head.set_id, head.max_framed, head.version)


def require_persona(
    repositories: Repositories, project_id: str, group_id: str, persona_id: str
) -> bytes:
    """Return a visible persona, framed, or say which part of its path is missing."""
    ids = (project_id, group_id, persona_id)
    found = repositories.personas.get(*map(id_bytes, ids))
    if found.framed is not None:
        return found.framed
    if not found.project:
        raise project_not_found(project_id)
    if not found.group:
        raise group_not_found(group_id)
    raise persona_not_found(persona_id)


def require_project(repositories: Repositories, project_id: str) -> None:
    """Refuse a project that is not visible."""
    if not repositories.projects.exists(id_bytes(project_id)):
        raise project_not_found(project_id)

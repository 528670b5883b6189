"""ProjectService: projects and the persona groups in them."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from persona.v1.project_service_pb2 import (
    CreatePersonaGroupRequest,
    CreatePersonaGroupResponse,
    CreateProjectRequest,
    CreateProjectResponse,
    DeletePersonaGroupRequest,
    DeleteProjectRequest,
    GetPersonaGroupRequest,
    GetPersonaGroupResponse,
    GetProjectRequest,
    GetProjectResponse,
    ListPersonaGroupsRequest,
    ListPersonaGroupsResponse,
    ListProjectsRequest,
    ListProjectsResponse,
    PersonaGroup,
    Project,
    UpdatePersonaGroupRequest,
    UpdatePersonaGroupResponse,
    UpdateProjectRequest,
    UpdateProjectResponse,
)
from persona_server.errors import invalid_field
from persona_server.services.call import Call
from persona_server.services.idempotency import Outcome, audit_entry, mutate
from persona_server.services.paging import MAX_PAGE_BYTES, NEWEST, PageTokens, page_limit
from persona_server.services.parents import (
    already_exists,
    group_not_found,
    lock_group,
    project_not_found,
    require_project,
)
from persona_server.storage import keys
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.groups import GroupRow
from persona_server.storage.repositories.projects import ProjectRow
from persona_server.storage.store import Repositories, Store, Transaction
from persona_server.validation.projects import GROUP_FIELDS, PROJECT_FIELDS

Row = TypeVar("Row", ProjectRow, GroupRow)
Resource = TypeVar("Resource", Project, PersonaGroup)


class ProjectService:
    """One method per RPC; each takes the call and a validated request."""

    def __init__(self, store: Store, tokens: PageTokens) -> None:
        self._store = store
        self._tokens = tokens

    def create_project(self, call: Call, request: CreateProjectRequest) -> bytes:
        """Make a project, or return the same one. Raises ALREADY_EXISTS."""

        def effect(repositories: Transaction) -> Outcome:
            wanted, now = request.project, repositories.now
            project = id_bytes(wanted.id or keys.new_id(now))
            found = repositories.projects.find(project)
            if found is not None:
                if found.deleted_at or not _same(wanted, project_message(found), PROJECT_FIELDS):
                    visible = not found.deleted_at
                    raise already_exists("project", "project.id", wanted.id, visible=visible)
                return Outcome(_encode(CreateProjectResponse(project=project_message(found))), None)
            repositories.projects.insert(project, wanted.name, wanted.description, now)
            answer = CreateProjectResponse(project=_project(repositories, id_text(project)))
            return Outcome(_encode(answer), audit_entry(call, request, project_id=project))

        return mutate(self._store, call, request, effect)

    def list_projects(self, call: Call, request: ListProjectsRequest) -> bytes:
        """Return one page of projects, newest first. Raises INVALID_PAGE_TOKEN."""
        before = self._tokens.read(call, request, request.page_token, NEWEST)
        limit = page_limit(request.page_size)
        with self._store.reading(call.tenant) as repositories:
            rows = repositories.projects.page(before, limit + 1)
        answer = ListProjectsResponse()
        last = _fill(answer.projects, rows, limit, project_message)
        if last is not None:
            answer.next_page_token = self._tokens.make(call, request, last)
        return _encode(answer)

    def get_project(self, call: Call, request: GetProjectRequest) -> bytes:
        """Return one project. Raises PROJECT_NOT_FOUND."""
        with self._store.reading(call.tenant) as repositories:
            return _encode(GetProjectResponse(project=_project(repositories, request.project_id)))

    def update_project(self, call: Call, request: UpdateProjectRequest) -> bytes:
        """Change the fields of the mask; an update that changes nothing writes nothing."""

        def effect(repositories: Transaction) -> Outcome:
            stored = _project(repositories, request.project_id)
            wanted = _merged(stored, request.project, request.update_mask.paths)
            changed = wanted != stored
            if changed:
                project = id_bytes(request.project_id)
                name, description = wanted.name, wanted.description
                repositories.projects.update(project, name, description, repositories.now)
            answer = UpdateProjectResponse(project=_project(repositories, request.project_id))
            return Outcome(_encode(answer), audit_entry(call, request) if changed else None)

        return mutate(self._store, call, request, effect)

    def delete_project(self, call: Call, request: DeleteProjectRequest) -> bytes:
        """Mark the project, its groups and their sets in one transaction."""

        def effect(repositories: Transaction) -> Outcome:
            project, now = id_bytes(request.project_id), repositories.now
            if not repositories.projects.mark_deleted(project, now):
                raise project_not_found(request.project_id)
            count = repositories.groups.mark_all_deleted(project, now)
            return Outcome(b"", audit_entry(call, request, persona_count=count))

        return mutate(self._store, call, request, effect)

    def create_persona_group(self, call: Call, request: CreatePersonaGroupRequest) -> bytes:
        """Make a group, or return the same one. Raises ALREADY_EXISTS."""

        def effect(repositories: Transaction) -> Outcome:
            require_project(repositories, request.project_id)
            wanted, now = request.persona_group, repositories.now
            group = id_bytes(wanted.id or keys.new_id(now))
            found = repositories.groups.find(group)
            if found is not None:
                stored = group_message(found)
                same = _same(wanted, stored, GROUP_FIELDS)
                if found.deleted_at or stored.project_id != request.project_id or not same:
                    visible = not found.deleted_at
                    raise already_exists("group", "persona_group.id", wanted.id, visible=visible)
                return Outcome(_encode(CreatePersonaGroupResponse(persona_group=stored)), None)
            project = id_bytes(request.project_id)
            repositories.groups.insert(group, project, _definition(wanted), now)
            stored = _group(repositories, request.project_id, id_text(group))
            answer = CreatePersonaGroupResponse(persona_group=stored)
            return Outcome(_encode(answer), audit_entry(call, request, group_id=group))

        return mutate(self._store, call, request, effect)

    def list_persona_groups(self, call: Call, request: ListPersonaGroupsRequest) -> bytes:
        """Return one page of groups, newest first. Raises INVALID_PAGE_TOKEN."""
        before = self._tokens.read(call, request, request.page_token, NEWEST)
        limit = page_limit(request.page_size)
        with self._store.reading(call.tenant) as repositories:
            require_project(repositories, request.project_id)
            rows = repositories.groups.page(id_bytes(request.project_id), before, limit + 1)
        answer = ListPersonaGroupsResponse()
        last = _fill(answer.persona_groups, rows, limit, group_message)
        if last is not None:
            answer.next_page_token = self._tokens.make(call, request, last)
        return _encode(answer)

    def get_persona_group(self, call: Call, request: GetPersonaGroupRequest) -> bytes:
        """Return one group. Raises PERSONA_GROUP_NOT_FOUND."""
        with self._store.reading(call.tenant) as repositories:
            stored = _group(repositories, request.project_id, request.group_id)
        return _encode(GetPersonaGroupResponse(persona_group=stored))

    def update_persona_group(self, call: Call, request: UpdatePersonaGroupRequest) -> bytes:
        """Change the fields of the mask; an update that changes nothing writes nothing."""

        def effect(repositories: Transaction) -> Outcome:
            lock_group(repositories, request.project_id, request.group_id)
            stored = _group(repositories, request.project_id, request.group_id)
            wanted = _merged(stored, request.persona_group, request.update_mask.paths)
            _require_ages(wanted)
            changed = wanted != stored
            if changed:
                group, now = id_bytes(request.group_id), repositories.now
                repositories.groups.update(group, _definition(wanted), now)
            stored = _group(repositories, request.project_id, request.group_id)
            answer = UpdatePersonaGroupResponse(persona_group=stored)
            return Outcome(_encode(answer), audit_entry(call, request) if changed else None)

        return mutate(self._store, call, request, effect)

    def delete_persona_group(self, call: Call, request: DeletePersonaGroupRequest) -> bytes:
        """Mark the group and its set in one transaction."""

        def effect(repositories: Transaction) -> Outcome:
            locked = lock_group(repositories, request.project_id, request.group_id)
            group, now = id_bytes(request.group_id), repositories.now
            repositories.groups.mark_deleted(group, locked.set_id, now)
            return Outcome(b"", audit_entry(call, request, persona_count=locked.persona_count))

        return mutate(self._store, call, request, effect)


def project_message(row: ProjectRow) -> Project:
    """Return a stored project as the contract shows it."""
    return Project(
        id=id_text(row.id),
        name=row.name,
        description=row.description,
        created_at=_timestamp(row.created_at),
        updated_at=_timestamp(row.updated_at),
        persona_group_count=row.group_count,
    )


def group_message(row: GroupRow) -> PersonaGroup:
    """Return a stored group as the contract shows it."""
    group = PersonaGroup.FromString(row.definition)
    group.id, group.project_id = id_text(row.id), id_text(row.project_id)
    group.persona_count = row.persona_count
    group.created_at.CopyFrom(_timestamp(row.created_at))
    group.updated_at.CopyFrom(_timestamp(row.updated_at))
    return group


def _project(repositories: Repositories, project_id: str) -> Project:
    row = repositories.projects.find(id_bytes(project_id))
    if row is None or row.deleted_at:
        raise project_not_found(project_id)
    return project_message(row)


def _group(repositories: Repositories, project_id: str, group_id: str) -> PersonaGroup:
    require_project(repositories, project_id)
    row = repositories.groups.find(id_bytes(group_id))
    if row is None or row.deleted_at or row.project_id != id_bytes(project_id):
        raise group_not_found(group_id)
    return group_message(row)


def _definition(group: PersonaGroup) -> bytes:
    """Return the encoded group without what its row holds in columns of its own."""
    bare = PersonaGroup()
    for name in GROUP_FIELDS:
        setattr(bare, name, getattr(group, name))
    return bare.SerializeToString(deterministic=True)


def _same(one: Resource, other: Resource, fields: Iterable[str]) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def _merged(stored: Resource, given: Resource, paths: Iterable[str]) -> Resource:
    """Return the stored resource with the fields of the mask as given."""
    wanted = type(stored)()
    wanted.CopyFrom(stored)
    for name in paths:
        setattr(wanted, name, getattr(given, name))
    return wanted


def _require_ages(group: PersonaGroup) -> None:
    """An update may name one bound only, so both are compared once they are merged."""
    if group.age_max and group.age_min > group.age_max:
        raise invalid_field("persona_group.age_min", "must not be above age_max")


def _fill(
    answer: Any, rows: list[Row], limit: int, message_of: Callable[[Row], Any]
) -> bytes | None:
    """Fill a page with at most `limit` rows and 3 MiB; return its last position if more follow."""
    size = 0
    for i, row in enumerate(rows):
        message = message_of(row)
        size += message.ByteSize() + 5  # tag and length
        if i == limit or (i and size > MAX_PAGE_BYTES):
            previous = rows[i - 1]
            return keys.position(previous.created_at, previous.id)
        answer.append(message)
    return None


def _timestamp(micros: int) -> Timestamp:
    seconds, rest = divmod(micros, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def _encode(message: Message) -> bytes:
    return message.SerializeToString()

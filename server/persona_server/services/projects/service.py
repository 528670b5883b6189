"""ProjectService: projects and the persona groups in them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from persona.v1.project_pb2 import PersonaGroup, Project
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
    ListProjectsRequest,
    UpdatePersonaGroupRequest,
    UpdatePersonaGroupResponse,
    UpdateProjectRequest,
    UpdateProjectResponse,
)
from persona_server.errors import invalid
from persona_server.services.call import Call
from persona_server.services.framing import ELEMENT, frame
from persona_server.services.idempotency import Outcome, audit_entry, mutate
from persona_server.services.paging import NEWEST, PageTokens, fitting, page_limit
from persona_server.services.parents import (
    already_exists,
    group_not_found,
    lock_group,
    project_not_found,
    require_project,
)
from persona_server.services.projects.messages import (
    definition,
    group_message,
    merged,
    project_message,
    same,
)
from persona_server.storage import keys
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.groups import GroupRow
from persona_server.storage.repositories.projects import ProjectRow
from persona_server.storage.store import Repositories, Store, Transaction
from persona_server.validation.fields import check_age_order
from persona_server.validation.projects import GROUP_FIELDS, PROJECT_FIELDS
from persona_server.validation.violations import Violations

Row = TypeVar("Row", ProjectRow, GroupRow)


class ProjectService:
    """One method per RPC; each takes the call and a validated request."""

    def __init__(self, store: Store, tokens: PageTokens) -> None:
        self._store = store
        self._tokens = tokens

    def create_project(self, call: Call, request: CreateProjectRequest) -> bytes:
        """Make a project, or return the same one. Raises ALREADY_EXISTS."""

        def effect(repositories: Transaction) -> Outcome:
            wanted, now = request.project, repositories.now
            project = id_bytes(wanted.id or repositories.new_id())
            found = repositories.projects.find(project)
            if found is not None:
                if found.deleted_at or not same(wanted, project_message(found), PROJECT_FIELDS):
                    visible = not found.deleted_at
                    raise already_exists("project", "project.id", wanted.id, visible=visible)
                answer = CreateProjectResponse(project=project_message(found))
                return Outcome(answer.SerializeToString(), None)
            repositories.projects.insert(project, wanted.name, wanted.description, now)
            answer = CreateProjectResponse(project=_project(repositories, id_text(project)))
            entry = audit_entry(call, request, project_id=project)
            return Outcome(answer.SerializeToString(), entry)

        return mutate(self._store, call, request, effect)

    def list_projects(self, call: Call, request: ListProjectsRequest) -> bytes:
        """Return one page of projects, newest first. Raises INVALID_PAGE_TOKEN."""
        before = self._tokens.read(call, request, request.page_token, NEWEST)
        with self._store.reading(call.tenant) as repositories:
            rows = repositories.projects.page(
                before, page_limit(request.page_size) + 1, request.name
            )
        return self._page(call, request, rows, project_message)

    def get_project(self, call: Call, request: GetProjectRequest) -> bytes:
        """Return one project. Raises PROJECT_NOT_FOUND."""
        with self._store.reading(call.tenant) as repositories:
            project = _project(repositories, request.project_id)
        return GetProjectResponse(project=project).SerializeToString()

    def update_project(self, call: Call, request: UpdateProjectRequest) -> bytes:
        """Change the fields of the mask; an update that changes nothing writes nothing."""

        def effect(repositories: Transaction) -> Outcome:
            stored = _project(repositories, request.project_id)
            wanted = merged(stored, request.project, request.update_mask.paths)
            changed = wanted != stored
            if changed:
                project = id_bytes(request.project_id)
                name, description = wanted.name, wanted.description
                repositories.projects.update(project, name, description, repositories.now)
            answer = UpdateProjectResponse(project=_project(repositories, request.project_id))
            entry = audit_entry(call, request) if changed else None
            return Outcome(answer.SerializeToString(), entry)

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
            group = id_bytes(wanted.id or repositories.new_id())
            found = repositories.groups.find(group)
            if found is not None:
                stored = group_message(found)
                is_same = same(wanted, stored, GROUP_FIELDS)
                other = "" if stored.project_id == request.project_id else "project"
                if found.deleted_at or other or not is_same:
                    visible, field = not found.deleted_at, "persona_group.id"
                    raise already_exists("group", field, wanted.id, visible=visible, other=other)
                answer = CreatePersonaGroupResponse(persona_group=stored)
                return Outcome(answer.SerializeToString(), None)
            project = id_bytes(request.project_id)
            repositories.groups.insert(group, project, definition(wanted), now, wanted.name)
            stored = _group(repositories, request.project_id, id_text(group))
            answer = CreatePersonaGroupResponse(persona_group=stored)
            return Outcome(answer.SerializeToString(), audit_entry(call, request, group_id=group))

        return mutate(self._store, call, request, effect)

    def list_persona_groups(self, call: Call, request: ListPersonaGroupsRequest) -> bytes:
        """Return one page of groups, newest first. Raises INVALID_PAGE_TOKEN."""
        before = self._tokens.read(call, request, request.page_token, NEWEST)
        project, limit = id_bytes(request.project_id), page_limit(request.page_size)
        with self._store.reading(call.tenant) as repositories:
            require_project(repositories, request.project_id)
            rows = repositories.groups.page(project, before, limit + 1, request.name)
        return self._page(call, request, rows, group_message)

    def get_persona_group(self, call: Call, request: GetPersonaGroupRequest) -> bytes:
        """Return one group. Raises PERSONA_GROUP_NOT_FOUND."""
        with self._store.reading(call.tenant) as repositories:
            stored = _group(repositories, request.project_id, request.group_id)
        return GetPersonaGroupResponse(persona_group=stored).SerializeToString()

    def update_persona_group(self, call: Call, request: UpdatePersonaGroupRequest) -> bytes:
        """Change the fields of the mask; an update that changes nothing writes nothing."""

        def effect(repositories: Transaction) -> Outcome:
            lock_group(repositories, request.project_id, request.group_id)
            stored = _group(repositories, request.project_id, request.group_id)
            wanted = merged(stored, request.persona_group, request.update_mask.paths)
            _require_age_order(wanted)
            changed = wanted != stored
            if changed:
                group, now = id_bytes(request.group_id), repositories.now
                repositories.groups.update(group, definition(wanted), now, wanted.name)
            stored = _group(repositories, request.project_id, request.group_id)
            answer = UpdatePersonaGroupResponse(persona_group=stored)
            entry = audit_entry(call, request) if changed else None
            return Outcome(answer.SerializeToString(), entry)

        return mutate(self._store, call, request, effect)

    def delete_persona_group(self, call: Call, request: DeletePersonaGroupRequest) -> bytes:
        """Mark the group and its set in one transaction."""

        def effect(repositories: Transaction) -> Outcome:
            locked = lock_group(repositories, request.project_id, request.group_id)
            group, now = id_bytes(request.group_id), repositories.now
            repositories.groups.mark_deleted(group, locked.set_id, now)
            return Outcome(b"", audit_entry(call, request, persona_count=locked.persona_count))

        return mutate(self._store, call, request, effect)

    def _page(
        self,
        call: Call,
        request: ListProjectsRequest | ListPersonaGroupsRequest,
        rows: Sequence[Row],
        message_of: Callable[[Row], Message],
    ) -> bytes:
        """Return a page's response; a row more than the page may have says that others follow."""
        items = (frame(ELEMENT, message_of(row).SerializeToString()) for row in rows)
        page, more = fitting(items, page_limit(request.page_size))
        last = rows[len(page) - 1] if more else None
        position = last and keys.position(last.created_at, last.id)
        return self._tokens.page(call, request, page, position)


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


def _require_age_order(group: PersonaGroup) -> None:
    """An update may name one bound only, so both are compared once they are merged."""
    found = Violations()
    check_age_order(found, group, "persona_group.")
    if found:
        raise invalid(found)

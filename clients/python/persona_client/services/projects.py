"""The calls of ProjectService."""

from collections.abc import Iterator, Sequence

from persona.v1.project_pb2 import PersonaGroup, Project
from persona.v1.project_service_pb2 import (
    CreatePersonaGroupRequest,
    CreateProjectRequest,
    DeletePersonaGroupRequest,
    DeleteProjectRequest,
    GetPersonaGroupRequest,
    GetProjectRequest,
    ListPersonaGroupsRequest,
    ListProjectsRequest,
    UpdatePersonaGroupRequest,
    UpdateProjectRequest,
)
from persona.v1.project_service_pb2_grpc import ProjectServiceStub
from persona_client.calls import Caller, Connection, field_mask


class ProjectCalls(Caller):
    """Projects and persona groups. Every method raises PersonaError."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._projects = ProjectServiceStub(self._channel)

    def create_project(
        self,
        project: Project,
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> Project:
        """Make a project and return it as stored. Raises InvalidField, AlreadyExists."""
        request = CreateProjectRequest(
            project=project, request_id=request_id, validate_only=validate_only
        )
        return self._mutate(self._projects.CreateProject, request, timeout).project

    def list_projects(
        self, *, name: str = "", page_size: int = 0, timeout: float | None = None
    ) -> Iterator[Project]:
        """Yield all projects, newest first, page by page; or those of a name, case-folded."""
        request = ListProjectsRequest(name=name, page_size=page_size)
        for page in self._pages(self._projects.ListProjects, request, timeout):
            yield from page.projects

    def get_project(self, project_id: str, *, timeout: float | None = None) -> Project:
        """Return one project. Raises ProjectNotFound."""
        request = GetProjectRequest(project_id=project_id)
        return self._call(self._projects.GetProject, request, timeout).project

    def update_project(
        self,
        project_id: str,
        project: Project,
        *,
        update_mask: Sequence[str] | None = None,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> Project:
        """Change a project's name and description and return it as it is now.

        `update_mask` names the fields to take; without it the populated ones are taken, so clearing
        a field needs it. Raises ProjectNotFound, InvalidField.
        """
        request = UpdateProjectRequest(
            project_id=project_id,
            project=project,
            update_mask=field_mask(update_mask),
            request_id=request_id,
            validate_only=validate_only,
        )
        return self._mutate(self._projects.UpdateProject, request, timeout).project

    def delete_project(
        self,
        project_id: str,
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Delete a project with its groups and their personas. Raises ProjectNotFound."""
        request = DeleteProjectRequest(
            project_id=project_id, request_id=request_id, validate_only=validate_only
        )
        self._mutate(self._projects.DeleteProject, request, timeout)

    def create_persona_group(
        self,
        project_id: str,
        persona_group: PersonaGroup,
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> PersonaGroup:
        """Make a persona group and return it as stored.

        Raises ProjectNotFound, InvalidField, AlreadyExists.
        """
        request = CreatePersonaGroupRequest(
            project_id=project_id,
            persona_group=persona_group,
            request_id=request_id,
            validate_only=validate_only,
        )
        return self._mutate(self._projects.CreatePersonaGroup, request, timeout).persona_group

    def list_persona_groups(
        self, project_id: str, *, name: str = "", page_size: int = 0, timeout: float | None = None
    ) -> Iterator[PersonaGroup]:
        """Yield a project's groups, newest first; or those of a name. Raises ProjectNotFound."""
        request = ListPersonaGroupsRequest(project_id=project_id, name=name, page_size=page_size)
        for page in self._pages(self._projects.ListPersonaGroups, request, timeout):
            yield from page.persona_groups

    def get_persona_group(
        self, project_id: str, group_id: str, *, timeout: float | None = None
    ) -> PersonaGroup:
        """Return one persona group. Raises ProjectNotFound, PersonaGroupNotFound."""
        request = GetPersonaGroupRequest(project_id=project_id, group_id=group_id)
        return self._call(self._projects.GetPersonaGroup, request, timeout).persona_group

    def update_persona_group(
        self,
        project_id: str,
        group_id: str,
        persona_group: PersonaGroup,
        *,
        update_mask: Sequence[str] | None = None,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> PersonaGroup:
        """Change a group's name and definition and return it as it is now; personas stay.

        `update_mask` as in `update_project`. Raises PersonaGroupNotFound, InvalidField.
        """
        request = UpdatePersonaGroupRequest(
            project_id=project_id,
            group_id=group_id,
            persona_group=persona_group,
            update_mask=field_mask(update_mask),
            request_id=request_id,
            validate_only=validate_only,
        )
        return self._mutate(self._projects.UpdatePersonaGroup, request, timeout).persona_group

    def delete_persona_group(
        self,
        project_id: str,
        group_id: str,
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Delete a persona group with its personas. Raises PersonaGroupNotFound."""
        request = DeletePersonaGroupRequest(
            project_id=project_id,
            group_id=group_id,
            request_id=request_id,
            validate_only=validate_only,
        )
        self._mutate(self._projects.DeletePersonaGroup, request, timeout)

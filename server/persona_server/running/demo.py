"""The demo: one project with a dozen diverse personas, made through the services."""

import json
from importlib import resources
from typing import NamedTuple

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from persona.v1 import project_service_pb2 as projects_pb
from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import BatchCreatePersonasRequest
from persona_server.errors import invalid
from persona_server.services.call import Call
from persona_server.services.personas.service import PersonaService
from persona_server.services.projects.service import ProjectService
from persona_server.validation.requests import validate

TENANT = "local"


class GroupIds(NamedTuple):
    """A group that an example can name."""

    project_id: str
    group_id: str


def make_demo(projects: ProjectService, personas: PersonaService) -> int:
    """Make the demo project and group in tenant `local`; return how many personas it got."""
    content = json.loads(resources.files(__package__).joinpath("demo.json").read_text("utf-8"))
    project_request = projects_pb.CreateProjectRequest()
    ParseDict(content["project"], project_request.project)
    _require_valid(project_request)
    created = projects.create_project(_call("CreateProject"), project_request)
    project = projects_pb.CreateProjectResponse.FromString(created).project
    group_request = projects_pb.CreatePersonaGroupRequest(project_id=project.id)
    ParseDict(content["persona_group"], group_request.persona_group)
    _require_valid(group_request)
    made = projects.create_persona_group(_call("CreatePersonaGroup"), group_request)
    group = projects_pb.CreatePersonaGroupResponse.FromString(made).persona_group
    batch = BatchCreatePersonasRequest(
        project_id=project.id,
        group_id=group.id,
        personas=[ParseDict(persona, Persona()) for persona in content["personas"]],
    )
    _require_valid(batch)
    call = _call("BatchCreatePersonas")
    personas.batch_create_personas(call, batch)
    return call.written


def newest_group(projects: ProjectService) -> GroupIds | None:
    """Return the newest group of the newest project that has one, for examples; None if none."""
    listing = projects_pb.ListProjectsRequest(page_size=100)
    found = projects.list_projects(_call("ListProjects"), listing)
    for project in projects_pb.ListProjectsResponse.FromString(found).projects:
        if project.persona_group_count:
            request = projects_pb.ListPersonaGroupsRequest(project_id=project.id, page_size=1)
            answer = projects.list_persona_groups(_call("ListPersonaGroups"), request)
            groups = projects_pb.ListPersonaGroupsResponse.FromString(answer).persona_groups
            return GroupIds(project.id, groups[0].id)
    return None


def _require_valid(request: Message) -> None:
    if found := validate(request):
        raise invalid(found)


def _call(method: str) -> Call:
    return Call(method, TENANT, "demo")

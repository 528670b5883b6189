"""Make data for tests over gRPC: personas, a group to keep them in, walks over its pages."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import Int32Value

from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_pb2
from persona.v1 import project_service_pb2 as projects_pb
from persona.v1.persona_pb2 import Persona
from support.service import Caller


def uid() -> str:
    """Return a new id, as a client makes one."""
    return str(uuid.uuid4())


def persona(**fields: Any) -> Persona:
    """Return a persona that has a name, and these fields; an age may be a number."""
    if isinstance(fields.get("age"), int):
        fields["age"] = Int32Value(value=fields["age"])
    return Persona(**({"full_name": "Maria Santos"} | fields))


def rich_persona(**fields: Any) -> Persona:
    """Return a persona that has every field a client can set, but for its id."""
    given: dict[str, Any] = {
        "age": 34,
        "gender": "Female",
        "occupation": "Nurse",
        "location": "São Paulo, Brazil",
        "income_level": "Middle",
        "personality_traits": ["curious", "careful", "warm"],
        "trusted_brands": ["Natura"],
        "distrusted_brands": ["Acme"],
        "digital_habits": "Pays by Pix.\nReads at night.",
        "price_sensitivity": "Compares twice.",
        "psychographic_notes": "Wants a garden.",
        "avatar_url": "https://example.org/a.png",
        "created_at": Timestamp(seconds=1_700_000_000, nanos=123_456_000),
        "attributes": {"religion": "none", "sixth_trait": "patient"},
    }
    return persona(**(given | fields))


def at(micros: int) -> Timestamp:
    """Return a time given in microseconds since 1970."""
    seconds, rest = divmod(micros, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def micros(time: Timestamp) -> int:
    """Return a time in microseconds since 1970."""
    return time.seconds * 1_000_000 + time.nanos // 1000


@dataclass(frozen=True)
class Place:
    """A persona group, and a caller who may do everything in it."""

    caller: Caller
    project: str
    group: str

    @property
    def ids(self) -> dict[str, Any]:
        return {"project_id": self.project, "group_id": self.group}

    def create(self, given: Persona, request_id: str = "") -> Persona:
        request = pb.CreatePersonaRequest(**self.ids, persona=given, request_id=request_id)
        return self.caller.personas.CreatePersona(request).persona

    def batch(self, given: Iterable[Persona], request_id: str = "") -> list[Persona]:
        request = pb.BatchCreatePersonasRequest(
            **self.ids, personas=list(given), request_id=request_id
        )
        return list(self.caller.personas.BatchCreatePersonas(request).personas)

    def fill(self, number: int, **fields: Any) -> list[Persona]:
        """Add personas of these fields, named by their place in the batch."""
        return self.batch(persona(full_name=f"Person {i}", **fields) for i in range(number))

    def get(self, persona_id: str) -> Persona:
        request = pb.GetPersonaRequest(**self.ids, persona_id=persona_id)
        return self.caller.personas.GetPersona(request).persona

    def delete(self, persona_id: str, request_id: str = "") -> None:
        request = pb.DeletePersonaRequest(**self.ids, persona_id=persona_id, request_id=request_id)
        self.caller.personas.DeletePersona(request)

    def delete_all(self, request_id: str = "") -> int:
        request = pb.DeleteAllPersonasRequest(**self.ids, request_id=request_id)
        return self.caller.personas.DeleteAllPersonas(request).deleted_count

    def page(self, **arguments: Any) -> pb.ListPersonasResponse:
        request = pb.ListPersonasRequest(**(self.ids | arguments))
        return self.caller.personas.ListPersonas(request)

    def walk(self, **arguments: Any) -> list[Persona]:
        """Return every persona of all pages."""
        return [one for page in self.pages(**arguments) for one in page.personas]

    def pages(self, **arguments: Any) -> Iterable[pb.ListPersonasResponse]:
        page, seen = self.page(**arguments), {""}
        yield page
        while page.next_page_token:
            assert page.next_page_token not in seen, "a walk that stands still never ends"
            seen.add(page.next_page_token)
            page = self.page(**arguments, page_token=page.next_page_token)
            yield page

    def export(self, **arguments: Any) -> list[pb.ExportPersonasResponse]:
        request = pb.ExportPersonasRequest(**(self.ids | arguments))
        return list(self.caller.personas.ExportPersonas(request))

    def described(self) -> project_pb2.PersonaGroup:
        request = projects_pb.GetPersonaGroupRequest(**self.ids)
        return self.caller.projects.GetPersonaGroup(request).persona_group

    def count(self) -> int:
        """Return how many personas the group says it has."""
        return self.described().persona_count


def make_project(caller: Caller, **fields: Any) -> project_pb2.Project:
    """Make a project."""
    project = project_pb2.Project(**({"name": "Tests"} | fields))
    return caller.projects.CreateProject(projects_pb.CreateProjectRequest(project=project)).project


def make_group(caller: Caller, project: str, **fields: Any) -> project_pb2.PersonaGroup:
    """Make a group in a project."""
    request = projects_pb.CreatePersonaGroupRequest(
        project_id=project,
        persona_group=project_pb2.PersonaGroup(**({"name": "Everyone"} | fields)),
    )
    return caller.projects.CreatePersonaGroup(request).persona_group


def make_place(caller: Caller, project: str = "") -> Place:
    """Make an empty group, in a project of its own unless one is named."""
    project = project or make_project(caller).id
    return Place(caller, project, make_group(caller, project).id)

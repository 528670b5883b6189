"""The method table: every RPC with its scopes and limits, built from the service descriptors.

An RPC without an entry in SCOPES stops the server at start, and fails the tests.
"""

import re
from typing import Any, NamedTuple

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from persona.v1 import (
    library_service_pb2,
    persona_service_pb2,
    project_service_pb2,
    response_service_pb2,
)

SERVICES: tuple[ServiceDescriptor, ...] = (
    persona_service_pb2.DESCRIPTOR.services_by_name["PersonaService"],
    project_service_pb2.DESCRIPTOR.services_by_name["ProjectService"],
    response_service_pb2.DESCRIPTOR.services_by_name["ResponseService"],
    library_service_pb2.DESCRIPTOR.services_by_name["LibraryService"],
)

_READ, _WRITE = ("personas:read",), ("personas:write",)
_READ_PROJECTS, _WRITE_PROJECTS = ("projects:read",), ("projects:write",)
_DELETE_PROJECTS = ("projects:write", "personas:write")
_READ_LIBRARY = ("library:read",)
_READ_RESPONSES, _WRITE_RESPONSES = ("responses:read",), ("responses:write",)

_PROMOTE = ("library:write", "library:read", "responses:read")

# All scopes of an entry are needed: what an answer shows that is not the call's own, it must be
# allowed to read, so whoever is answered with a profile may read profiles.
SCOPES: dict[str, tuple[str, ...]] = {
    "persona.v1.PersonaService.ListPersonas": _READ,
    "persona.v1.PersonaService.GetPersona": _READ,
    "persona.v1.PersonaService.ExportPersonas": _READ,
    "persona.v1.PersonaService.CreatePersona": _WRITE,
    "persona.v1.PersonaService.BatchCreatePersonas": _WRITE,
    "persona.v1.PersonaService.ImportPersonas": _WRITE,
    "persona.v1.PersonaService.DeletePersona": _WRITE,
    "persona.v1.PersonaService.DeleteAllPersonas": _WRITE,
    "persona.v1.PersonaService.GetPersonaLineage": ("personas:read", "library:read"),
    "persona.v1.PersonaService.ListLibraryPersonaProjects": ("personas:read", "library:read"),
    "persona.v1.ProjectService.ListProjects": _READ_PROJECTS,
    "persona.v1.ProjectService.GetProject": _READ_PROJECTS,
    "persona.v1.ProjectService.CreateProject": _WRITE_PROJECTS,
    "persona.v1.ProjectService.UpdateProject": _WRITE_PROJECTS,
    "persona.v1.ProjectService.DeleteProject": _DELETE_PROJECTS,
    "persona.v1.ProjectService.ListPersonaGroups": _READ_PROJECTS,
    "persona.v1.ProjectService.GetPersonaGroup": _READ_PROJECTS,
    "persona.v1.ProjectService.CreatePersonaGroup": _WRITE_PROJECTS,
    "persona.v1.ProjectService.UpdatePersonaGroup": _WRITE_PROJECTS,
    "persona.v1.ProjectService.DeletePersonaGroup": _DELETE_PROJECTS,
    "persona.v1.ResponseService.RecordResponses": _WRITE_RESPONSES,
    "persona.v1.ResponseService.ListResponses": _READ_RESPONSES,
    "persona.v1.ResponseService.GetResponsePersona": ("responses:read", "personas:read"),
    "persona.v1.LibraryService.GetReliability": ("library:read", "responses:read"),
    "persona.v1.LibraryService.PromotePersona": _PROMOTE,
    "persona.v1.LibraryService.ListLibraryPersonas": _READ_LIBRARY,
    "persona.v1.LibraryService.GetLibraryPersona": _READ_LIBRARY,
    "persona.v1.LibraryService.RetireLibraryPersona": ("library:write", "library:read"),
    "persona.v1.LibraryService.MatchLibraryPersonas": _READ_LIBRARY,
    "persona.v1.LibraryService.ReuseLibraryPersonas": ("personas:write", "library:read"),
    "persona.v1.LibraryService.GetAttitudeTimeline": ("library:read", "responses:read"),
}


class Method(NamedTuple):
    """One RPC: its names, who may call it, its request type and its kind."""

    service: str  # "persona.v1.PersonaService"
    name: str  # "ListPersonas"
    scopes: tuple[str, ...] | None  # None: open to everybody
    request: type[Message]
    streams_in: bool = False
    streams_out: bool = False
    writes: bool = False

    @property
    def path(self) -> str:
        """The name on the wire, such as /persona.v1.PersonaService/ListPersonas."""
        return f"/{self.service}/{self.name}"

    @property
    def attribute(self) -> str:
        """The name of the service's method, such as list_personas."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.name).lower()


def methods_of(service: ServiceDescriptor) -> list[Method]:
    """Return the RPCs of one of our services. Raises KeyError for one without scopes."""
    return [_method(service, method) for method in service.methods]


def _method(service: ServiceDescriptor, method: MethodDescriptor) -> Method:
    descriptor: Any = method
    request = GetMessageClass(method.input_type)
    return Method(
        service.full_name,
        method.name,
        SCOPES[method.full_name],
        request,
        streams_in=descriptor.client_streaming,
        streams_out=descriptor.server_streaming,
        writes="request_id" in method.input_type.fields_by_name,
    )

"""The method table: every RPC with its pool and scopes, and what its descriptor says.

An RPC without an entry in RPCS stops the server at start, and fails the tests.
"""

import re
from typing import Any, Literal, NamedTuple, TypeAlias

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from persona.v1 import (
    comparison_service_pb2,
    library_service_pb2,
    persona_service_pb2,
    project_service_pb2,
    response_service_pb2,
    simulation_service_pb2,
)

SERVICES: tuple[ServiceDescriptor, ...] = (
    persona_service_pb2.DESCRIPTOR.services_by_name["PersonaService"],
    project_service_pb2.DESCRIPTOR.services_by_name["ProjectService"],
    response_service_pb2.DESCRIPTOR.services_by_name["ResponseService"],
    library_service_pb2.DESCRIPTOR.services_by_name["LibraryService"],
    simulation_service_pb2.DESCRIPTOR.services_by_name["SimulationService"],
    comparison_service_pb2.DESCRIPTOR.services_by_name["ComparisonService"],
)

# The thread pools, see pools.py.
PoolName: TypeAlias = Literal["read", "heavy", "write", "stream", "reflection", "health", "watch"]


class Rules(NamedTuple):
    """What the server decides about an RPC: the pool that runs it, and the scopes it needs, all."""

    pool: PoolName
    scopes: tuple[str, ...]


RPCS: dict[str, Rules] = {
    "persona.v1.PersonaService.ListPersonas": Rules("read", ("personas:read",)),
    "persona.v1.PersonaService.GetPersona": Rules("read", ("personas:read",)),
    "persona.v1.PersonaService.BatchGetPersonas": Rules("read", ("personas:read",)),
    "persona.v1.PersonaService.CountPersonas": Rules("heavy", ("personas:read",)),
    "persona.v1.PersonaService.ExportPersonas": Rules("stream", ("personas:read",)),
    "persona.v1.PersonaService.CreatePersona": Rules("write", ("personas:write",)),
    "persona.v1.PersonaService.BatchCreatePersonas": Rules("write", ("personas:write",)),
    "persona.v1.PersonaService.CopyPersonas": Rules("write", ("personas:write", "personas:read")),
    "persona.v1.PersonaService.ImportPersonas": Rules("stream", ("personas:write",)),
    "persona.v1.PersonaService.DeletePersona": Rules("write", ("personas:write",)),
    "persona.v1.PersonaService.DeleteAllPersonas": Rules("write", ("personas:write",)),
    "persona.v1.PersonaService.GetPersonaLineage": Rules("read", ("personas:read", "library:read")),
    "persona.v1.LibraryService.ListLibraryPersonaProjects": Rules(
        "read", ("personas:read", "library:read")
    ),
    "persona.v1.ProjectService.ListProjects": Rules("read", ("projects:read",)),
    "persona.v1.ProjectService.GetProject": Rules("read", ("projects:read",)),
    "persona.v1.ProjectService.CreateProject": Rules("write", ("projects:write",)),
    "persona.v1.ProjectService.UpdateProject": Rules("write", ("projects:write",)),
    "persona.v1.ProjectService.DeleteProject": Rules("write", ("projects:write", "personas:write")),
    "persona.v1.ProjectService.ListPersonaGroups": Rules("read", ("projects:read",)),
    "persona.v1.ProjectService.GetPersonaGroup": Rules("read", ("projects:read",)),
    "persona.v1.ProjectService.CreatePersonaGroup": Rules("write", ("projects:write",)),
    "persona.v1.ProjectService.UpdatePersonaGroup": Rules("write", ("projects:write",)),
    "persona.v1.ProjectService.DeletePersonaGroup": Rules(
        "write", ("projects:write", "personas:write")
    ),
    "persona.v1.ResponseService.RecordResponses": Rules("write", ("responses:write",)),
    "persona.v1.ResponseService.ListResponses": Rules("read", ("responses:read",)),
    "persona.v1.ResponseService.GetResponse": Rules("read", ("responses:read",)),
    "persona.v1.ResponseService.GetResponsePersona": Rules(
        "read", ("responses:read", "personas:read")
    ),
    "persona.v1.ResponseService.VoidResponses": Rules("write", ("responses:write",)),
    "persona.v1.SimulationService.CreateSimulation": Rules("write", ("responses:write",)),
    "persona.v1.SimulationService.ListSimulations": Rules("read", ("responses:read",)),
    "persona.v1.SimulationService.GetSimulation": Rules("read", ("responses:read",)),
    "persona.v1.SimulationService.UpdateSimulation": Rules("write", ("responses:write",)),
    "persona.v1.SimulationService.ListQuestions": Rules("read", ("responses:read",)),
    "persona.v1.LibraryService.GetReliability": Rules("heavy", ("library:read", "responses:read")),
    "persona.v1.LibraryService.GetLibraryPersonaReliability": Rules(
        "heavy", ("library:read", "responses:read")
    ),
    "persona.v1.LibraryService.ListReliabilities": Rules(
        "heavy", ("library:read", "responses:read", "personas:read")
    ),
    "persona.v1.LibraryService.PromotePersona": Rules(
        "heavy", ("library:write", "library:read", "responses:read")
    ),
    "persona.v1.LibraryService.PromotePersonas": Rules(
        "heavy", ("library:write", "library:read", "responses:read")
    ),
    "persona.v1.LibraryService.ListLibraryPersonas": Rules("read", ("library:read",)),
    "persona.v1.LibraryService.GetLibraryPersona": Rules("read", ("library:read",)),
    "persona.v1.LibraryService.RetireLibraryPersona": Rules(
        "write", ("library:write", "library:read")
    ),
    "persona.v1.LibraryService.MatchLibraryPersonas": Rules("heavy", ("library:read",)),
    "persona.v1.LibraryService.ReuseLibraryPersonas": Rules(
        "write", ("personas:write", "library:read")
    ),
    "persona.v1.LibraryService.GetAttitudeTimeline": Rules(
        "heavy", ("library:read", "responses:read")
    ),
    "persona.v1.LibraryService.GetLibraryPersonaAttitudeTimeline": Rules(
        "heavy", ("library:read", "responses:read")
    ),
    "persona.v1.ComparisonService.SummarizeResponses": Rules(
        "heavy", ("library:read", "responses:read")
    ),
    "persona.v1.ComparisonService.CompareResponses": Rules("heavy", ("responses:read",)),
    "persona.v1.ComparisonService.RecordReferenceAnswers": Rules("write", ("responses:write",)),
    "persona.v1.ComparisonService.MeasureFidelity": Rules("heavy", ("responses:read",)),
    "persona.v1.ComparisonService.MeasureGroupFidelity": Rules("heavy", ("responses:read",)),
}


class Method(NamedTuple):
    """One RPC: its names, where it runs, who may call it, its request type and its kind."""

    service: str  # "persona.v1.PersonaService"
    name: str  # "ListPersonas"
    pool: PoolName
    scopes: tuple[str, ...] | None  # None: open to everybody
    request: type[Message]
    streams_in: bool = False
    streams_out: bool = False
    has_request_id: bool = False  # an Idempotency-Key may stand for it
    validated: bool = True  # whether the contract's checks are for its requests

    @property
    def path(self) -> str:
        """The name on the wire, such as /persona.v1.PersonaService/ListPersonas."""
        return f"/{self.service}/{self.name}"

    @property
    def attribute(self) -> str:
        """The name of the service's method, such as list_personas."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.name).lower()


def methods_of(service: ServiceDescriptor) -> list[Method]:
    """Return the RPCs of one of our services. Raises KeyError for one without rules."""
    return [_method(service, method) for method in service.methods]


def _method(service: ServiceDescriptor, method: MethodDescriptor) -> Method:
    descriptor: Any = method
    rules = RPCS[method.full_name]
    return Method(
        service.full_name,
        method.name,
        rules.pool,
        rules.scopes,
        GetMessageClass(method.input_type),
        streams_in=descriptor.client_streaming,
        streams_out=descriptor.server_streaming,
        has_request_id="request_id" in method.input_type.fields_by_name,
    )

"""The method table: every RPC is in it, with a pool that there is and scopes of tokens."""

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from persona.v1 import (
    comparison_service_pb2,
    library_service_pb2,
    persona_service_pb2,
    project_service_pb2,
    response_pb2,
    response_service_pb2,
    simulation_service_pb2,
)
from persona_server.identity.scopes import SCOPES as KNOWN
from persona_server.services.comparison.service import ComparisonService
from persona_server.services.library.service import LibraryService
from persona_server.services.personas.service import PersonaService
from persona_server.services.projects.service import ProjectService
from persona_server.services.responses import recording
from persona_server.services.responses.service import ResponseService
from persona_server.services.simulations.service import SimulationService
from persona_server.storage.repositories.response_lists import DELETED, SHOWN
from persona_server.transport.methods import RPCS, SERVICES, methods_of
from persona_server.transport.pools import LIMITS

FILES = (
    persona_service_pb2,
    project_service_pb2,
    response_service_pb2,
    library_service_pb2,
    simulation_service_pb2,
    comparison_service_pb2,
)
IMPLEMENTATIONS = {
    "PersonaService": PersonaService,
    "ProjectService": ProjectService,
    "ResponseService": ResponseService,
    "LibraryService": LibraryService,
    "SimulationService": SimulationService,
    "ComparisonService": ComparisonService,
}
# RPCs whose scopes are not those of their service and kind.
LINEAGE = {"personas:read", "library:read"}
MEASURES = {"library:read", "responses:read"}
SPECIAL = {
    "GetPersonaLineage": LINEAGE,
    "ListLibraryPersonaProjects": LINEAGE,
    "GetReliability": MEASURES,
    "GetLibraryPersonaReliability": MEASURES,
    "GetAttitudeTimeline": MEASURES,
    "GetLibraryPersonaAttitudeTimeline": MEASURES,
    "SummarizeResponses": MEASURES,
    "GetResponsePersona": {"responses:read", "personas:read"},
    "CopyPersonas": {"personas:write", "personas:read"},
    "ListReliabilities": {*MEASURES, "personas:read"},
    "PromotePersona": {"library:write", "library:read", "responses:read"},
    "PromotePersonas": {"library:write", "library:read", "responses:read"},
    "RetireLibraryPersona": {"library:write", "library:read"},
    "ReuseLibraryPersonas": {"personas:write", "library:read"},
}
READS = ("List", "Get", "BatchGet", "Count", "Export", "Match", "Summarize", "Compare", "Measure")
MESSAGE = persona_service_pb2.GetPersonaRequest.DESCRIPTOR


def rpcs() -> list[MethodDescriptor]:
    services = [s for file in FILES for s in file.DESCRIPTOR.services_by_name.values()]
    return [method for service in services for method in service.methods]


ALL = pytest.mark.parametrize("rpc", rpcs(), ids=lambda rpc: str(rpc.name))


@ALL
def test_a_mutation_can_be_tried(rpc: MethodDescriptor) -> None:
    """An import says so in its start."""
    start = rpc.input_type.fields_by_name.get("start")
    kind = rpc.input_type if start is None else start.message_type
    assert kind is not None
    fields = kind.fields_by_name
    assert ("validate_only" in fields) == ("request_id" in fields or "import_id" in fields)


def test_every_service_of_the_contract_is_served() -> None:
    found = [s for file in FILES for s in file.DESCRIPTOR.services_by_name.values()]
    assert {s.full_name for s in SERVICES} == {s.full_name for s in found}
    assert len(rpcs()) == 50


def test_table_names_every_rpc_and_nothing_else() -> None:
    assert set(RPCS) == {rpc.full_name for rpc in rpcs()}


def test_scopes_are_those_that_a_token_can_have() -> None:
    assert {scope for rules in RPCS.values() for scope in rules.scopes} == set(KNOWN)
    assert all(rules.scopes for rules in RPCS.values())  # none is open


@ALL
def test_scopes_are_the_contracts(rpc: MethodDescriptor) -> None:
    kind = "read" if rpc.name.startswith(READS) else "write"
    if rpc.name in SPECIAL:
        expected = SPECIAL[rpc.name]
    elif rpc.containing_service.name == "LibraryService":
        expected = {f"library:{kind}"}
    elif rpc.containing_service.name == "PersonaService":
        expected = {f"personas:{kind}"}
    elif rpc.containing_service.name in (
        "ResponseService",
        "SimulationService",
        "ComparisonService",
    ):
        expected = {f"responses:{kind}"}
    elif rpc.name.startswith("Delete"):
        expected = {"projects:write", "personas:write"}
    else:
        expected = {f"projects:{kind}"}
    assert set(RPCS[rpc.full_name].scopes) == expected


# What reads all of an individual's answers or the whole library, or 10,000 rows in any order or
# answers of a selection.
HEAVY = {
    "CountPersonas",
    "GetReliability",
    "GetLibraryPersonaReliability",
    "GetAttitudeTimeline",
    "GetLibraryPersonaAttitudeTimeline",
    "ListReliabilities",
    "MatchLibraryPersonas",
    "PromotePersona",
    "PromotePersonas",
    "SummarizeResponses",
    "CompareResponses",
    "MeasureFidelity",
    "MeasureGroupFidelity",
}


def test_every_pool_of_the_table_is_there() -> None:
    assert {rules.pool for rules in RPCS.values()} == {"read", "heavy", "write", "stream"}
    assert set(LIMITS) == {"read", "heavy", "write", "stream", "reflection", "health", "watch"}


@ALL
def test_pools_keep_writers_and_streams_from_readers(rpc: MethodDescriptor) -> None:
    (method,) = [m for m in methods_of(rpc.containing_service) if m.name == rpc.name]
    if method.streams_in or method.streams_out:
        assert method.pool == "stream"
    else:
        usual = "read" if rpc.name.startswith(READS) else "write"
        assert method.pool == ("heavy" if rpc.name in HEAVY else usual)


@ALL
def test_rpc_has_messages_of_its_own_and_a_method(rpc: MethodDescriptor) -> None:
    assert rpc.input_type.name == f"{rpc.name}Request"
    assert rpc.output_type.name == f"{rpc.name}Response"
    (method,) = [m for m in methods_of(rpc.containing_service) if m.name == rpc.name]
    assert method.path == f"/{rpc.containing_service.full_name}/{rpc.name}"
    assert callable(getattr(IMPLEMENTATIONS[rpc.containing_service.name], method.attribute))
    assert method.request is GetMessageClass(rpc.input_type)
    assert method.streams_in == (rpc.name == "ImportPersonas")
    assert method.streams_out == (rpc.name in ("ImportPersonas", "ExportPersonas"))


@ALL
def test_every_mutation_carries_a_request_id(rpc: MethodDescriptor) -> None:
    (method,) = [m for m in methods_of(rpc.containing_service) if m.name == rpc.name]
    reads = rpc.name.startswith(READS)
    # import_id stands in its place.
    assert method.has_request_id == (not reads and rpc.name != "ImportPersonas")


@ALL
def test_no_request_names_a_tenant(rpc: MethodDescriptor) -> None:
    assert not [f.name for f in rpc.input_type.fields if "tenant" in f.name]


def test_a_response_stands_at_one_place_and_its_flag_is_last() -> None:
    """The same stored bytes serve both lists, and a read computes their last byte."""
    for message in (
        response_service_pb2.ListResponsesResponse,
        response_service_pb2.RecordResponsesResponse,
    ):
        assert message.DESCRIPTOR.fields_by_name["responses"].number == 1
    assert response_service_pb2.GetResponseResponse.DESCRIPTOR.fields[0].number == 1
    assert response_service_pb2.GetResponsePersonaResponse.DESCRIPTOR.fields[0].number == 1
    flag = response_pb2.Response(persona_deleted=True).SerializeToString()
    assert flag == recording._PERSONA_DELETED + DELETED
    assert (SHOWN, DELETED) == (b"\0", b"\1")


def test_get_and_list_share_the_place_of_a_persona() -> None:
    """The same stored bytes serve both."""
    get = persona_service_pb2.GetPersonaResponse.DESCRIPTOR.fields_by_name["persona"]
    for message in (
        persona_service_pb2.ListPersonasResponse,
        persona_service_pb2.ExportPersonasResponse,
        persona_service_pb2.BatchCreatePersonasResponse,
    ):
        assert message.DESCRIPTOR.fields_by_name["personas"].number == get.number == 1

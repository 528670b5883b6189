"""request_id: the first answer again, for the same request alone."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from persona.v1 import library_service_pb2 as library_pb
from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_pb2
from persona.v1 import project_service_pb2 as projects_pb
from persona.v1 import response_service_pb2 as responses_pb
from persona.v1 import simulation_service_pb2 as simulations_pb
from persona.v1.simulation_pb2 import Simulation
from support.answering.references import referring
from support.answers import answer, record
from support.copies import copying
from support.data import Place, make_group, make_place, make_project, persona, uid
from support.errors import refused
from support.library import answer_reliably, individual

INVALID = grpc.StatusCode.INVALID_ARGUMENT
Make = Callable[[Place], Any]


def _persona(place: Place) -> str:
    return place.fill(1)[0].id


def _eligible(place: Place) -> library_pb.PromotePersonaRequest:
    one = _persona(place)
    answer_reliably(place, one)
    return library_pb.PromotePersonaRequest(**place.ids, persona_id=one)


def _individual(place: Place) -> str:
    return individual(make_place(place.caller)).id


def _simulation(place: Place) -> str:
    return record(place.caller, uid(), answer(_persona(place)))[0].simulation_id


def _recorded(place: Place) -> str:
    return record(place.caller, uid(), answer(_persona(place)))[0].id


# RPC → (service, its request, and another request of the same kind)
MUTATIONS: dict[str, tuple[str, Make, Make]] = {
    "CreatePersona": (
        "personas",
        lambda p: pb.CreatePersonaRequest(**p.ids, persona=persona()),
        lambda p: pb.CreatePersonaRequest(**p.ids, persona=persona(age=3)),
    ),
    "BatchCreatePersonas": (
        "personas",
        lambda p: pb.BatchCreatePersonasRequest(**p.ids, personas=[persona(), persona(age=1)]),
        lambda p: pb.BatchCreatePersonasRequest(**p.ids, personas=[persona(age=1), persona()]),
    ),
    "DeletePersona": (
        "personas",
        lambda p: pb.DeletePersonaRequest(**p.ids, persona_id=_persona(p)),
        lambda p: pb.DeletePersonaRequest(**p.ids, persona_id=_persona(p)),
    ),
    "DeleteAllPersonas": (
        "personas",
        lambda p: pb.DeleteAllPersonasRequest(**p.ids),
        lambda p: pb.DeleteAllPersonasRequest(**make_place(p.caller, p.project).ids),
    ),
    "CopyPersonas": (
        "personas",
        lambda p: copying(p.caller.projects, p, [one.id for one in p.fill(2)]),
        lambda p: copying(p.caller.projects, p, [one.id for one in p.fill(1)]),
    ),
    "CreateProject": (
        "projects",
        lambda _: projects_pb.CreateProjectRequest(project=project_pb2.Project(name="A")),
        lambda _: projects_pb.CreateProjectRequest(project=project_pb2.Project(name="B")),
    ),
    "UpdateProject": (
        "projects",
        lambda p: projects_pb.UpdateProjectRequest(
            project_id=p.project, project=project_pb2.Project(name="A")
        ),
        lambda p: projects_pb.UpdateProjectRequest(
            project_id=p.project, project=project_pb2.Project(name="B")
        ),
    ),
    "DeleteProject": (
        "projects",
        lambda p: projects_pb.DeleteProjectRequest(project_id=make_project(p.caller).id),
        lambda p: projects_pb.DeleteProjectRequest(project_id=make_project(p.caller).id),
    ),
    "CreatePersonaGroup": (
        "projects",
        lambda p: projects_pb.CreatePersonaGroupRequest(
            project_id=p.project, persona_group=project_pb2.PersonaGroup(name="A")
        ),
        lambda p: projects_pb.CreatePersonaGroupRequest(
            project_id=p.project, persona_group=project_pb2.PersonaGroup(name="B")
        ),
    ),
    "UpdatePersonaGroup": (
        "projects",
        lambda p: projects_pb.UpdatePersonaGroupRequest(
            **p.ids, persona_group=project_pb2.PersonaGroup(name="A")
        ),
        lambda p: projects_pb.UpdatePersonaGroupRequest(
            **p.ids, persona_group=project_pb2.PersonaGroup(name="B")
        ),
    ),
    "DeletePersonaGroup": (
        "projects",
        lambda p: projects_pb.DeletePersonaGroupRequest(
            project_id=p.project, group_id=make_group(p.caller, p.project).id
        ),
        lambda p: projects_pb.DeletePersonaGroupRequest(
            project_id=p.project, group_id=make_group(p.caller, p.project).id
        ),
    ),
    "RecordResponses": (
        "responses",
        lambda p: responses_pb.RecordResponsesRequest(
            simulation_id=uid(), responses=[answer(_persona(p)), answer(_persona(p))]
        ),
        lambda p: responses_pb.RecordResponsesRequest(
            simulation_id=uid(), responses=[answer(_persona(p))]
        ),
    ),
    "VoidResponses": (
        "responses",
        lambda p: responses_pb.VoidResponsesRequest(response_ids=[_recorded(p)], reason="A"),
        lambda p: responses_pb.VoidResponsesRequest(response_ids=[_recorded(p)], reason="B"),
    ),
    "RecordReferenceAnswers": (
        "comparison",
        lambda p: referring(p.ids, [_persona(p), _persona(p)]),
        lambda p: referring(p.ids, [_persona(p)]),
    ),
    "CreateSimulation": (
        "simulations",
        lambda p: simulations_pb.CreateSimulationRequest(
            project_id=p.project, simulation=Simulation(model="A")
        ),
        lambda p: simulations_pb.CreateSimulationRequest(
            project_id=p.project, simulation=Simulation(model="B")
        ),
    ),
    "UpdateSimulation": (
        "simulations",
        lambda p: simulations_pb.UpdateSimulationRequest(
            project_id=p.project, simulation_id=_simulation(p), simulation=Simulation(name="A")
        ),
        lambda p: simulations_pb.UpdateSimulationRequest(
            project_id=p.project, simulation_id=_simulation(p), simulation=Simulation(name="B")
        ),
    ),
    "PromotePersona": ("library", _eligible, _eligible),
    "PromotePersonas": (
        "library",
        lambda p: library_pb.PromotePersonasRequest(
            **p.ids, persona_ids=[_eligible(p).persona_id, _persona(p)]
        ),
        lambda p: library_pb.PromotePersonasRequest(**p.ids, persona_ids=[_eligible(p).persona_id]),
    ),
    "RetireLibraryPersona": (
        "library",
        lambda p: library_pb.RetireLibraryPersonaRequest(library_persona_id=_individual(p)),
        lambda p: library_pb.RetireLibraryPersonaRequest(library_persona_id=_individual(p)),
    ),
    "ReuseLibraryPersonas": (
        "library",
        lambda p: library_pb.ReuseLibraryPersonasRequest(
            **p.ids, library_persona_ids=[_individual(p), _individual(p)]
        ),
        lambda p: library_pb.ReuseLibraryPersonasRequest(
            **p.ids, library_persona_ids=[_individual(p)]
        ),
    ),
}
EVERY = pytest.mark.parametrize("rpc", MUTATIONS)


def call(place: Place, rpc: str, request: Any, *, request_id: str = "", header: Any = None) -> Any:
    """Send a request with a request_id, as a field or as the header, or as both."""
    sent = type(request)()
    sent.CopyFrom(request)
    sent.request_id = request_id
    metadata = (("idempotency-key", header),) if header else None
    stub = getattr(place.caller, MUTATIONS[rpc][0])
    return getattr(stub, rpc)(sent, metadata=metadata)


def test_every_mutation_is_tested() -> None:
    from persona_server.transport.methods import SERVICES, methods_of

    assert set(MUTATIONS) == {m.name for s in SERVICES for m in methods_of(s) if m.has_request_id}


@EVERY
def test_a_retry_gives_the_first_answer(place: Place, rpc: str) -> None:
    place.fill(3)
    request, key = MUTATIONS[rpc][1](place), uid()
    first = call(place, rpc, request, request_id=key)
    before = place.described(), place.walk()
    assert call(place, rpc, request, request_id=key) == first
    assert call(place, rpc, request, request_id=key.upper()) == first
    assert (place.described(), place.walk()) == before


@EVERY
def test_another_request_is_refused(place: Place, rpc: str) -> None:
    _, make, other = MUTATIONS[rpc]
    key = uid()
    second = other(place)
    call(place, rpc, make(place), request_id=key)
    before = place.described(), place.walk()
    with refused("REQUEST_ID_REUSED", INVALID) as refusal:
        call(place, rpc, second, request_id=key)
    assert refusal.problem.metadata["field"] == "request_id"
    assert (place.described(), place.walk()) == before


@EVERY
def test_the_header_says_the_same_as_the_field(place: Place, rpc: str) -> None:
    _, make, other = MUTATIONS[rpc]
    request, different, key = make(place), other(place), uid()
    first = call(place, rpc, request, header=key)
    assert call(place, rpc, request, request_id=key) == first
    assert call(place, rpc, request, request_id=key.upper(), header=key) == first
    for field, header in ((key, ""), ("", key), (key, key)):
        with refused("REQUEST_ID_REUSED"):
            call(place, rpc, different, request_id=field, header=header)
    with refused("INVALID_FIELD") as refusal:
        call(place, rpc, request, request_id=uid(), header=key)
    assert set(refusal.problem.fields) == {"request_id"}


@EVERY
@pytest.mark.parametrize("bad", ["x", "{}", "0190b5a4-7c3e-7b1a-8f00-0123456789a"])
def test_what_is_no_uuid_is_refused(place: Place, rpc: str, bad: str) -> None:
    request = MUTATIONS[rpc][1](place)
    with refused("INVALID_FIELD", INVALID) as refusal:
        call(place, rpc, request, request_id=bad)
    assert set(refusal.problem.fields) == {"request_id"}
    with refused("INVALID_FIELD", INVALID) as refusal:
        call(place, rpc, request, header=bad)
    assert len(refusal.problem.fields) == 1

"""REST and gRPC are two forms of one service: equal results and equal errors for every RPC (R20).

The RPCs come from gateway.yaml and the descriptors; one good request of each is written down here.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import Parse
from google.protobuf.message import Message
from rest import conforming
from rest.conftest import Place
from rest.library import Requests
from rest.routes import ROUTES, SUCCESS, Route
from rest.wire import Answer, Rest
from rest.wrong import mutilated

from persona.v1 import comparison_service_pb2 as comparisons
from persona.v1 import persona_service_pb2 as personas
from persona.v1 import project_pb2
from persona.v1 import project_service_pb2 as projects
from persona.v1 import response_service_pb2 as responses
from persona.v1 import simulation_service_pb2 as simulations
from persona.v1.measures_pb2 import Reliability
from persona.v1.simulation_pb2 import Simulation
from support.answering.references import rated, referring
from support.answering.shelf import Shelf, library_requests
from support.answers import KINDS, rich_answer
from support.copies import copying
from support.data import at, persona
from support.errors import problem_of
from support.service import Service

READS = [route for route in ROUTES if not route.writes]
WRITES = [route for route in ROUTES if route.writes]


def key_of(route: Route) -> str:
    """Return what a test of a route is called."""
    return route.key


class Both(NamedTuple):
    """The two forms for one caller."""

    rest: Rest
    stubs: dict[str, Any]

    def grpc(self, route: Route, request: Message) -> Any:
        """Call the RPC; return the reply, or a stream's replies as one list."""
        reply = getattr(self.stubs[route.method.containing_service.name], route.name)(request)
        return list(reply) if isinstance(reply, Iterator) else reply

    def http(self, route: Route, request: Message) -> Answer:
        """Send the HTTP request that means the same; the answer is as the document says."""
        verb, path, body = route.filled(request)
        answer = self.rest.call(verb, path, body)
        conforming.check(route, path, body, answer)
        return answer


@pytest.fixture(scope="session")
def caller(service: Service) -> Callable[..., Both]:
    """A function from a tenant and scopes to both forms."""

    def make(tenant: str = "local", scopes: str = "all") -> Both:
        token = service.token(tenant, scopes)
        stubs = service.connect(token)
        both = {
            "PersonaService": stubs.personas,
            "ProjectService": stubs.projects,
            "ResponseService": stubs.responses,
            "LibraryService": stubs.library,
            "SimulationService": stubs.simulations,
            "ComparisonService": stubs.comparison,
        }
        return Both(Rest(service.rest, token), both)

    return make


@pytest.fixture(scope="session")
def both(caller: Callable[..., Both]) -> Both:
    """Both forms, allowed everything."""
    return caller()


@pytest.fixture
def requests(
    both: Both, place: Place, filled: Callable[[int], list[str]], shelf: Shelf
) -> Requests:
    """One good request of every route, on things that are there."""
    group = {"project_id": place.project, "group_id": place.group}
    return Requests(plain_requests(both, place, filled(5)), library_requests(shelf, group))


def plain_requests(both: Both, place: Place, people: list[str]) -> dict[str, Message]:
    """Return those that need no library."""
    project: dict[str, Any] = {"project_id": place.project}
    group = {**project, "group_id": place.group}
    one = {**group, "persona_id": people[2]}
    simulation = str(uuid.uuid4())
    answers = [rich_answer(people[i], **{kind: KINDS[kind]}) for i, kind in enumerate(KINDS)]
    record = responses.RecordResponsesRequest(simulation_id=simulation, responses=answers)
    recorded = both.stubs["ResponseService"].RecordResponses(record).responses[2].id
    later = responses.RecordResponsesRequest(simulation_id=str(uuid.uuid4()), responses=answers)
    both.stubs["ResponseService"].RecordResponses(later)
    both.stubs["ComparisonService"].RecordReferenceAnswers(referring(group, people))
    maria = persona(age=34, attributes={"b": "2", "a": "1"})
    nurses = project_pb2.PersonaGroup(name="Nurses", gender="female", age_min=30)
    return {
        "ListPersonas": personas.ListPersonasRequest(
            **group, page_size=2, age_min=1, attributes={"a": "1"}
        ),
        "ExportPersonas": personas.ExportPersonasRequest(**group, age_max=22),
        "GetPersona": personas.GetPersonaRequest(**one),
        "BatchGetPersonas": personas.BatchGetPersonasRequest(**group, persona_ids=people[::-1]),
        "CountPersonas": personas.CountPersonasRequest(**group, age_max=22, attributes={"a": "1"}),
        "DeletePersona": personas.DeletePersonaRequest(**one),
        "DeleteAllPersonas": personas.DeleteAllPersonasRequest(**group),
        "CreatePersona": personas.CreatePersonaRequest(**group, persona=maria),
        "BatchCreatePersonas": personas.BatchCreatePersonasRequest(**group, personas=[maria] * 2),
        "CopyPersonas": copying(both.stubs["ProjectService"], place, people[::-1]),
        "CreateProject": projects.CreateProjectRequest(project=project_pb2.Project(name="É & <b>")),
        "ListProjects": projects.ListProjectsRequest(page_size=3),
        "GetProject": projects.GetProjectRequest(**project),
        "UpdateProject": projects.UpdateProjectRequest(
            **project,
            project=project_pb2.Project(name="New"),
            update_mask=FieldMask(paths=["name", "description"]),
        ),
        "DeleteProject": projects.DeleteProjectRequest(**project),
        "CreatePersonaGroup": projects.CreatePersonaGroupRequest(**project, persona_group=nurses),
        "ListPersonaGroups": projects.ListPersonaGroupsRequest(**project, page_size=1),
        "GetPersonaGroup": projects.GetPersonaGroupRequest(**group),
        "UpdatePersonaGroup": projects.UpdatePersonaGroupRequest(
            **group,
            persona_group=nurses,
            update_mask=FieldMask(paths=["age_min", "psychographic_notes"]),
        ),
        "DeletePersonaGroup": projects.DeletePersonaGroupRequest(**group),
        "RecordResponses": record,
        "ListResponses": responses.ListResponsesRequest(
            simulation_id=simulation,
            page_size=2,
            occurred_from=at(10_000_001),
            question_key="nps",
            order_by="recorded_at desc",
        ),
        "CreateSimulation": simulations.CreateSimulationRequest(
            **project, simulation=Simulation(name="Wave Ω", model="m", prompt_version="v")
        ),
        "ListSimulations": simulations.ListSimulationsRequest(**project, page_size=1),
        "GetSimulation": simulations.GetSimulationRequest(**project, simulation_id=simulation),
        "UpdateSimulation": simulations.UpdateSimulationRequest(
            **project,
            simulation_id=simulation,
            simulation=Simulation(name="First"),
            update_mask=FieldMask(paths=["name", "description"]),
        ),
        "ListQuestions": simulations.ListQuestionsRequest(**project, page_size=2),
        "ListQuestions by simulation_id": simulations.ListQuestionsRequest(
            **project, simulation_id=simulation
        ),
        "SummarizeResponses by project_id": comparisons.SummarizeResponsesRequest(
            **project, page_size=2
        ),
        "SummarizeResponses by simulation_id": comparisons.SummarizeResponsesRequest(
            **project, simulation_id=simulation
        ),
        "SummarizeResponses by group_id": comparisons.SummarizeResponsesRequest(**group),
        "CompareResponses": comparisons.CompareResponsesRequest(
            **project,
            simulation_id=simulation,
            other_simulation_id=later.simulation_id,
            page_size=2,
        ),
        "RecordReferenceAnswers": comparisons.RecordReferenceAnswersRequest(
            **group, reference_answers=[rated(one, 2) for one in people]
        ),
        "MeasureFidelity": comparisons.MeasureFidelityRequest(**one),
        "MeasureGroupFidelity": comparisons.MeasureGroupFidelityRequest(**group),
        "GetResponse": responses.GetResponseRequest(response_id=recorded),
        "GetResponsePersona": responses.GetResponsePersonaRequest(response_id=recorded),
        "VoidResponses": responses.VoidResponsesRequest(response_ids=[recorded], reason="É & <b>"),
    }


def assert_equal(route: Route, reply: Any, answer: Answer) -> None:
    """Check that an answer is the reply in JSON, with every field in it."""
    assert answer.status == SUCCESS[route.name]
    if answer.status == 204:
        assert answer.body == b""
        return
    replies = reply if isinstance(reply, list) else [reply]
    body = route.response_body
    wanted = [getattr(each, body) if body else each for each in replies]
    for each in wanted:
        timeless(each)
    if isinstance(wanted[0], Message):
        rows = [answer.json()]
    else:
        wanted = [row for page in wanted for row in page]
        rows = answer.lines() if isinstance(reply, list) else answer.json()
        assert wanted
    found = [Parse(json.dumps(row), type(want)()) for row, want in zip(rows, wanted, strict=True)]
    for each in found:
        timeless(each)
    assert found == wanted
    for row, want in zip(rows, wanted, strict=True):
        assert set(row) == shown_fields(want)


def timeless(message: Any) -> None:
    """Take out when something was measured: it is measured for every call."""
    if isinstance(message, Reliability):
        assert message.measured_at.seconds
        message.ClearField("measured_at")


def shown_fields(message: Message) -> set[str]:
    """Return the fields that JSON shows: all, but of several of which one can be set, that one."""
    one_of = {f.name for oneof in message.DESCRIPTOR.oneofs for f in oneof.fields}
    found = {field.name for field in message.DESCRIPTOR.fields} - one_of
    return found | {name for name in one_of if message.HasField(name)}


def test_there_is_a_request_of_every_route(requests: Requests) -> None:
    assert requests.keys() == {route.key for route in ROUTES}
    assert SUCCESS.keys() == {route.name for route in ROUTES}


@pytest.mark.parametrize("route", READS, ids=key_of)
def test_reads_are_equal(both: Both, requests: Requests, route: Route) -> None:
    request = requests[route.key]
    both.rest.call("POST", "/api/v1/projects", {"name": "One more"})
    reply, answer = both.grpc(route, request), both.http(route, request)
    while answer.body == b"[]" and reply.next_page_token:
        # 2,000 questions that nobody of the library answered are an empty page, and tests share one
        request.page_token = reply.next_page_token  # type: ignore[attr-defined]
        reply, answer = both.grpc(route, request), both.http(route, request)
    assert_equal(route, reply, answer)
    if getattr(reply, "next_page_token", ""):  # the other form takes the token
        request.page_token = answer.headers["X-Next-Page-Token"]  # type: ignore[attr-defined]
        following = both.grpc(route, request)
        request.page_token = reply.next_page_token  # type: ignore[attr-defined]
        assert_equal(route, following, both.http(route, request))


@pytest.mark.parametrize("first", ["grpc", "http"])
@pytest.mark.parametrize("route", WRITES, ids=key_of)
def test_a_write_by_one_form_is_the_retry_of_the_other(
    both: Both, requests: Requests, route: Route, first: str
) -> None:
    request: Any = requests[route.key]
    request.request_id = str(uuid.uuid4())
    if first == "grpc":
        reply = both.grpc(route, request)
        answer = both.http(route, request)
    else:
        answer = both.http(route, request)
        reply = both.grpc(route, request)
    assert_equal(route, reply, answer)
    assert both.grpc(route, request) == reply


def assert_equally_refused(both: Both, route: Route, request: Message) -> None:
    """Check that both forms refuse a request, in the same words but for the names of a body."""
    with pytest.raises(grpc.RpcError) as raised:
        both.grpc(route, request)
    wanted = problem_of(raised.value)
    answer = both.http(route, request)
    problem = answer.problem(answer.status, wanted.reason)
    assert problem["code"] == wanted.code.name
    field, colon, words = wanted.message.partition(":")
    assert problem["detail"] == f"{route.named(field)}{colon}{words}"
    shown = {k: route.named(v) if k == "field" else v for k, v in wanted.metadata.items()}
    assert problem["metadata"] == shown
    named = {route.named(field): what for field, what in wanted.fields.items()}
    assert {v["field"]: v["description"] for v in problem["violations"]} == named
    assert (answer.headers["Retry-After"] is not None) == wanted.retry


@pytest.mark.parametrize("route", ROUTES, ids=key_of)
def test_errors_are_equal(both: Both, requests: Requests, route: Route) -> None:
    for request in mutilated(route, requests[route.key]):
        assert_equally_refused(both, route, request)


@pytest.mark.parametrize("route", ROUTES, ids=key_of)
def test_refusals_of_the_caller_are_equal(
    caller: Callable[..., Both], requests: Requests, route: Route
) -> None:
    request = requests[route.key]
    assert_equally_refused(caller(scopes=""), route, request)
    if route.params:
        assert_equally_refused(caller(tenant="other"), route, request)

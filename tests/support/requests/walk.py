"""A random walk over all RPCs, from one seed, that hits, misses, repeats and changes nothing."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from persona.v1 import comparison_service_pb2 as comparison_pb
from persona.v1 import library_service_pb2 as library_pb
from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_service_pb2 as projects_pb
from persona.v1 import response_service_pb2 as responses_pb
from persona.v1.project_pb2 import PersonaGroup
from persona.v1.response_pb2 import Response
from persona_server.transport.methods import Method
from support.answering.references import rated
from support.library import OWN, PEERS, SIMULATIONS, peer_answers, ratings
from support.requests.walk_ids import FewIds
from support.requests.walk_requests import Requests, plain_person
from support.rpcs import BY_NAME, METHODS, Answer, response_of

_WEIGHTS = {
    "DeleteProject": 3,
    "DeletePersonaGroup": 5,
    "DeletePersona": 16,
    "ImportPersonas": 10,
    "CopyPersonas": 20,
    "VoidResponses": 8,
    "BatchGetPersonas": 10,
    "GetResponse": 10,
    "GetSimulation": 10,
    "CreateSimulation": 8,
    "UpdateSimulation": 20,
    "UpdatePersonaGroup": 6,
    "ListSimulations": 4,
    "ListQuestions": 8,
    "CompareResponses": 16,
    "GetLibraryPersona": 8,
    "CreateProject": 8,
    "CreatePersonaGroup": 16,
    "CreatePersona": 16,
    "RecordResponses": 10,
    "GetPersona": 8,
    "GetResponsePersona": 12,
    "RetireLibraryPersona": 3,
    "ReuseLibraryPersonas": 12,
}
_RELIABLE = 0.01  # the share of steps that begin to make somebody eligible


class Step(NamedTuple):
    """A call to make: who, what, and the messages."""

    actor: str
    method: Method
    messages: list[Any]


class Walk:
    """Calls that name few ids, so that they meet; old ones come again later."""

    def __init__(self, seed: int, actors: tuple[str, ...]) -> None:
        self._ids = FewIds(seed)
        self._random = self._ids.random
        self._requests = Requests(self._ids)
        self._actors = actors
        self._done: list[Step] = []
        self._effective: list[Step] = []
        self._planned: Iterator[Step] = iter(())

    def step(self) -> Step:
        """Return the next call: a planned one, one of the last again, or a new one."""
        if planned := next(self._planned, None):
            self._done.append(planned)
            return planned
        if self._ids.chance(_RELIABLE):
            self._planned = self._promotion()
        if self._done and self._ids.chance(0.25):
            return self._again()
        weights = [_WEIGHTS.get(method.name, 4) for method in METHODS]
        (method,) = self._random.choices(METHODS, weights)
        ids = self._ids.of_a_call()
        step = Step(self._random.choice(self._actors), method, self._requests.messages(method, ids))
        self._ids.forget(method.name, ids)
        self._done.append(step)
        return step

    def _again(self) -> Step:
        """Return the last call, or one of the last writes that did something."""
        recent = self._effective[-20:]
        return self._random.choice(recent) if recent and self._ids.chance(0.5) else self._done[-1]

    def learn(self, step: Step, answer: Answer) -> None:
        """Take in how a call ended, and whom it has promoted: the service makes their ids."""
        if answer.error is not None:
            return
        if step.method.has_request_id or step.method.streams_in:
            self._effective.append(step)
        for library_id in _promoted(step, answer):
            if library_id not in self._ids.library:
                self._ids.library.append(library_id)

    def _promotion(self) -> Iterator[Step]:
        """Yield the calls that make a persona eligible and promote it, as long as it is there.

        The peers are in a group of their own, in its project: simulations belong to one.
        """
        ids, tag, group = self._ids.of_a_call(), self._ids.uuid(), self._ids.uuid()
        peers = [plain_person(self._ids.uuid()) for _ in PEERS]
        project = ids["project_id"] = self._ids.groups[ids["group_id"]]
        ids["persona_id"] = self._ids.personas[ids["group_id"]][0]
        where: dict[str, Any] = {name: ids[name] for name in ("project_id", "group_id")}
        yield self._by_name(
            "CreatePersonaGroup",
            projects_pb.CreatePersonaGroupRequest(
                project_id=project, persona_group=PersonaGroup(id=group, name="Peers")
            ),
        )
        yield self._by_name(
            "BatchCreatePersonas",
            pb.BatchCreatePersonasRequest(project_id=project, group_id=group, personas=peers),
        )
        persona = plain_person(ids["persona_id"])
        yield self._by_name("CreatePersona", pb.CreatePersonaRequest(**where, persona=persona))
        said = comparison_pb.RecordReferenceAnswersRequest(
            **where, reference_answers=[rated(persona.id, self._random.randint(1, 2))]
        )
        yield from [self._by_name("RecordReferenceAnswers", said)] * 2
        for day in range(SIMULATIONS):
            others = peer_answers([peer.id for peer in peers], tag, day)
            yield self._recorded([*others, *ratings(persona.id, tag, OWN, day)])
        named: Any = library_pb.PromotePersonaRequest(**where, persona_id=persona.id)
        if self._ids.chance(0.5):
            named = library_pb.PromotePersonasRequest(**where, persona_ids=[persona.id])
        for _ in range(2):  # by the second nothing changes
            request = type(named)()
            request.CopyFrom(named)
            yield self._by_name(named.DESCRIPTOR.name.removesuffix("Request"), request)
        yield from self._reads(where, persona.id)
        ids = self._ids.of_a_call()
        reuse = library_pb.ReuseLibraryPersonasRequest(
            project_id=ids["project_id"], group_id=ids["group_id"]
        )
        reuse.library_persona_ids.extend(self._ids.library[-1:])  # whom it has learnt of meanwhile
        yield from [self._by_name("ReuseLibraryPersonas", reuse)] * 2  # the second is a retry
        copy = pb.CopyPersonasRequest(
            project_id=ids["project_id"],
            group_id=ids["group_id"],
            source_project_id=project,
            source_group_id=group,
            persona_ids=[peers[0].id],
        )
        yield from [self._by_name("CopyPersonas", copy)] * 2

    def _reads(self, where: dict[str, Any], persona_id: str) -> Iterator[Step]:
        """Yield reads of what may be there now, which seldom is what a step at random asks for."""
        for request in (
            pb.GetPersonaLineageRequest(**where, persona_id=persona_id),
            comparison_pb.SummarizeResponsesRequest(**where),
            comparison_pb.CompareResponsesRequest(**where, other_group_id=where["group_id"]),
            comparison_pb.MeasureFidelityRequest(**where, persona_id=persona_id),
            comparison_pb.MeasureGroupFidelityRequest(**where),
            library_pb.GetLibraryPersonaRequest(library_persona_id=self._ids.individual()),
        ):
            name = type(request).__name__.removesuffix("Request")
            yield Step(self._random.choice(self._actors), BY_NAME[name], [request])

    def _recorded(self, answers: list[Response]) -> Step:
        request = responses_pb.RecordResponsesRequest(
            simulation_id=self._ids.uuid(), responses=answers
        )
        return self._by_name("RecordResponses", request)

    def _by_name(self, name: str, request: Any) -> Step:
        request.request_id = self._ids.uuid()
        return Step(self._random.choice(self._actors), BY_NAME[name], [request])


def _promoted(step: Step, answer: Answer) -> set[str]:
    """Return the library personas that a promotion names, made now or before."""
    if not step.method.name.startswith("PromotePersona"):
        return set()
    found: Any = response_of(step.method).FromString(answer.messages[0])
    if step.method.name == "PromotePersona":
        return {found.library_persona.id}
    return {one.library_persona_id.value for one in found.promotions} - {""}

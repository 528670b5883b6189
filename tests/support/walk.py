"""A random walk over all RPCs, from one seed, that hits, misses, repeats and changes nothing."""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from google.protobuf.wrappers_pb2 import Int32Value

from persona.v1 import comparison_service_pb2 as comparison_pb
from persona.v1 import library_service_pb2 as library_pb
from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_service_pb2 as projects_pb
from persona.v1 import response_service_pb2 as responses_pb
from persona.v1.fidelity_pb2 import ReferenceAnswer
from persona.v1.persona_pb2 import Persona
from persona.v1.project_pb2 import PersonaGroup, Project
from persona.v1.response_pb2 import Response
from persona.v1.simulation_pb2 import Simulation
from persona_server.transport.methods import Method
from support.answers import answer
from support.library import OWN, PEERS, SIMULATIONS, peer_answers, ratings
from support.references import rated
from support.rpcs import BY_NAME, METHODS, Answer, response_of

_NAMES = ("One", "Two", "Three")
_PROJECTS, _GROUPS, _PERSONAS = 3, 6, 3  # personas of each group
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
_ORDERS = {
    "ListReliabilitiesRequest": ("", "lower_bound", "coefficient desc", "nope"),
    "ListLibraryPersonasRequest": ("", "project_count", "created_at desc", "nope"),
    "ListResponsesRequest": ("", "occurred_at desc", "recorded_at", "nope"),
}


class Step(NamedTuple):
    """A call to make: who, what, and the messages."""

    actor: str
    method: Method
    messages: list[Any]


class Walk:
    """Few ids, so that calls meet. What is deleted is replaced; old calls come again later."""

    def __init__(self, seed: int, actors: tuple[str, ...]) -> None:
        self._random = random.Random(seed)
        self._actors = actors
        self._projects = [self._uuid() for _ in range(_PROJECTS)]
        self._groups = {self._uuid(): self._projects[i % _PROJECTS] for i in range(_GROUPS)}
        self._personas = {group: self._people() for group in self._groups}
        self._simulations = [self._uuid() for _ in range(3)]
        self._responses = [self._uuid() for _ in range(30)]
        self._library: list[str] = []
        self._done: list[Step] = []
        self._effective: list[Step] = []
        self._planned: Iterator[Step] = iter(())

    def step(self) -> Step:
        """Return the next call: a planned one, one of the last again, or a new one."""
        if planned := next(self._planned, None):
            self._done.append(planned)
            return planned
        if self._chance(_RELIABLE):
            self._planned = self._promotion()
        if self._done and self._chance(0.25):
            return self._again()
        weights = [_WEIGHTS.get(method.name, 4) for method in METHODS]
        (method,) = self._random.choices(METHODS, weights)
        ids = self._ids()
        step = Step(self._random.choice(self._actors), method, self._messages(method, ids))
        self._forget(method.name, ids)
        self._done.append(step)
        return step

    def _again(self) -> Step:
        """Return the last call, or one of the last writes that did something."""
        recent = self._effective[-20:]
        return self._random.choice(recent) if recent and self._chance(0.5) else self._done[-1]

    def learn(self, step: Step, answer: Answer) -> None:
        """Take in how a call ended, and whom it has promoted: the service makes their ids."""
        if answer.error is not None:
            return
        if step.method.has_request_id or step.method.streams_in:
            self._effective.append(step)
        for library_id in _promoted(step, answer):
            if library_id not in self._library:
                self._library.append(library_id)

    def _promotion(self) -> Iterator[Step]:
        """Yield the calls that make a persona eligible and promote it, as long as it is there.

        The peers are in a group of their own, in its project: simulations belong to one.
        """
        ids, tag, group = self._ids(), self._uuid(), self._uuid()
        peers = [_person(self._uuid()) for _ in PEERS]
        project = ids["project_id"] = self._groups[ids["group_id"]]
        ids["persona_id"] = self._personas[ids["group_id"]][0]
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
        persona = _person(ids["persona_id"])
        yield self._by_name("CreatePersona", pb.CreatePersonaRequest(**where, persona=persona))
        said = comparison_pb.RecordReferenceAnswersRequest(
            **where, reference_answers=[rated(persona.id, self._random.randint(1, 2))]
        )
        yield from [self._by_name("RecordReferenceAnswers", said)] * 2
        for day in range(SIMULATIONS):
            others = peer_answers([peer.id for peer in peers], tag, day)
            yield self._recorded([*others, *ratings(persona.id, tag, OWN, day)])
        named: Any = library_pb.PromotePersonaRequest(**where, persona_id=persona.id)
        if self._chance(0.5):
            named = library_pb.PromotePersonasRequest(**where, persona_ids=[persona.id])
        for _ in range(2):  # by the second nothing changes
            request = type(named)()
            request.CopyFrom(named)
            yield self._by_name(named.DESCRIPTOR.name.removesuffix("Request"), request)
        yield from self._reads(where, persona.id)
        ids = self._ids()
        reuse = library_pb.ReuseLibraryPersonasRequest(
            project_id=ids["project_id"], group_id=ids["group_id"]
        )
        reuse.library_persona_ids.extend(self._library[-1:])  # whom it has learnt of meanwhile
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
            library_pb.GetLibraryPersonaRequest(library_persona_id=self._individual()),
        ):
            name = type(request).__name__.removesuffix("Request")
            yield Step(self._random.choice(self._actors), BY_NAME[name], [request])

    def _recorded(self, answers: list[Response]) -> Step:
        request = responses_pb.RecordResponsesRequest(simulation_id=self._uuid(), responses=answers)
        return self._by_name("RecordResponses", request)

    def _by_name(self, name: str, request: Any) -> Step:
        request.request_id = self._uuid()
        return Step(self._random.choice(self._actors), BY_NAME[name], [request])

    def _ids(self) -> dict[str, str]:
        group = self._random.choice(list(self._groups))
        project = self._random.choice(self._projects) if self._chance(0.1) else self._groups[group]
        home = self._random.choice(list(self._groups)) if self._chance(0.1) else group
        persona = self._random.choice(self._personas[home])
        source = self._random.choice(list(self._groups))
        return {
            "project_id": project,
            "group_id": group,
            "persona_id": persona,
            "source_project_id": self._groups[source],
            "source_group_id": source,
            "other_group_id": group,
            "import_id": self._uuid(),
            "simulation_id": self._simulation(),
            "response_id": self._random.choice(self._responses),
            "library_persona_id": self._individual(),
            "request_id": self._random.choice(["", self._uuid(), self._uuid()]),
        }

    def _simulation(self) -> str:
        """Return one of few simulations, now and then a new one in the place of one of them."""
        place = self._random.randrange(len(self._simulations))
        if self._chance(0.03):
            self._simulations[place] = self._uuid()
        return self._simulations[place]

    def _individual(self) -> str:
        known = self._library and not self._chance(0.1)
        return self._random.choice(self._library) if known else self._uuid()

    def _forget(self, name: str, ids: dict[str, str]) -> None:
        """Let new ids take the places of those that a delete has spent."""
        if name == "DeleteProject" and ids["project_id"] in self._projects:
            at, fresh = self._projects.index(ids["project_id"]), self._uuid()
            spent = [g for g, p in self._groups.items() if p == ids["project_id"]]
            self._projects[at] = fresh
            self._renew(spent, fresh)
        elif name == "DeletePersonaGroup":
            self._renew([ids["group_id"]], self._groups[ids["group_id"]])

    def _renew(self, spent: list[str], project: str) -> None:
        for group in spent:
            del self._groups[group], self._personas[group]
            fresh = self._uuid()
            self._groups[fresh], self._personas[fresh] = project, self._people()

    def _people(self) -> list[str]:
        return [self._uuid() for _ in range(_PERSONAS)]

    def _messages(self, method: Method, ids: dict[str, str]) -> list[Any]:
        request = method.request()
        names = [field.name for field in request.DESCRIPTOR.fields]
        self._random.shuffle(names)  # of several parents a request may name, the last one stays
        if method.name == "ListResponses":  # any of its filters
            names = [name for name in names if not name.endswith("_id") or self._chance(0.4)]
        if method.name == "VoidResponses":  # few simulations, as there are few
            names.remove("response_ids" if self._chance(0.05) else "simulation_id")
        for name in names:
            self._fill(request, name, ids)
        if not method.streams_in:
            return [request]
        named: dict[str, Any] = {
            name: ids[name] for name in ("project_id", "group_id", "import_id")
        }
        batches = (
            pb.ImportBatch(sequence=n, personas=self._batch(ids))
            for n in range(1, self._random.randint(2, 4))
        )
        return [
            pb.ImportPersonasRequest(start=pb.ImportStart(**named)),
            *(pb.ImportPersonasRequest(batch=batch) for batch in batches),
        ]

    def _fill(self, request: Any, name: str, ids: dict[str, str]) -> None:
        if name in ids:
            setattr(request, name, ids[name])
        elif name == "personas":
            request.personas.extend(self._batch(ids))
        elif name == "persona":
            request.persona.CopyFrom(self._persona(ids["persona_id"]))
        elif name == "project":
            project = Project(id=ids["project_id"], name=self._random.choice(_NAMES))
            request.project.CopyFrom(project)
        elif name == "persona_group":
            group = PersonaGroup(id=ids["group_id"], name=self._random.choice(_NAMES))
            request.persona_group.CopyFrom(group)
        elif name == "simulation":
            name = self._random.choice(("", *_NAMES))
            request.simulation.CopyFrom(Simulation(id=ids["simulation_id"], name=name))
        elif name in ("responses", "reference_answers"):
            said = self._answers(ids) if name == "responses" else self._references(ids)
            getattr(request, name).extend(said)
        elif name == "update_mask":
            request.update_mask.paths.append("name")
        elif name == "persona_ids":
            copies = "source_group_id" in request.DESCRIPTOR.fields_by_name
            people = self._personas[ids["source_group_id" if copies else "group_id"]]
            request.persona_ids.append(self._random.choice(people))
        elif name.endswith("_ids"):
            getattr(request, name).append(ids[name.removesuffix("s")])
        elif name == "reason":
            request.reason = self._random.choice(_NAMES)
        elif name == "order_by":
            request.order_by = self._random.choice(_ORDERS[request.DESCRIPTOR.name])

    def _persona(self, persona_id: str) -> Persona:
        persona = _person(persona_id)
        if self._chance(0.1):
            persona.full_name = "Somebody else"
        if self._chance(0.05):
            persona.age.value = 200  # now and then one that is refused
        return persona

    def _batch(self, ids: dict[str, str]) -> list[Persona]:
        fresh = [self._persona("") for _ in range(self._random.randint(0, 3))]
        known = [self._persona(self._ids()["persona_id"])] if self._chance(0.2) else []
        return [*fresh, *known, self._persona(ids["persona_id"])][: self._random.randint(1, 5)]

    def _answers(self, ids: dict[str, str]) -> list[Response]:
        # Some fresh, some that are there; what an id says now and then differs.
        key = "other" if self._chance(0.1) else "same"
        fresh = [answer(ids["persona_id"]) for _ in range(self._random.randint(0, 2))]
        known = answer(ids["persona_id"], id=ids["response_id"], question_key=key)
        return [*fresh, known]

    def _references(self, ids: dict[str, str]) -> list[ReferenceAnswer]:
        return [rated(ids["persona_id"], self._random.randint(1, 2))]

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _uuid(self) -> str:
        raw = f"{self._random.getrandbits(128):032x}"
        return "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))


def _promoted(step: Step, answer: Answer) -> set[str]:
    """Return the library personas that a promotion names, made now or before."""
    if not step.method.name.startswith("PromotePersona"):
        return set()
    found: Any = response_of(step.method).FromString(answer.messages[0])
    if step.method.name == "PromotePersona":
        return {found.library_persona.id}
    return {one.library_persona_id.value for one in found.promotions} - {""}


def _person(persona_id: str) -> Persona:
    """Return a persona whose content follows from its id: most creates of one change nothing."""
    return Persona(id=persona_id, full_name=f"Person {persona_id[:4]}", age=Int32Value(value=30))

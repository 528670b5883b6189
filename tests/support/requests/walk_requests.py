"""What the calls of a random walk say: requests filled by the names of their fields."""

from typing import Any

from google.protobuf.wrappers_pb2 import Int32Value

from persona.v1 import persona_service_pb2 as pb
from persona.v1.fidelity_pb2 import ReferenceAnswer
from persona.v1.persona_pb2 import Persona
from persona.v1.project_pb2 import PersonaGroup, Project
from persona.v1.response_pb2 import Response
from persona.v1.simulation_pb2 import Simulation
from persona_server.transport.methods import Method
from support.answering.references import rated
from support.answers import answer
from support.requests.walk_ids import FewIds

_NAMES = ("One", "Two", "Three")
_ORDERS = {
    "ListReliabilitiesRequest": ("", "lower_bound", "coefficient desc", "nope"),
    "ListLibraryPersonasRequest": ("", "project_count", "created_at desc", "nope"),
    "ListResponsesRequest": ("", "occurred_at desc", "recorded_at", "nope"),
}


def plain_person(persona_id: str) -> Persona:
    """Return a persona whose content follows from its id: most creates of one change nothing."""
    return Persona(id=persona_id, full_name=f"Person {persona_id[:4]}", age=Int32Value(value=30))


class Requests:
    """Requests that name the ids of a walk, and now and then what is refused."""

    def __init__(self, ids: FewIds) -> None:
        self._ids = ids
        self._random = ids.random

    def messages(self, method: Method, ids: dict[str, str]) -> list[Any]:
        """Return the request of a call that names these ids, or the messages of its stream."""
        request = method.request()
        names = [field.name for field in request.DESCRIPTOR.fields]
        self._random.shuffle(names)  # of several parents a request may name, the last one stays
        if method.name == "ListResponses":  # any of its filters
            names = [name for name in names if not name.endswith("_id") or self._ids.chance(0.4)]
        if method.name == "VoidResponses":  # few simulations, as there are few
            names.remove("response_ids" if self._ids.chance(0.05) else "simulation_id")
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
            people = self._ids.personas[ids["source_group_id" if copies else "group_id"]]
            request.persona_ids.append(self._random.choice(people))
        elif name.endswith("_ids"):
            getattr(request, name).append(ids[name.removesuffix("s")])
        elif name == "reason":
            request.reason = self._random.choice(_NAMES)
        elif name == "order_by":
            request.order_by = self._random.choice(_ORDERS[request.DESCRIPTOR.name])

    def _persona(self, persona_id: str) -> Persona:
        persona = plain_person(persona_id)
        if self._ids.chance(0.1):
            persona.full_name = "Somebody else"
        if self._ids.chance(0.05):
            persona.age.value = 200  # now and then one that is refused
        return persona

    def _batch(self, ids: dict[str, str]) -> list[Persona]:
        fresh = [self._persona("") for _ in range(self._random.randint(0, 3))]
        known = (
            [self._persona(self._ids.of_a_call()["persona_id"])] if self._ids.chance(0.2) else []
        )
        return [*fresh, *known, self._persona(ids["persona_id"])][: self._random.randint(1, 5)]

    def _answers(self, ids: dict[str, str]) -> list[Response]:
        # Some fresh, some that are there; what an id says now and then differs.
        key = "other" if self._ids.chance(0.1) else "same"
        fresh = [answer(ids["persona_id"]) for _ in range(self._random.randint(0, 2))]
        known = answer(ids["persona_id"], id=ids["response_id"], question_key=key)
        return [*fresh, known]

    def _references(self, ids: dict[str, str]) -> list[ReferenceAnswer]:
        return [rated(ids["persona_id"], self._random.randint(1, 2))]

"""One tenant's project, group and persona, and a valid request to them for every RPC there is.

Requests are filled by the names of their fields, so that a new RPC is covered, or fails, by itself.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

from persona.v1.persona_service_pb2 import ImportPersonasRequest
from persona.v1.project_pb2 import PersonaGroup, Project
from persona.v1.simulation_pb2 import Simulation
from persona_server.transport.methods import Method
from support.answering.references import rated, refer
from support.answers import answer, record
from support.data import make_place, rich_persona, uid
from support.library import answer_reliably, individual, reuse
from support.service import Caller

_KINDS = {
    "Persona": "persona_id",
    "Project": "project_id",
    "PersonaGroup": "group_id",
    "Response": "response_id",
    "Simulation": "simulation_id",
    "ReferenceAnswer": "persona_id",
}
_UNSET = (
    "targets",
    "update_mask",
    "occurred_from",
    "occurred_before",
    "recorded_after",
    "attributes",
)
# Not filled beside the others: of another individual than the persona, or in place of responses.
_ALTERNATIVES = {
    "ListResponsesRequest": ("library_persona_id",),
    "VoidResponsesRequest": ("simulation_id",),
}
# Of a persona that is not in the library they would have little to say.
_OF_A_COPY = ("GetPersonaLineage", "GetReliability", "GetAttitudeTimeline")


class World:
    """What one tenant has. `ids` names it by the fields that requests have for it."""

    def __init__(self, caller: Caller) -> None:
        self.place = make_place(caller)
        self.caller = caller
        persona = self.place.create(rich_persona()).id
        recorded = record(caller, uid(), answer(persona))[0]
        self.ids = {
            "simulation_id": recorded.simulation_id,
            **self.place.ids,
            "persona_id": persona,
            "response_id": recorded.id,
            "import_id": uid(),
        }
        self.ids["other_simulation_id"] = self.ids["simulation_id"]
        self.ids["other_group_id"] = self.ids["group_id"]
        self._prepared: set[str] = set()

    def prepare(self, method: Method) -> None:
        """Make what this method needs beyond a persona: many answers, so that no other gets it."""
        if method.name in self._prepared:
            return
        self._prepared.add(method.name)
        if method.name == "MeasureGroupFidelity":
            self.add_references()
        elif method.name == "CompareResponses":
            self.add_answers()
        elif method.name in ("PromotePersona", "PromotePersonas"):
            answer_reliably(self.place, self.ids["persona_id"])
        elif method.name == "CopyPersonas":
            self.add_source()
        elif method.name in _OF_A_COPY or _is_of_the_library(method):
            self.add_individual()
        if method.name in _OF_A_COPY:
            self.ids["persona_id"] = reuse(self.place, self.ids["library_persona_id"])[0].id

    def add_individual(self) -> None:
        """Promote one more persona, of another project: `library_persona_id` names the last."""
        self.ids["library_persona_id"] = individual(make_place(self.caller)).id

    def add_references(self) -> None:
        """Let a persona and its person answer two questions."""
        (one,) = self.place.fill(1)
        said = [answer(one.id, question_key=key) for key in ("first", "second")]
        record(self.caller, self.ids["simulation_id"], *said)
        refer(self.place, rated(one.id, 4, key="first"), rated(one.id, 4, key="second"))

    def add_answers(self) -> None:
        """Let a persona answer two questions in two simulations."""
        (one,) = self.place.fill(1)
        said = [answer(one.id, question_key=key) for key in ("first", "second")]
        self.ids["other_simulation_id"] = uid()
        for name in ("simulation_id", "other_simulation_id"):
            record(self.caller, self.ids[name], *said)

    def add_source(self) -> None:
        """Make another group with a persona, from where it can be copied."""
        source = make_place(self.caller, self.place.project)
        self.ids |= {f"source_{name}": value for name, value in source.ids.items()}
        self.ids["persona_id"] = source.create(rich_persona()).id

    def messages(self, method: Method, request_id: str = "") -> list[Any]:
        """Return the messages of a call that succeeds."""
        self.prepare(method)
        if not method.streams_in:
            return [self._filled(method, request_id)]
        first, second = ImportPersonasRequest(), ImportPersonasRequest()
        set_known(first.start, self.ids)
        second.batch.sequence = 1
        self._fill(second.batch, second.batch.DESCRIPTOR.fields_by_name["personas"])
        return [first, second]

    def _filled(self, method: Method, request_id: str) -> Message:
        request = method.request()
        set_known(request, self.ids | {"request_id": request_id})
        if hasattr(request, "reason"):
            request.reason = "By a test."
        for field in request.DESCRIPTOR.fields:
            if field.message_type is not None and field.name not in _UNSET:
                self._fill(request, field)
        return request

    def _fill(self, request: Any, field: Any) -> None:
        samples: dict[str, Message] = {
            "Persona": rich_persona(full_name="Another"),
            "Project": Project(name="Renamed", description="By an update."),
            "PersonaGroup": PersonaGroup(name="Renamed", age_min=20),
            "Simulation": Simulation(description="By an update.", model="another"),
            "Response": answer(self.ids["persona_id"], question_key="another"),
            "ReferenceAnswer": rated(self.ids["persona_id"], 4),
        }
        sample = samples[field.message_type.name]
        if field.is_repeated:
            getattr(request, field.name).append(sample)
        else:
            getattr(request, field.name).CopyFrom(sample)


def _is_of_the_library(method: Method) -> bool:
    named = "library_persona_id" in method.request.DESCRIPTOR.fields_by_name
    return named or method.service.endswith(".LibraryService")


def set_known(request: Any, values: dict[str, str]) -> None:
    """Put into a request what each of its ids names, but for alternatives."""
    for field in request.DESCRIPTOR.fields:
        if field.name.endswith("_ids"):
            getattr(request, field.name).append(values[field.name[:-1]])
        elif _is_ours(field.name) and not _is_alternative(request, field.name):
            setattr(request, field.name, values[field.name])


def _is_alternative(request: Any, name: str) -> bool:
    return name in _ALTERNATIVES.get(request.DESCRIPTOR.name, ())


def _is_ours(name: str) -> bool:
    """Return whether a field has an id of this service, and not one that is elsewhere."""
    return name.endswith("_id") and not name.endswith("external_id")


def _parts(request: Any) -> list[Any]:
    """Return what a request is one of: a start or a batch; most are one thing."""
    oneofs = [oneof for oneof in request.oneofs if oneof.name == "content"]
    return [field.message_type for oneof in oneofs for field in oneof.fields] or [request]


def _part(message: Any) -> Any:
    """Return the part that a message is."""
    if isinstance(message, ImportPersonasRequest):
        return getattr(message, message.WhichOneof("content") or "start")
    return message


def id_fields(method: Method) -> Iterator[tuple[str, str]]:
    """Yield (path, what it names) of every id in a request, those of its resources included.

    What it names is a key of `World.ids`, or "request_id", or "library_persona_id".
    """
    for field in (f for part in _parts(method.request.DESCRIPTOR) for f in part.fields):
        if _is_ours(field.name):
            yield field.name, field.name
        elif field.name.endswith("_ids"):
            yield field.name, field.name[:-1]
        elif field.message_type is not None and field.message_type.name in _KINDS:
            for inner in field.message_type.fields:
                if inner.name == "id" or _is_ours(inner.name):
                    kind = _KINDS[field.message_type.name] if inner.name == "id" else inner.name
                    yield f"{field.name}.{inner.name}", kind


def set_id(messages: list[Any], path: str, value: str) -> None:
    """Put an id at a path into the messages of a call, wherever it belongs."""
    outer, _, inner = path.partition(".")
    for message in map(_part, messages):
        if outer not in message.DESCRIPTOR.fields_by_name:
            continue
        holder = getattr(message, outer)
        if inner:
            for resource in [holder] if isinstance(holder, Message) else holder:
                _set_inner(resource, inner, value)
        elif outer.endswith("_ids"):
            holder[:] = [value]
        elif _is_alternative(message, outer):
            reason = getattr(message, "reason", "")
            message.Clear()
            setattr(message, outer, value)
            if reason:
                message.reason = reason
        elif holder or outer == "request_id" or _is_choice(message, outer):
            setattr(message, outer, value)


def _is_choice(message: Any, name: str) -> bool:
    """Return whether a field is one of several that a request may name its parent by."""
    return message.DESCRIPTOR.fields_by_name[name].containing_oneof is not None


def _set_inner(resource: Any, name: str, value: str) -> None:
    current = getattr(resource, name)
    if isinstance(current, Message):
        getattr(resource, name).value = value
    else:
        setattr(resource, name, value)

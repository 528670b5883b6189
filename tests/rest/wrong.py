"""Requests that are wrong in one way each, made of a good one."""

import uuid
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import Int32Value
from rest.routes import Route

from persona.v1.persona_pb2 import Persona

NOBODY = str(uuid.UUID(int=7))


def mutilated(route: Route, good: Message) -> Iterator[Message]:
    """Yield requests that are wrong in one way each."""
    for name in route.params:
        for value in (NOBODY, "nope", "0" * 36):
            if route.name == "RecordResponses" and value == NOBODY:
                continue  # which is a new simulation
            yield changed(good, name, value)
    fields = route.method.input_type.fields_by_name
    bad: dict[str, Any] = {
        "request_id": "nope",
        "page_size": -1,
        "page_token": "nope",
        "age_min": 131,
        "persona_id": NOBODY,
        "library_persona_id": NOBODY,
        "lower_bound_min": 1.5,
        "min_score": -0.5,
        "order_by": "nope",
    }
    for field, wrong in bad.items():
        if field in fields:
            yield changed(good, field, wrong)
    yield from bad_bodies(route, good)


def bad_bodies(route: Route, good: Message) -> Iterator[Message]:
    """Yield requests whose resource is wrong."""
    bad = type(good)()
    bad.CopyFrom(good)
    request: Any = bad
    if route.name == "RecordResponses":
        request.responses[1].choices.values.append("nope")
        request.responses[2].persona_id = NOBODY
        request.responses[4].question_key = ""
    elif route.name == "RecordReferenceAnswers":
        request.reference_answers[1].answer.rating = 9
        request.reference_answers[2].question.key = ""
    elif route.name == "BatchGetPersonas":
        request.persona_ids.append(NOBODY)
    elif route.name == "PromotePersonas":
        request.persona_ids.extend(["nope", request.persona_ids[0]])
    elif route.name == "ReuseLibraryPersonas":
        request.library_persona_ids.extend(["nope", request.library_persona_ids[0]])
    elif route.name == "BatchCreatePersonas":
        request.personas[1].age.value = 999
        request.personas[1].full_name = " "
    elif route.body == "persona":
        request.persona.CopyFrom(Persona(age=Int32Value(value=999), income_level="Huge"))
    elif route.body not in ("", "*"):
        getattr(request, route.body).name = "a\x00b"
        if "update_mask" in route.method.input_type.fields_by_name:
            request.update_mask.paths.append("nope")
    else:
        return
    yield bad


def changed(good: Message, name: str, value: object) -> Message:
    """Return a copy with another value in one field."""
    copy = type(good)()
    copy.CopyFrom(good)
    setattr(copy, name, value)
    return copy

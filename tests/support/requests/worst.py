"""The worst values for every field of every request, made from the descriptors.

They are bytes, as a client that keeps to no rule can send them.
"""

import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from persona.v1.comparison_service_pb2 import RecordReferenceAnswersRequest
from persona.v1.measures_pb2 import QUESTION_KIND_CHOICES
from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import BatchCreatePersonasRequest, ImportBatch
from persona.v1.project_pb2 import PersonaGroup, Project
from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, Response
from persona.v1.response_service_pb2 import RecordResponsesRequest
from persona.v1.simulation_pb2 import Simulation
from persona_server.services.framing import frame
from persona_server.validation.limits import LINES, MAX_MARKS
from support.answering.references import chosen, rated

ID = "0190b5a4-7c3e-7b1a-8f00-0123456789ab"
OTHER = "0190b5a4-7c3e-7b1a-8f00-0123456789ac"  # of a group to copy from
ITEMS: dict[str, Message] = {
    "project": Project(name="x"),
    "persona_group": PersonaGroup(name="x"),
    "persona": Persona(full_name="x"),
    "personas": Persona(full_name="x"),
    "batch": ImportBatch(sequence=1, personas=[Persona(full_name="x")]),
    "simulation": Simulation(name="x"),
    "responses": Response(persona_id=ID, question_key="q", text="x"),
    "reference_answers": rated(ID, 1),
}
_MARKS = sorted(filter(unicodedata.combining, map(chr, range(0x300, 0x3000))))
# Marks in the order that takes the longest to put right, and as many as are taken.
DISORDER = "".join(sorted(_MARKS, key=unicodedata.combining, reverse=True))
ROW = DISORDER[:: len(DISORDER) // MAX_MARKS][:MAX_MARKS]
MANY = "many "  # how the names of cases with many of something begin
EACH = "each of many"
_ITEM = 16_000  # bytes of a long item that is not looked into


class Case(NamedTuple):
    """A message to send: what is bad about it, and its bytes."""

    name: str
    raw: bytes


def valid_request(kind: type[Message]) -> Message:
    """Return a small request that is valid, as far as can be told without a database."""
    request: Any = kind()
    for field in kind.DESCRIPTOR.fields:
        if field.name in ITEMS:
            value: Any = ITEMS[field.name]
            if field.is_repeated:
                getattr(request, field.name).append(value)
            else:
                getattr(request, field.name).CopyFrom(value)
        elif field.name.endswith("_ids"):
            getattr(request, field.name).append(ID)
        elif field.name.startswith("source_"):
            setattr(request, field.name, OTHER)
        elif field.name.endswith("_id"):
            setattr(request, field.name, ID)
        elif field.name == "reason":
            request.reason = "why"
    if "response_ids" in kind.DESCRIPTOR.fields_by_name:  # or a simulation as a whole
        request.ClearField("simulation_id")
    return request  # type: ignore[no-any-return]


def worst_requests(kind: type[Message], size: int) -> Iterator[Case]:
    """Yield a request of about `size` bytes for each way in which each field of it can be bad."""
    good = valid_request(kind).SerializeToString()
    descriptor: Any = kind.DESCRIPTOR
    for name, raw in _worst(descriptor, size):
        yield Case(name, good + raw)


def _worst(kind: Descriptor, size: int | None) -> Iterator[Case]:
    """Yield bad contents of a message; without a size each field is as long as it may be."""
    for field in kind.fields:
        most = size or LINES.get(field.name, 255)
        if field.message_type is not None:
            yield from _worst_messages(field, most)
        elif field.type == FieldDescriptor.TYPE_STRING:
            yield from _worst_texts(field, most)
        else:
            tag = _tag(field.number, 1 if field.type == FieldDescriptor.TYPE_DOUBLE else 0)
            value = b"\0" * 8 if field.type == FieldDescriptor.TYPE_DOUBLE else b"\1"
            yield Case(f"{MANY}{field.name}", _filled(tag + value, most))
    rest = size or 255
    yield Case(f"{MANY}unknown numbers", _filled(_tag(29, 0) + b"\1", rest))
    yield Case(f"{MANY}unknown texts", _filled(_tag(29, 2) + b"\0", rest))
    yield Case(f"{MANY}groups", _filled(_tag(29, 3) + _tag(29, 4), rest))
    yield Case("deep groups", _tag(29, 3) * (rest // 4) + _tag(29, 4) * (rest // 4))


def _worst_texts(field: FieldDescriptor, size: int) -> Iterator[Case]:
    tag = _tag(field.number, 2)
    for name, text in _texts(size):
        yield Case(f"{field.name} of {name}", frame(tag, text))
    yield Case(f"{MANY}empty {field.name}", _filled(frame(tag, b""), size))
    lines = (frame(tag, f"\u00a0{chr(0x100 + i % 0x2000)}".encode()) for i in range(size // 7))
    yield Case(f"{MANY}different {field.name}", b"".join(lines))


def _worst_messages(field: FieldDescriptor, size: int) -> Iterator[Case]:
    tag, kind = _tag(field.number, 2), field.message_type
    assert kind is not None
    start = ITEMS[field.name].SerializeToString() if field.name in ITEMS else b""
    yield Case(f"{MANY}empty {field.name}", _filled(frame(tag, b""), size))
    yield Case(f"{MANY}{field.name}", _filled(frame(tag, start), size))
    for name, raw in _worst(kind, size):
        yield Case(f"{name} in {field.name}", frame(tag, start + raw))
    if field.name in ITEMS and field.is_repeated:
        for how, length in {"short": size // 1000, "long": _ITEM, "full": None}.items():
            for name, raw in _worst(kind, length):
                items = _filled(frame(tag, start + raw), size)
                yield Case(f"{name} in {EACH} {how} {field.name}", items)


def _texts(size: int) -> Iterator[tuple[str, bytes]]:
    """Yield texts of about so many bytes, and bytes that are none."""
    yield "letters", b"a" * size
    yield "spaces", b" " * size
    yield "words", b"a " * (size // 2)
    yield "controls", b"\n" * size
    yield "other spaces", "\u00a0".encode() * (size // 2)
    yield "marks", (DISORDER * (size // len(DISORDER) + 1))[: size // 3].encode()
    yield "marks in rows", f"A{ROW}".encode() * (size // 30)
    yield "ligatures", "ﷺ".encode() * (size // 3)
    yield "letters that fold to more", "ẞΐİ".encode() * (size // 7)
    yield "an address with a space", b"http://" + b"a" * (size - 8) + b" "
    yield "broken UTF-8", b"a" * (size - 1) + b"\xff"


def _filled(field: bytes, size: int) -> bytes:
    return field * max(size // len(field), 1)


def _tag(number: int, wire_type: int) -> bytes:
    """Return a field's tag, which has one or two bytes."""
    tag = number << 3 | wire_type
    return bytes([tag]) if tag < 0x80 else bytes([tag & 0x7F | 0x80, tag >> 7])


def fullest_batches(size: int) -> Iterator[tuple[str, Message]]:
    """Yield valid batches of up to `size` bytes that are as hard to check as they can be."""
    options = [f"\u00a0{chr(0x100 + i)}" for i in range(500)]
    answers = {
        "themes": Response(themes=options[:50], text=""),
        "options": Response(choice=ChoiceAnswer(value=options[-1], options=options)),
        "choices": Response(choices=ChoicesAnswer(values=options, options=options)),
    }
    for name, answer in answers.items():
        answer.MergeFrom(Response(persona_id=ID, question_key="q"))
        answers_of: Any = RecordResponsesRequest(simulation_id=ID, request_id=ID)
        yield name, _full(answers_of, answers_of.responses, answer, size)
    some = chosen(ID, options, *options, kind=QUESTION_KIND_CHOICES)
    some.retest.CopyFrom(some.answer)
    references: Any = RecordReferenceAnswersRequest(project_id=ID, group_id=ID, request_id=ID)
    yield "references", _full(references, references.reference_answers, some, size)
    people = {
        "brands": Persona(trusted_brands=options[:50], distrusted_brands=options[:50]),
        "attributes": Persona(attributes=dict.fromkeys(options[:100], "\u00a0")),
        "addresses": Persona(avatar_url="http://" + "a" * 2041),
    }
    for name, text in {"marks": f"A{ROW}" * 23, "letters that fold to more": "ẞΐİ" * 80}.items():
        people[name] = Persona(gender=text[:60], location=text[:255], occupation=text[:255])
    for name, person in people.items():
        person.full_name = "x"
        group: Any = BatchCreatePersonasRequest(project_id=ID, group_id=ID, request_id=ID)
        yield name, _full(group, group.personas, person, size)


def _full(request: Message, items: Any, item: Message, size: int) -> Message:
    """Put an item into a request as often as the limits allow."""
    items.extend([item] * min((size - request.ByteSize()) // (item.ByteSize() + 5), 1000))
    return request

"""Bytes become messages: as the parser alone would do it, or refused before it has begun."""

import random
from typing import Any

import pytest
from google.protobuf.message import Message

from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import (
    BatchCreatePersonasRequest,
    CreatePersonaRequest,
    ImportBatch,
    ImportPersonasRequest,
    ImportStart,
)
from persona.v1.project_service_pb2 import UpdateProjectRequest
from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import RecordResponsesRequest
from persona_server.services.framing import frame
from persona_server.transport.methods import SERVICES, methods_of
from persona_server.validation.encoded.counts import SHORT, UnacceptableError, known_fields
from persona_server.validation.encoded.parsing import parse
from support.requests.worst import valid_request

# Each once, in the order of the contract: what runs tests side by side wants one order of them.
REQUESTS = list(
    dict.fromkeys(method.request for service in SERVICES for method in methods_of(service))
)
PERSONAS, PERSONA = b"\x1a", b"\x1a"  # field 3 of a batch, and of a create
BATCH = b"\x12"  # field 2 of an import's message, in which field 2 has the personas
LONG = Persona(psychographic_notes="x" * SHORT).SerializeToString()
# A persona's fields, encoded.
BRAND, AGE, ATTRIBUTE, CREATED_AT = b"\x5a\x01x", b"\x2a\x00", b"\x9a\x01\x00", b"\x92\x01\x00"


def long_batch() -> BatchCreatePersonasRequest:
    some = random.Random(1)
    personas = [
        Persona(
            full_name=f"{i}",
            trusted_brands=["é" * some.randrange(5) for _ in range(some.randrange(9))],
            attributes={
                f"{k}": "x" * some.choice((0, 200, 9000)) for k in range(some.randrange(4))
            },
        )
        for i in range(1000)
    ]
    return BatchCreatePersonasRequest(project_id="p", personas=personas, request_id="r")


def refusal(kind: type[Message], raw: bytes) -> tuple[str, str]:
    with pytest.raises(UnacceptableError) as caught:
        parse(kind, raw)
    return caught.value.violation


def test_a_long_message_is_what_the_parser_makes_of_it() -> None:
    batch = long_batch()
    raw = batch.SerializeToString()
    assert len(raw) > SHORT
    assert parse(BatchCreatePersonasRequest, raw) == batch
    # The last of a field counts, wherever it stands, and messages are merged.
    again = raw + BatchCreatePersonasRequest(project_id="q").SerializeToString()
    assert parse(BatchCreatePersonasRequest, again).project_id == "q"
    halves = frame(PERSONA, LONG) + frame(PERSONA, Persona(full_name="x").SerializeToString())
    whole = parse(CreatePersonaRequest, halves).persona
    assert (whole.full_name, len(whole.psychographic_notes)) == ("x", SHORT)


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)
def test_every_request_is_read_alike_long_and_short(kind: type[Message]) -> None:
    """Every list of it has a limit, or this fails."""
    request = valid_request(kind)
    unknown = frame(b"\x82\x7d", b"x" * SHORT)
    found: Any = parse(kind, unknown + request.SerializeToString())
    assert len(found.SerializeToString()) > SHORT  # unknown fields are kept, to be named
    found.DiscardUnknownFields()
    assert found == request


def test_of_a_oneof_the_last_one_stays() -> None:
    """Also where a long one is parsed in parts, between others."""
    batch = ImportBatch(sequence=1, personas=long_batch().personas)
    long, start = (
        ImportPersonasRequest(batch=batch).SerializeToString(),
        ImportPersonasRequest(start=ImportStart(import_id="i")).SerializeToString(),
    )
    for raw in (long, start + long, long + start, start + long + long, long + start + long):
        assert parse(ImportPersonasRequest, raw) == ImportPersonasRequest.FromString(raw)
    assert parse(ImportPersonasRequest, start + long).batch == batch
    assert parse(ImportPersonasRequest, long + start).start.import_id == "i"


def test_an_unknown_field_of_any_wire_type_is_kept() -> None:
    fields = (b"\xf8\x7d\x01", b"\xf9\x7d" + b"x" * 8, b"\xfa\x7d\x01x", b"\xfd\x7d" + b"x" * 4)
    raw = frame(PERSONA, LONG) + b"".join(fields)
    assert parse(CreatePersonaRequest, raw).SerializeToString() == raw


@pytest.mark.parametrize(
    ("kind", "raw", "field", "what"),
    [
        (BatchCreatePersonasRequest, frame(PERSONAS, b"") * 9000, "personas", "at most 1000 items"),
        (
            BatchCreatePersonasRequest,
            frame(PERSONAS, LONG) + frame(PERSONAS, LONG + BRAND * 51),
            "personas[1].trusted_brands",
            "at most 50 items",
        ),
        (
            ImportPersonasRequest,
            frame(BATCH, frame(BATCH, b"") * 9000),
            "batch.personas",
            "at most 1000 items",
        ),
        (
            ImportPersonasRequest,
            frame(BATCH, frame(BATCH, LONG + BRAND * 51)),
            "batch.personas[0].trusted_brands",
            "at most 50 items",
        ),
        (
            CreatePersonaRequest,
            frame(PERSONA, LONG + ATTRIBUTE * 101),
            "persona.attributes",
            "at most 100 items",
        ),
        (CreatePersonaRequest, frame(PERSONA, LONG + AGE * 9), "persona.age", "more than 8 times"),
        (
            CreatePersonaRequest,
            frame(PERSONA, LONG + CREATED_AT * 9),
            "persona.created_at",
            "more than 8 times",
        ),
        (
            UpdateProjectRequest,
            frame(b"\x1a", frame(b"\x0a", b"name") * 9000),
            "update_mask.paths",
            "at most 100 items",
        ),
        (
            RecordResponsesRequest,
            frame(b"\x12", frame(b"\x52", frame(b"\x12", b"x" * 40) * 501)),
            "responses[0].choices.options",
            "at most 500 items",
        ),
        (CreatePersonaRequest, b"\xf8\x7d\x01" * 6000, "request", "field number 2015"),
        (
            CreatePersonaRequest,
            frame(PERSONA, LONG + b"\xfb\x7d\xfc\x7d"),
            "persona",
            "field number 2015",
        ),
        (CreatePersonaRequest, frame(PERSONA, LONG)[:-1], "request", "not a well-formed"),
        (CreatePersonaRequest, frame(PERSONA, LONG) + b"\x0a", "request", "not a well-formed"),
        (CreatePersonaRequest, frame(PERSONA, LONG) + b"\x0f", "request", "not a well-formed"),
        (CreatePersonaRequest, frame(PERSONA, LONG) + b"\xff" * 11, "request", "not a well-formed"),
        (CreatePersonaRequest, frame(PERSONA, LONG + b"\x5a\x09"), "request", "not a well-formed"),
        (CreatePersonaRequest, b"\x0a\x01\xff", "request", "not a well-formed"),
    ],
)
def test_refused_unparsed(kind: type[Message], raw: bytes, field: str, what: str) -> None:
    found, description = refusal(kind, raw)
    assert found == field
    assert what in description


def test_what_is_at_its_limit_is_parsed() -> None:
    persona = frame(PERSONA, LONG + BRAND * 50 + AGE * 8)
    assert len(parse(CreatePersonaRequest, persona).persona.trusted_brands) == 50
    batch = frame(PERSONAS, LONG) + frame(PERSONAS, b"") * 999
    assert len(parse(BatchCreatePersonasRequest, batch).personas) == 1000


def test_a_list_without_a_limit_is_found() -> None:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    with pytest.raises(KeyError):
        known_fields(FileDescriptorSet.DESCRIPTOR)
    assert known_fields(Response.DESCRIPTOR)[14].most == 50

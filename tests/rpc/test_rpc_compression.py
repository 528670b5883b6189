"""Messages that come compressed are served as others are, and refused before they are unpacked."""

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from persona.v1 import persona_service_pb2 as pb
from persona_server.identity.tokens import LocalKey
from persona_server.validation.limits import MAX_REQUEST_BYTES
from support.data import make_place, persona, rich_persona
from support.errors import Problem, refusal_of, refused
from support.importer import Importer
from support.service import TOKEN_SECONDS, Caller, Service

ALGORITHMS = {"deflate": 1, "gzip": 2}  # as gRPC's core numbers them
CREATE = "/persona.v1.PersonaService/CreatePersona"
BOMB = 100 << 20  # bytes
FULL = bytes(MAX_REQUEST_BYTES)


@pytest.fixture(params=ALGORITHMS)
def packing(request: pytest.FixtureRequest) -> tuple[tuple[str, int], ...]:
    """What lets a channel compress its messages."""
    return (("grpc.default_compression_algorithm", ALGORITHMS[request.param]),)


@pytest.fixture
def token(key: LocalKey, tenant: str) -> str:
    return key.issue(tenant, "tests", ["all"], TOKEN_SECONDS)


@pytest.fixture
def packer(service: Service, token: str, packing: tuple[tuple[str, int], ...]) -> Iterator[Caller]:
    """A caller who compresses."""
    caller = Caller(service.grpc, token, packing)
    yield caller
    caller.close()


def test_every_kind_of_call_is_served(packer: Caller) -> None:
    place = make_place(packer)
    made = place.create(rich_persona(psychographic_notes="x" * 10_000))
    asked = pb.GetPersonaRequest(**place.ids, persona_id=made.id)
    assert packer.personas.GetPersona(asked).persona == made
    importer = Importer(place, batches=3, size=50)
    assert importer.run(packer)
    assert importer.count == 150
    exported = packer.personas.ExportPersonas(pb.ExportPersonasRequest(**place.ids))
    assert sum(len(answer.personas) for answer in exported) == 151


def test_health_is_answered(service: Service, packing: tuple[tuple[str, int], ...]) -> None:
    with grpc.insecure_channel(service.grpc, packing) as channel:
        named = health_pb2.HealthCheckRequest(service="persona.v1.PersonaService" + "\0" * 230)
        health: Any = HealthStub(channel)
        assert refusal_of(lambda: health.Check(named)).reason == "UNKNOWN_PATH"
        named.service = ""
        assert health.Check(named).status == health_pb2.HealthCheckResponse.SERVING


def problem(service: Service, token: str, raw: bytes, reason: str) -> Problem:
    """Send bytes as a message, and return why that is refused."""
    with grpc.insecure_channel(service.grpc) as channel:
        call: Any = channel.unary_unary(CREATE)
        with refused(reason) as refusal:
            call(raw, metadata=(("authorization", f"Bearer {token}"),))
    return refusal.problem


def test_what_says_that_it_is_too_long_is_not_unpacked(service: Service, token: str) -> None:
    """Its size is what it says, though there is not a byte of that in it."""
    said = gzip.compress(b"")[:-4] + BOMB.to_bytes(4, "little")
    found = problem(service, token, said, "MESSAGE_TOO_LARGE")
    assert found.code == grpc.StatusCode.INVALID_ARGUMENT
    assert found.metadata == {"size": str(BOMB), "limit": str(MAX_REQUEST_BYTES)}


def test_what_says_nothing_is_unpacked_to_the_first_byte_too_many(
    service: Service, token: str
) -> None:
    found = problem(service, token, zlib.compress(bytes(BOMB)), "MESSAGE_TOO_LARGE")
    assert found.metadata["size"] == str(MAX_REQUEST_BYTES + 1)


BROKEN = {
    "longer than it says": gzip.compress(FULL)[:-4] + (1_000).to_bytes(4, "little"),
    "shorter than it says": gzip.compress(b"")[:-4] + (1_000).to_bytes(4, "little"),
    "cut": gzip.compress(FULL)[:1_000] + bytes(4),
    "two of them": gzip.compress(b"") * 2,
    "with more behind": zlib.compress(b"") + b"\0",
    "of another sum": gzip.compress(b"")[:-8] + b"1234" + bytes(4),
    "no more than a head": b"\x1f\x8b",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_well_packed_is_no_message(service: Service, token: str, name: str) -> None:
    found = problem(service, token, BROKEN[name], "INVALID_FIELD")
    assert found.fields == {"request": "is not a well-formed persona.v1.CreatePersonaRequest"}


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_the_limit_is_that_of_any_message(service: Service, token: str, pack: Any) -> None:
    request = pb.CreatePersonaRequest(persona=persona())
    request.persona.psychographic_notes = "x" * (MAX_REQUEST_BYTES - request.ByteSize() - 8)
    whole = request.SerializeToString()
    assert MAX_REQUEST_BYTES - 8 < len(whole) <= MAX_REQUEST_BYTES
    assert (
        "persona.psychographic_notes"
        in problem(service, token, pack(whole), "INVALID_FIELD").fields
    )
    problem(service, token, pack(whole + bytes(8)), "MESSAGE_TOO_LARGE")

"""Health is open to everybody; reflection tells the contract to callers with a token."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from persona_server.identity.principal import LEEWAY
from persona_server.identity.tokens import LocalKey
from persona_server.transport.methods import SERVICES
from support.data import make_place
from support.errors import refusal_of
from support.operating.forge import Forge
from support.service import Service, running_service
from support.streams import begun
from support.waiting import LIMIT

SERVING = health_pb2.HealthCheckResponse.SERVING
SERVICE_NAMES = [service.full_name for service in SERVICES]
OTHERS = ["grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"]


@pytest.fixture
def channel(service: Service) -> Iterator[grpc.Channel]:
    """A connection without a token."""
    with grpc.insecure_channel(service.grpc) as opened:
        yield opened


@pytest.mark.parametrize("name", ["", *SERVICE_NAMES])
def test_health_of_all_and_of_each(channel: grpc.Channel, name: str) -> None:
    health: Any = health_pb2_grpc.HealthStub(channel)
    assert health.Check(health_pb2.HealthCheckRequest(service=name)).status == SERVING
    watch = health.Watch(health_pb2.HealthCheckRequest(service=name))
    assert next(iter(watch)).status == SERVING
    watch.cancel()


def test_health_of_an_unknown_service_is_not_found(channel: grpc.Channel) -> None:
    health: Any = health_pb2_grpc.HealthStub(channel)
    nothing = health_pb2.HealthCheckRequest(service="persona.v1.Nothing")
    problem = refusal_of(lambda: health.Check(nothing))
    assert (problem.code, problem.reason) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_PATH")


def test_a_name_has_as_many_bytes_as_is_said(channel: grpc.Channel) -> None:
    health: Any = health_pb2_grpc.HealthStub(channel)

    def refused(size: int) -> tuple[str, list[str]]:
        request = health_pb2.HealthCheckRequest(service="x" * size)
        problem = refusal_of(lambda: health.Check(request))
        return problem.reason, list(problem.fields)

    assert refused(255) == ("UNKNOWN_PATH", [])
    assert refused(256) == ("INVALID_FIELD", ["service"])
    assert refused(1000) == ("INVALID_FIELD", ["request"])


def test_watchers_hear_of_the_end_while_calls_drain(tmp_path: Path) -> None:
    flags = ("--rest", "off", "--grace", "1.2")
    with (
        running_service(tmp_path / "data", *flags) as service,
        grpc.insecure_channel(service.grpc) as opened,
    ):
        stream = begun(make_place(service.connect()))  # what there is to drain
        health: Any = health_pb2_grpc.HealthStub(opened)
        watch = iter(health.Watch(health_pb2.HealthCheckRequest()))
        assert next(watch).status == SERVING
        service.process.terminate()
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        stream.drop()
        assert service.process.wait(LIMIT) == 0


def services(channel: grpc.Channel, token: str = "") -> list[str]:
    """Return the services that reflection names."""
    metadata = (("authorization", f"Bearer {token}"),) if token else None
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    (answer,) = stub.ServerReflectionInfo(iter([request]), metadata=metadata)
    return [service.name for service in answer.list_services_response.service]


def test_reflection_needs_a_token_and_no_scope(channel: grpc.Channel, key: LocalKey) -> None:
    for token in ("", "x", key.issue("acme", "me", ["all"], 60)[:-3]):
        with pytest.raises(grpc.RpcError) as refused:
            services(channel, token)
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    found = services(channel, key.issue("acme", "me", [], 60))
    assert sorted(found) == sorted([*SERVICE_NAMES, *OTHERS])


SYMBOLS = [
    *SERVICE_NAMES,
    *(method.full_name for service in SERVICES for method in service.methods),
    "grpc.health.v1.Health.Check",
    "persona.v1.Persona",
    "persona.v1.ErrorReason",
]


def test_reflection_knows_every_symbol(channel: grpc.Channel, key: LocalKey) -> None:
    answers = described(channel, key, SYMBOLS)
    found = {symbol: answer.WhichOneof("message_response") for symbol, answer in answers.items()}
    assert found == dict.fromkeys(SYMBOLS, "file_descriptor_response")


@pytest.mark.parametrize("symbol", ["persona.v1.PersonaService.Nothing", "persona.v1.No.Get", "x"])
def test_reflection_says_of_what_it_knows_nothing(
    channel: grpc.Channel, key: LocalKey, symbol: str
) -> None:
    answer = described(channel, key, [symbol])[symbol]
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def described(channel: grpc.Channel, key: LocalKey, symbols: list[str]) -> dict[str, Any]:
    """Return what reflection answers to somebody who wants the file of each symbol."""
    requests = [reflection_pb2.ServerReflectionRequest(file_containing_symbol=s) for s in symbols]
    metadata = (("authorization", f"Bearer {key.issue('acme', 'me', [], 60)}"),)
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    answers = stub.ServerReflectionInfo(iter(requests), metadata=metadata)
    return dict(zip(symbols, answers, strict=True))


def asked(channel: grpc.Channel, token: str, version: str = "v1alpha") -> Any:
    """Open a reflection stream that stays open; return its call, which has answered once."""
    listed = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
    opened = threading.Event()

    def requests() -> Iterator[bytes]:
        yield listed
        opened.wait(60)

    method = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    open_stream: Any = channel.stream_stream(method)
    call = open_stream(requests(), metadata=(("authorization", f"Bearer {token}"),))
    answer = reflection_pb2.ServerReflectionResponse.FromString(next(call))
    assert len(answer.list_services_response.service) == len(SERVICE_NAMES) + len(OTHERS)
    return call


def test_reflection_has_places_of_its_own(
    service: Service, channel: grpc.Channel, key: LocalKey
) -> None:
    token = key.issue("reflects", "me", ["all"], 60)
    calls = [asked(channel, token, version) for version in ("v1", "v1alpha")]
    refused = refusal_of(lambda: asked(channel, token))
    assert (refused.reason, refused.retry) == ("TOO_MANY_STREAMS", True)
    begun(make_place(service.connect(token))).drop()  # the places of imports are free
    for call in calls:
        call.cancel()


def test_a_stream_ends_with_its_token(service: Service, channel: grpc.Channel) -> None:
    """A token is taken for another 30 seconds after its end, since clocks differ."""
    grpc.channel_ready_future(channel).result(20)  # of the token's seconds it takes none
    call = asked(channel, Forge(service).token(exp=int(time.time()) + 10 - LEEWAY))
    problem = refusal_of(lambda: next(call))
    assert problem.reason == "UNAUTHENTICATED"


def test_open_reflection_needs_no_token(tmp_path: Path) -> None:
    flags = ("--rest", "off", "--open-reflection")
    with (
        running_service(tmp_path / "data", *flags) as service,
        grpc.insecure_channel(service.grpc) as opened,
    ):
        assert sorted(services(opened)) == sorted([*SERVICE_NAMES, *OTHERS])
        # It opens reflection and nothing else.
        call: Callable[..., bytes] = opened.unary_unary(f"/{SERVICE_NAMES[1]}/ListProjects")
        with pytest.raises(grpc.RpcError) as refused:
            call(b"")
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED

"""R9: whatever bytes a message has, the call ends in an answer or in an error that we mean."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from persona_server.transport.methods import Method
from support.attacks.beside import resident
from support.attacks.corruptions import Accident, corrupted, long
from support.attacks.frames import Connection, message, request
from support.attacks.unlikely import fields_of, unlikely
from support.requests.world import World
from support.rpcs import METHODS, SECONDS, bearer, exchange
from support.service import Caller, Service

TENANT = "fuzzed"
CORRUPTED = 25  # messages for each RPC in the short form
FEWEST, A_FIELD = 20, 3  # messages that are drawn for each RPC in it: at least, and by its fields
LONG_ONES = 8  # of each RPC in a round whose memory is looked at: 26 MB of messages in all
GROWTH = 0.05
# Bytes for pages of the database that its connections read for the first time.
ALLOWANCE = 2 << 20
# The first two are faults of ours; the others say that the call did not end by itself.
NEVER = (
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNAVAILABLE,
)
each_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: str(m.name))


class Target:
    """A service, and valid calls of every RPC, each in a world that no other RPC can delete."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.token = service.token(TENANT)
        self.caller: Caller = service.connect(self.token)
        self.worlds = {method.name: World(self.caller) for method in METHODS}

    def valid(self, method: Method) -> list[Any]:
        """Return the messages of a valid call, without a request_id: each is a call of its own."""
        return self.worlds[method.name].messages(method)

    def known(self, method: Method) -> list[str]:
        """Return the ids that mean something in the world of a method."""
        return [str(one) for one in self.worlds[method.name].ids.values()]

    def send(self, method: Method, messages: list[bytes]) -> grpc.StatusCode:
        """Make a call of these bytes, and hold its end against R9 and R10; return its code."""
        answer = exchange(self.caller.channel, method.path, messages, bearer(self.token))
        assert answer.code not in NEVER, answer.text
        return answer.code if answer.error is None else answer.problem.code

    def assert_well(self, logged: int) -> None:
        """Fail unless the process serves, and has logged no fault after so many lines."""
        assert self.service.process.poll() is None
        health: Any = health_pb2_grpc.HealthStub(self.caller.channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert not [line for line in self.service.log[logged:] if line.get("level") == "error"]


@pytest.fixture(scope="module")
def target(own: Service) -> Iterator[Target]:
    made = Target(own)
    yield made
    made.caller.close()


@pytest.fixture(autouse=True)
def well_afterwards(target: Target) -> Iterator[None]:
    logged = len(target.service.log)
    yield
    target.assert_well(logged)


def encoded(target: Target, method: Method) -> list[bytes]:
    return [one.SerializeToString() for one in target.valid(method)]


def with_one(
    chance: random.Random, messages: list[bytes], accident: Accident, other: bytes
) -> list[bytes]:
    """Return the messages of a call after an accident to one of them."""
    place = chance.randrange(len(messages))
    return [accident(chance, raw, other) if i == place else raw for i, raw in enumerate(messages)]


@each_method
def test_corrupted_messages(
    target: Target, method: Method, rounds: Callable[[int, int], int]
) -> None:
    """Random bytes, and valid ones cut short, with turned bits, spliced and partly repeated."""
    chance, valid = random.Random(method.name), encoded(target, method)
    others = [encoded(target, one)[-1] for one in chance.sample(METHODS, 3)]
    codes = {target.send(method, valid)}
    for _ in range(rounds(CORRUPTED, 20 * CORRUPTED)):
        messages = with_one(chance, valid, corrupted, chance.choice(others))
        codes.add(target.send(method, messages))
    assert {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT} <= codes


@each_method
def test_unlikely_messages(
    target: Target, method: Method, rounds: Callable[[int, int], int]
) -> None:
    """Well-formed messages with values from the edges of every kind of field, at any depth."""
    valid, known = target.valid(method), target.known(method)
    examples = max(FEWEST, A_FIELD * fields_of(valid[-1].DESCRIPTOR))
    calls = st.tuples(*(unlikely(one, known) for one in valid))
    place = st.integers(0, len(valid) - 1)

    @settings(
        max_examples=rounds(examples, 20 * examples),
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # to shrink a message that hangs takes SECONDS for each try
        suppress_health_check=list(HealthCheck),
    )
    @given(calls, place)
    def send(drawn: tuple[bytes, ...], changed: int) -> None:
        messages = [one.SerializeToString() for one in valid]
        messages[changed] = drawn[changed]
        target.send(method, messages)

    send()


def malformed(raw: bytes) -> Iterator[bytes]:
    """Yield what a call may send in place of a message in its frame."""
    yield b""
    yield b"\0\0"
    yield message(raw)[:-1]
    yield message(raw) * 2
    yield b"\1" + message(raw)[1:]  # compressed, it says
    yield b"\xff" * 5 + raw
    yield b"\0\xff\xff\xff\xff" + raw


@each_method
def test_malformed_frames(target: Target, method: Method) -> None:
    """A message in no true frame ends its call, and neither its connection nor others on it."""
    connection, until = Connection(target.service.grpc), time.monotonic() + SECONDS
    opened = set()
    for body in malformed(encoded(target, method)[0]):
        stream = connection.open(request(method.path, target.token))
        assert connection.data(stream, body, end=True) == len(body)
        opened.add(stream)
    while opened > connection.over:
        assert not connection.closed
        assert time.monotonic() < until, opened - connection.over
        connection.pump(0.1)
    connection.close()


def test_no_memory_is_left_behind(target: Target, rounds: Callable[[int, int], int]) -> None:
    """After more such messages the process holds what it held after as many before."""
    calls = {method: encoded(target, method) for method in METHODS}

    def send_all(seed: int) -> int:
        chance = random.Random(seed)
        for method, valid in calls.items():
            for _ in range(rounds(LONG_ONES, 20 * LONG_ONES)):
                target.send(method, with_one(chance, valid, long, b""))
                target.send(method, with_one(chance, valid, corrupted, valid[0]))
        return resident(target.service.process.pid)

    sizes = [send_all(seed) for seed in range(3)]
    assert sizes[-1] <= sizes[-2] * (1 + GROWTH) + ALLOWANCE, sizes

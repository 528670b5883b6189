"""R22: a message costs what its length allows, and lets others run, whatever its fields hold."""

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from google.protobuf.message import Message

from persona_server.services.idempotency import request_hash
from persona_server.validation.encoded.counts import UnacceptableError
from persona_server.validation.encoded.parsing import parse
from persona_server.validation.limits import MAX_REQUEST_BYTES
from persona_server.validation.requests import validate
from persona_server.validation.violations import MAX_VIOLATIONS
from support.machine import least
from support.peers.holding import longest_hold
from support.requests.worst import EACH, MANY, fullest_batches, valid_request, worst_requests
from support.rpcs import METHODS

MIB = 1 << 20
SECONDS_A_MIB = 0.1
HOLD = 0.02
LITTLE = 0.01  # seconds: beside others on a busy machine, less tells nothing
REQUESTS = sorted({method.request for method in METHODS}, key=lambda kind: kind.__name__)
LARGE = ("BatchCreatePersonas", "Record", "ReuseLibrary", "UpdateProject")
FULLEST = list(fullest_batches(MAX_REQUEST_BYTES))
all_requests = pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)


def taken_in(kind: type[Message], raw: bytes) -> int:
    """Do what is done with every message, and return how many fields it was refused for."""
    try:
        return len(validate(parse(kind, raw)))
    except UnacceptableError:
        return 1


def cpu_seconds(kind: type[Message], raw: bytes, enough: float = math.inf) -> float:
    """Return what a message costs, as `least` measures it."""

    def once() -> float:
        start = time.thread_time()
        taken_in(kind, raw)
        return time.thread_time() - start

    return least(once, enough)


def bound(raw: bytes) -> float:
    """Return how many seconds a message may cost: so many for each MiB that it has begun."""
    return SECONDS_A_MIB * math.ceil(len(raw) / MIB)


@all_requests
def test_the_valid_request_is_valid(kind: type[Message]) -> None:
    assert validate(valid_request(kind)) == []


@all_requests
def test_the_worst_of_every_field(kind: type[Message], rounds: Callable[[int, int], int]) -> None:
    """Within the bound, and in proportion: twice as much costs at most 2.6 times as much."""
    size = rounds(16, 1024) << 10
    halves = {name: cpu_seconds(kind, raw) for name, raw in worst_requests(kind, size)}
    assert len(halves) > 10
    for name, raw in worst_requests(kind, 2 * size):
        assert taken_in(kind, raw) <= MAX_VIOLATIONS, name
        most = min(bound(raw), 2.6 * max(halves[name], LITTLE))
        assert cpu_seconds(kind, raw, most) <= most, name


@pytest.mark.parametrize(
    "kind",
    [kind for kind in REQUESTS if kind.__name__.startswith(LARGE)],
    ids=lambda kind: kind.__name__,
)
def test_the_largest_let_others_run(kind: type[Message], rounds: Callable[[int, int], int]) -> None:
    all_of_them = rounds(False, True)
    for name, raw in worst_requests(kind, 4 * MIB - 500):
        if name.startswith(MANY) and (all_of_them or EACH not in name):
            assert longest_hold(partial(taken_in, kind, raw), HOLD) <= HOLD, name


@pytest.mark.parametrize(("name", "batch"), FULLEST, ids=[name for name, _ in FULLEST])
def test_the_fullest_batches(name: str, batch: Any) -> None:
    """They are taken, and what is done with every one of them keeps to the same bounds."""
    kind, raw = type(batch), batch.SerializeToString()

    def take() -> None:
        request = parse(kind, raw)
        assert validate(request) == []
        request_hash(request)

    assert longest_hold(take, HOLD) <= HOLD
    assert cpu_seconds(kind, raw, bound(raw)) <= bound(raw)

"""What is left of a call that is over: nothing that waits for the collector of cycles.

With a call that refers to itself, the memory stays that gRPC's core has for it, and calls to come
find none that is warm.
"""

import gc
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from persona_server.errors import database_unavailable
from persona_server.transport.entrance.calls import UnaryCall
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.standin import stand_in
from support.waiting import eventually


@pytest.fixture
def address() -> Iterator[str]:
    """A server in this process, and no collector of cycles."""
    server = stand_in(database_unavailable, Guards())
    port = server.listen("127.0.0.1:0")
    server.start()
    gc.collect()
    gc.disable()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        gc.enable()
        server.stop(1.0)


def test_calls_that_are_over_go_by_themselves(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        check: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
        for _ in range(20):
            check(b"")
        eventually(lambda: not any(isinstance(one, UnaryCall) for one in gc.get_objects()))

"""A name that stands for several addresses of this machine is served at all of them, or not."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest

from persona_server import errors
from persona_server.running.composing import StartError, listen_for_calls
from persona_server.settings.addresses import own_addresses
from persona_server.settings.values import Address
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.server import PersonaServer
from persona_server.transport.standin import stand_in
from support.ports import free_port

HERE, ALSO_HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2", "192.0.2.1"
NAME = "both.test"
NO_KIND = 100  # of addresses: one that no kernel has


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a name stand for two addresses of this machine, one that is none, and one of no kind.

    The last as where the system knows ::1 by name, and its kernel has no IPv6.
    """

    def found(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        assert host == NAME
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        known = [(*kind, (one, 0)) for one in (HERE, ALSO_HERE, ELSEWHERE, HERE)]
        return [*known, (NO_KIND, socket.SOCK_STREAM, 6, "", ("::1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", found)


@contextmanager
def served() -> Iterator[PersonaServer]:
    server = stand_in(errors.database_unavailable, Guards())
    try:
        yield server
    finally:
        server.stop(0.0)


def test_a_name_is_all_its_addresses_on_this_machine() -> None:
    assert own_addresses(Address(NAME, 5)) == [Address(HERE, 5), Address(ALSO_HERE, 5)]
    assert own_addresses(Address(ELSEWHERE, 5)) == [Address(ELSEWHERE, 5)]  # as it was said
    assert own_addresses(Address("::", 5)) == [Address("::", 5)]


def test_all_are_listened_at() -> None:
    with served() as server:
        at = listen_for_calls(server, Address(NAME, free_port(HERE, ALSO_HERE)), None, None)
        assert at.host == NAME
        server.start()
        for host in (HERE, ALSO_HERE):
            with grpc.insecure_channel(f"{host}:{at.port}") as channel:
                grpc.channel_ready_future(channel).result(10)


@pytest.mark.parametrize("host", [HERE, ALSO_HERE])
def test_one_that_is_taken_is_refused(host: str) -> None:
    with socket.socket() as taken, served() as server:
        taken.bind((host, free_port(HERE, ALSO_HERE)))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"can't listen on {NAME}:{port}"):
            listen_for_calls(server, Address(NAME, port), None, None)

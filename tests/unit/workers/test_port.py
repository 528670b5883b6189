"""The port that workers share: taken again after a restart, and from nobody who has it."""

import errno
import socket
from contextlib import closing

import pytest

from persona_server.settings.values import Address
from persona_server.workers.port import Port
from support.ports import free_port


def listening(port: int) -> socket.socket:
    """Listen as servers do, past connections notwithstanding."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.listen()
    return made


@pytest.fixture
def used() -> int:
    """A port at which a server has closed a connection, which the system remembers."""
    port = free_port()  # none that the system gives to another before it is taken again
    with listening(port) as server, socket.create_connection(("127.0.0.1", port)) as client:
        accepted, _ = server.accept()
        accepted.close()
        assert client.recv(1) == b""
    with socket.socket() as plain, pytest.raises(OSError, match="in use"):
        plain.bind(("127.0.0.1", port))
    return port


def test_connections_of_the_past_hold_nobody_up(used: int) -> None:
    with closing(Port(Address("127.0.0.1", used))) as port:
        assert port.address == Address("127.0.0.1", used)


def test_who_listens_keeps_it(used: int) -> None:
    with listening(used):
        assert_taken(used)


def test_who_holds_it_for_workers_keeps_it(used: int) -> None:
    with closing(Port(Address("127.0.0.1", used))):
        assert_taken(used)
        with pytest.raises(OSError, match="in use"):
            listening(used)


def assert_taken(port: int) -> None:
    with pytest.raises(OSError, match="in use") as taken:
        Port(Address("127.0.0.1", port))
    assert taken.value.errno == errno.EADDRINUSE

"""A gateway on its own with TLS: towards its callers, and towards the server."""

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from rest.processes import Backend, Gateway, gateway, program
from rest.wire import Rest

from support.operating.authority import Authority, Files
from support.service import Service, running_service
from support.waiting import LIMIT


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("Authority")


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> Files:
    return authority.issue("gateway").write(tmp_path, "gateway")


@pytest.fixture
def root(authority: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "root.pem"
    path.write_bytes(authority.root)
    return path


def secured(running: Gateway, root: bytes) -> HTTPSConnection:
    host, _, port = running.base.removeprefix("http://").partition(":")
    context = ssl.create_default_context(cadata=root.decode())
    return HTTPSConnection(host, int(port), timeout=20, context=context)


def test_a_request_in_flight_keeps_its_place(
    backend: Backend, authority: Authority, files: Files
) -> None:
    """Of the connections that wait the oldest is closed, and not one that is served."""
    bounds = ["--max-connections", "4", "--max-connections-per-address", "4"]
    with gateway(backend.address, *files.flags, *bounds) as running:
        connection = secured(running, authority.root)
        connection.request("GET", "/api/v1/projects/wait", headers={"Authorization": "Bearer x"})
        assert backend.called.wait(20)
        address = connection.sock.getpeername()
        silent = [socket.create_connection(address) for _ in range(8)]
        for one in silent[:4]:
            one.settimeout(20)
            assert one.recv(1) == b""
        backend.released.set()
        assert json.loads(connection.getresponse().read())["id"] == "wait"
        for one in silent:
            one.close()


class _Server:
    """What a gateway is told of a server with TLS."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        self.folder = folder

    def outcome(self, address: str, *flags: str) -> int:
        """Return the status of a list of projects through a gateway with these flags."""
        with gateway(address, *flags) as running:
            return Rest(running.base, self.service.token()).call("GET", "/api/v1/projects").status


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Server]:
    """A server that wants certificates of this authority, and none but that has its name."""
    folder = tmp_path_factory.mktemp("server")
    own = authority.issue("server").write(folder, "server")
    authority.issue("client").write(folder, "client")
    (folder / "root.pem").write_bytes(authority.root)
    (folder / "other.pem").write_bytes(Authority("other").root)
    flags = [*own.flags, "--tls-client-ca", str(folder / "root.pem"), "--rest", "off"]
    with running_service(folder / "data", *flags) as service:
        yield _Server(service, folder)


def test_the_server_is_known_by_a_root_and_the_name_it_is_called_by(server: _Server) -> None:
    folder, address = server.folder, server.service.grpc
    own = ["--grpc-cert", f"{folder}/client.pem", "--grpc-key", f"{folder}/client.key"]
    assert server.outcome(address, "--grpc-ca", f"{folder}/root.pem", *own) == 200
    assert server.outcome(address, "--grpc-ca", f"{folder}/other.pem", *own) == 503
    by_name = address.replace("127.0.0.1", "localhost")  # which its certificate has not
    assert server.outcome(by_name, "--grpc-ca", f"{folder}/root.pem", *own) == 503
    assert server.outcome(by_name, "--grpc-ca", f"{folder}/server.pem", *own) == 200


def test_a_server_that_wants_a_certificate_is_shown_one(server: _Server) -> None:
    folder, address = server.folder, server.service.grpc
    assert server.outcome(address, "--grpc-ca", f"{folder}/root.pem") == 503
    assert server.outcome(address) == 503  # in plain text


def test_files_that_can_not_be_used_end_it(files: Files, root: Path) -> None:
    missing = f"{root}.missing"
    cases = {
        "can't serve by TLS": ["--tls-cert", missing, "--tls-key", str(files.key)],
        "can't use --grpc": ["--grpc-ca", missing],
    }
    for said, flags in cases.items():
        command = [program(), "--listen", "127.0.0.1:0", "--grpc", "127.0.0.1:1", *flags]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr
        assert missing in done.stderr

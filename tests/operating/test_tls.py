"""TLS of every port: who is served, by what, and for whom no handshake comes about."""

import socket
import ssl
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.operating.authority import Authority, Files
from support.operating.tls import TlsCaller, Trust
from support.service import running_service

SERVED = {"gRPC": 0, "REST": 0, "metrics": True}
REFUSED = dict.fromkeys(SERVED, "refused")
PROTOCOLS = {"gRPC": "h2", "REST": "http/1.1", "metrics": None}
HANDSHAKE_SECONDS = {"gRPC": 5.0, "metrics": 5.0, "REST": 10.0}  # soonest first


@pytest.fixture
def client_ca(clients: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "clients.pem"
    path.write_bytes(clients.root)
    return path


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_port_is_served_by_tls_alone(
    authority: Authority, files: Files, data: Path, workers: str
) -> None:
    with running_service(data, *files.flags, "--workers", workers) as service:
        caller = TlsCaller(service, Trust(authority.root))
        assert caller.answers() == SERVED
        assert TlsCaller(service, Trust(Authority("another").root)).answers() == REFUSED
        for port, address in caller.ports.items():
            assert not plain_answer(address).startswith(b"HTTP/1.1 200"), port
            assert protocol(address, authority.root) == PROTOCOLS[port]
        assert "https://" in service.printed("REST")
        assert "PERSONA_ADDRESS=https://" in service.printed("export ")


def test_workers_serve_by_tls_and_know_their_gateway(
    authority: Authority, files: Files, client_files: Files, client_ca: Path, data: Path
) -> None:
    flags = (*files.flags, "--tls-client-ca", str(client_ca), "--workers", "2")
    with running_service(data, *flags) as service:
        assert TlsCaller(service, Trust(authority.root, client_files)).answers() == SERVED
        assert TlsCaller(service, Trust(authority.root)).answers() == REFUSED


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_older_than_1_2_is_refused(authority: Authority, files: Files, data: Path) -> None:
    with running_service(data, *files.flags) as service:
        for address in TlsCaller(service, Trust(authority.root)).ports.values():
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                assert protocol(address, authority.root, version) in PROTOCOLS.values()
            with pytest.raises((ssl.SSLError, ConnectionError)):
                protocol(address, authority.root, ssl.TLSVersion.TLSv1_1)


def test_with_a_client_ca_only_its_clients_are_served(
    authority: Authority,
    files: Files,
    client_files: Files,
    client_ca: Path,
    data: Path,
    tmp_path: Path,
) -> None:
    stranger = Authority("strangers").issue("client").write(tmp_path, "stranger")
    with running_service(data, *files.flags, "--tls-client-ca", str(client_ca)) as service:
        assert TlsCaller(service, Trust(authority.root, client_files)).answers() == SERVED
        for own in (None, stranger, files):
            assert TlsCaller(service, Trust(authority.root, own)).answers() == REFUSED


def plain_answer(address: str) -> bytes:
    """Return what a port says to a request in plain text."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            return connection.recv(1000)
        except ConnectionError:
            return b""


def protocol(address: str, root: bytes, version: ssl.TLSVersion | None = None) -> str | None:
    """Return the protocol that a port chooses of those that are offered."""
    context = ssl.create_default_context(cadata=root.decode())
    context.set_alpn_protocols(["h2", "http/1.1"])
    if version:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # or this side has nothing to offer
        context.minimum_version = context.maximum_version = version
    host, _, port = address.partition(":")
    with (
        socket.create_connection((host, int(port)), timeout=20) as connection,
        context.wrap_socket(connection, server_hostname="127.0.0.1") as secured,
    ):
        return secured.selected_alpn_protocol()


def test_handshakes_that_never_end_are_ended(
    authority: Authority, files: Files, data: Path
) -> None:
    with running_service(data, *files.flags) as service, ExitStack() as stack:
        caller = TlsCaller(service, Trust(authority.root))
        begun = time.monotonic()
        silent = {
            port: [stack.enter_context(beginning(address, sent)) for sent in (b"", b"\x16\x03\x01")]
            for port, address in caller.ports.items()
        }
        assert caller.answers() == SERVED  # meanwhile
        for port, seconds in HANDSHAKE_SECONDS.items():
            for connection in silent[port]:
                connection.settimeout(seconds + 20.0)
                assert ended(connection), port
            assert time.monotonic() - begun < seconds + 20.0


def test_connections_in_their_handshake_keep_nobody_out(
    authority: Authority, files: Files, data: Path
) -> None:
    bounds = ["--gateway-options", "--max-connections 4 --max-connections-per-address 4"]
    with running_service(data, *files.flags, *bounds) as service, ExitStack() as stack:
        caller = TlsCaller(service, Trust(authority.root))
        silent = [stack.enter_context(beginning(caller.ports["REST"], b"")) for _ in range(8)]
        assert caller.rest() == 0
        for connection in silent[:5]:  # the oldest: three are left beside the one that was answered
            connection.settimeout(20.0)
            assert ended(connection)


def beginning(address: str, sent: bytes) -> socket.socket:
    """Return a connection that has sent this and sends nothing more."""
    host, _, port = address.partition(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(sent)
    return connection


def ended(connection: socket.socket) -> bool:
    """Return whether the other side ends a connection in time, whatever it says before."""
    try:
        while connection.recv(1000):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True

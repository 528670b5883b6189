"""What calls a service by TLS: the Python client, the command line, and grpcurl."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from persona.v1.project_pb2 import Project
from persona_client import PersonaClient, RetryPolicy, TlsFiles, Unavailable
from support.operating.authority import Authority
from support.service import PERSONA, Service, running_service

ONCE = RetryPolicy(attempts=1)
GRPCURL = Path(__file__).parents[2] / ".tools/bin/grpcurl"


class Secured(NamedTuple):
    """A service that wants certificates, and what a client of it needs."""

    service: Service
    files: TlsFiles

    @property
    def address(self) -> str:
        return f"https://{self.service.grpc}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PERSONA_ADDRESS": self.address,
            "PERSONA_TOKEN": self.service.token(),
            "PERSONA_TLS_CA": self.files.ca,
            "PERSONA_CLIENT_CERT": self.files.cert,
            "PERSONA_CLIENT_KEY": self.files.key,
        }


@pytest.fixture(scope="module")
def secured(
    authority: Authority, clients: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    own = authority.issue("service").write(folder, "service")
    client = clients.issue("client").write(folder, "client")
    root, client_ca = folder / "root.pem", folder / "clients.pem"
    root.write_bytes(authority.root)
    client_ca.write_bytes(clients.root)
    flags = [*own.flags, "--tls-client-ca", str(client_ca)]
    with running_service(folder / "data", *flags) as service:
        yield Secured(service, TlsFiles(str(root), str(client.cert), str(client.key)))


def test_the_client_calls_by_tls(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    with PersonaClient(secured.address, secured.service.token(), tls=secured.files) as client:
        made = client.create_project(Project(name="By TLS"))
    for name, value in secured.environment.items():
        monkeypatch.setenv(name, value)
    with PersonaClient.from_environment() as client:
        assert client.get_project(made.id) == made


@pytest.mark.parametrize("lacking", ["ca", "cert"])
def test_who_is_not_trusted_is_unavailable(secured: Secured, lacking: str) -> None:
    files = secured.files._replace(**{lacking: ""} | ({"key": ""} if lacking == "cert" else {}))
    token = secured.service.token()
    with (
        PersonaClient(secured.address, token, retry=ONCE, tls=files) as client,
        pytest.raises(Unavailable),
    ):
        list(client.list_projects())


@pytest.mark.parametrize("address", ["https://", "https://h:1/path", "https://h:x", "https://u@h"])
def test_an_address_that_can_not_be_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"https|port|Port"):
        PersonaClient(address)


def test_files_that_can_not_be_used_are_refused(secured: Secured, tmp_path: Path) -> None:
    no_pem = tmp_path / "no.pem"
    no_pem.write_text("x")
    for files in (
        TlsFiles(ca=str(tmp_path / "missing")),
        TlsFiles(ca=str(no_pem)),
        TlsFiles(cert=secured.files.cert),
    ):
        with pytest.raises(ValueError, match=r"can't be read|PEM|both"):
            PersonaClient(secured.address, tls=files)


def run(secured: Secured, *command: str | Path, **changed: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PERSONA_")}
    environment = clean | secured.environment | changed
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_command_line_calls_by_tls(secured: Secured) -> None:
    made = run(secured, PERSONA, "projects", "create", "On the line")
    assert made.returncode == 0, made.stderr
    assert "On the line" in run(secured, PERSONA, "projects").stdout
    refused = run(secured, PERSONA, "projects", PERSONA_CLIENT_CERT="", PERSONA_CLIENT_KEY="")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"can't reach the service at {secured.address}" in refused.stderr
    misused = run(secured, PERSONA, "projects", PERSONA_TLS_CA="/nowhere.pem")
    assert misused.returncode == 2
    assert "/nowhere.pem" in misused.stderr


@pytest.mark.skipif(not GRPCURL.is_file(), reason="grpcurl is not there")
def test_grpcurl_calls_by_tls(secured: Secured) -> None:
    files = ["-cacert", secured.files.ca, "-cert", secured.files.cert, "-key", secured.files.key]
    header = f"authorization: Bearer {secured.service.token()}"
    method = "persona.v1.ProjectService/ListProjects"
    done = run(secured, GRPCURL, *files, "-H", header, secured.service.grpc, method)
    assert done.returncode == 0, done.stderr
    assert run(secured, GRPCURL, *files[:2], secured.service.grpc, "list").returncode != 0

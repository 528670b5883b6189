"""Files of TLS that change under a running service: new connections are made with the new ones."""

import datetime
import os
import signal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from persona.v1.project_pb2 import PersonaGroup, Project
from persona_client import PersonaClient, TlsFiles
from support.operating.authority import Authority, Files
from support.operating.tls import TlsCaller, Trust
from support.service import Service, running_service
from support.waiting import eventually

SERVED = {"gRPC": 0, "REST": 0, "metrics": True}
HOUR = datetime.timedelta(hours=1)
REFUSED = dict.fromkeys(SERVED, "refused")


def messages(service: Service) -> list[str]:
    return [line["message"] for line in service.log]


@pytest.fixture
def ca(data: Path, clients: Authority) -> Path:
    """The file of whose clients are let in."""
    made = data.parent / "clients.pem"
    made.write_bytes(clients.root)
    return made


def test_new_files_are_taken_without_a_restart(
    authority: Authority, files: Files, data: Path, tmp_path: Path
) -> None:
    other = Authority("next")
    new = other.issue("service")
    with running_service(data, *files.flags) as service:
        before, after = (TlsCaller(service, Trust(each.root)) for each in (authority, other))
        assert (before.answers(), after.answers()) == (SERVED, REFUSED)
        files.cert.write_bytes(new.cert)  # which the key is not of, yet
        assert (before.answers(), after.answers()) == (SERVED, REFUSED)
        files.key.write_bytes(new.key)
        assert (before.answers(), after.answers()) == (REFUSED, SERVED)
        # By both processes, the server and its gateway.
        eventually(lambda: messages(service).count("changed files of TLS taken") >= 2)
        eventually(lambda: "changed files of TLS not taken" in messages(service))


def test_files_are_taken_once_they_can_be_used_though_they_look_the_same(
    authority: Authority, files: Files, data: Path
) -> None:
    """As where they may be read by then, or the time has come from which they are valid."""
    other = Authority("next")
    new = other.issue("service")
    with running_service(data, *files.flags) as service:
        before, after = (TlsCaller(service, Trust(each.root)) for each in (authority, other))
        files.key.write_bytes(new.key)
        files.cert.write_bytes(b"x" * len(new.cert))
        looks = files.cert.stat()
        assert (before.answers(), after.answers()) == (SERVED, REFUSED)
        files.cert.write_bytes(new.cert)
        os.utime(files.cert, ns=(looks.st_atime_ns, looks.st_mtime_ns))
        eventually(lambda: after.answers() == SERVED)
        assert before.answers() == REFUSED
        assert messages(service).count("changed files of TLS not taken") <= 4  # of two processes


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_new_client_ca_is_taken(
    authority: Authority,
    files: Files,
    client_files: Files,
    clients: Authority,
    ca: Path,
    data: Path,
    workers: str,
) -> None:
    other = Authority("other clients")
    others = other.issue("client").write(data.parent, "other")
    flags = [*files.flags, "--tls-client-ca", str(ca), "--workers", workers]
    with running_service(data, *flags) as service:
        old, new = (
            TlsCaller(service, Trust(authority.root, own)) for own in (client_files, others)
        )
        assert (old.answers(), new.answers()) == (SERVED, REFUSED)
        ca.write_bytes(other.root)
        assert (old.answers(), new.answers()) == (REFUSED, SERVED)
        ca.write_bytes(clients.root + other.root)
        assert (old.answers(), new.answers()) == (SERVED, SERVED)


def test_a_bundle_has_comments_in_any_encoding(
    authority: Authority, files: Files, client_files: Files, clients: Authority, data: Path
) -> None:
    ca = data.parent / "clients.pem"
    ca.write_bytes(b"# Autorit\xe9 des clients\n" + clients.root + "# Ende für heute\n".encode())
    with running_service(data, *files.flags, "--tls-client-ca", str(ca)) as service:
        caller = TlsCaller(service, Trust(authority.root, client_files))
        assert caller.answers() == SERVED


@pytest.mark.parametrize("spoilt", [b"", b"no certificate"])
def test_files_that_can_not_be_used_change_nothing(
    authority: Authority, files: Files, data: Path, spoilt: bytes
) -> None:
    with running_service(data, *files.flags) as service:
        caller = TlsCaller(service, Trust(authority.root))
        files.cert.write_bytes(spoilt)
        assert caller.answers() == SERVED
        files.cert.unlink()
        assert caller.answers() == SERVED
        eventually(lambda: "changed files of TLS not taken" in messages(service))


@pytest.mark.parametrize(("starts", "ends"), [(-2, -1), (1, 2)])
def test_files_that_are_not_valid_now_change_nothing(
    authority: Authority,
    files: Files,
    client_files: Files,
    ca: Path,
    data: Path,
    starts: int,
    ends: int,
) -> None:
    """By gRPC, REST and metrics alike, of certificates and of authorities."""
    with running_service(data, *files.flags, "--tls-client-ca", str(ca)) as service:
        caller = TlsCaller(service, Trust(authority.root, client_files))
        good = files.cert.read_bytes(), files.key.read_bytes()
        authority.issue("service", starts=starts * HOUR, ends=ends * HOUR).write(
            files.cert.parent, "service"
        )
        assert caller.answers() == SERVED
        files.cert.write_bytes(good[0])
        files.key.write_bytes(good[1])
        ca.write_bytes(authority.issue("clients", starts=starts * HOUR, ends=ends * HOUR).cert)
        assert caller.answers() == SERVED


def test_a_key_of_another_kind_changes_nothing(
    authority: Authority, files: Files, data: Path
) -> None:
    with running_service(data, *files.flags) as service:
        caller = TlsCaller(service, Trust(authority.root))
        other = authority.issue("service", key=ed25519.Ed25519PrivateKey.generate())
        other.write(files.cert.parent, "service")
        assert caller.answers() == SERVED


def test_why_a_worker_can_not_be_replaced_is_logged(files: Files, data: Path) -> None:
    """It reads the files anew, and starts once they fit again."""
    with running_service(data, *files.flags, "--workers", "2") as service:
        key = files.key.read_bytes()
        files.key.write_bytes(b"no key")
        eventually(lambda: "worker listening" in messages(service))
        pid = next(line["pid"] for line in service.log if line["message"] == "worker listening")
        os.kill(pid, signal.SIGKILL)
        failed = "a worker could not start: tried again"
        eventually(lambda: failed in messages(service))
        told = next(line for line in service.log if line["message"] == failed)
        assert "holds no private key as PEM" in told["reason"]
        files.key.write_bytes(key)
        eventually(lambda: messages(service).count("worker listening") == 3)


def test_the_gateway_knows_the_server_by_new_files(
    authority: Authority, files: Files, data: Path
) -> None:
    """Also between the two, when the server has neither taken.

    Exports have a connection of their own, which the first one makes.
    """
    new = authority.issue("service, renewed")
    root = data.parent / "root.pem"
    root.write_bytes(authority.root)
    with running_service(data, *files.flags) as service:
        with PersonaClient(
            f"https://{service.grpc}", service.token(), tls=TlsFiles(ca=str(root))
        ) as client:
            project = client.create_project(Project(name="Rotated"))
            group = client.create_persona_group(project.id, PersonaGroup(name="all"))
        caller = TlsCaller(service, Trust(authority.root))
        files.cert.write_bytes(new.cert)
        path = f"/api/v1/projects/{project.id}/persona-groups/{group.id}/personas:export"
        assert caller.get("REST", path) == ""

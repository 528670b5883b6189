"""What happens around a running service: each ends in one line, or in a state that health shows."""

import json
import socket
import subprocess
import urllib.request
from http import HTTPStatus
from pathlib import Path

import grpc
import pytest

from persona_server.storage.engine.folder import FILE_NAME
from support.data import Place, make_place, persona
from support.errors import refused
from support.importer import LEAN
from support.operating.health import is_serving
from support.ports import has_ipv6
from support.service import PERSONA, running_service
from support.waiting import eventually


def test_a_folder_that_was_moved_away_is_said_until_it_is_back(data: Path) -> None:
    with running_service(data, *LEAN) as service:
        place = make_place(service.connect())
        kept = place.create(persona())
        elsewhere = data.with_name("elsewhere")
        data.rename(elsewhere)
        eventually(lambda: not is_serving(service))
        with refused("DATABASE_UNAVAILABLE") as refusal:
            place.create(persona())
        assert refusal.problem.retry
        assert place.walk() == [kept]
        elsewhere.rename(data)
        eventually(lambda: is_serving(service))
        place.create(persona())
        assert place.count() == 2
        service.stop()
        reasons = [line["reason"] for line in service.log if line["message"] == "not serving"]
        assert reasons == ["the file of the database is not where it was"]


def test_a_file_in_the_place_of_the_one_that_is_open_is_said(data: Path) -> None:
    with running_service(data, *LEAN) as service:
        place = make_place(service.connect())
        (data / FILE_NAME).rename(data / "old")
        (data / FILE_NAME).write_bytes((data / "old").read_bytes())
        with refused("DATABASE_UNAVAILABLE"):  # at once, before any look
            place.create(persona())
        eventually(lambda: not is_serving(service))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_log_of_a_server_is_not_read_into_another_file(data: Path, workers: str) -> None:
    """A backup is moved over the file of a running server, which is restarted then."""
    backup = data.with_name("backup")
    with running_service(data, *LEAN, "--workers", workers) as service:
        place = make_place(service.connect())
        kept = place.fill(3)
        subprocess.run([str(PERSONA), "backup", str(backup), "--data", str(data)], check=True)
        lost = place.fill(500)
        assert len(lost) == 500
        backup.rename(data / FILE_NAME)
        eventually(lambda: not is_serving(service))
    assert (data / f"{FILE_NAME}-wal.of-another-file").stat().st_size > 0
    with running_service(data, *LEAN) as service:
        again = Place(service.connect(), place.project, place.group)
        assert [one.id for one in again.walk()] == [one.id for one in kept]
        again.create(persona())
    subprocess.run([str(PERSONA), "doctor", "--data", str(data)], check=True)


def failed_start(data: Path, *flags: str) -> str:
    """Return the one sentence that a start ends with."""
    command = [str(PERSONA), "serve", "--data", str(data), "--metrics", "off", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    return line


def test_a_removed_lock_file_lets_no_second_server_in(data: Path) -> None:
    with running_service(data, *LEAN) as service:
        (data / f"{FILE_NAME}.lock").unlink()
        line = failed_start(data, "--listen", "127.0.0.1:0", "--rest", "off")
        assert f"is using {data}" in line
        make_place(service.connect()).create(persona())


def test_with_workers_neither(data: Path) -> None:
    with running_service(data, *LEAN, "--workers", "2"):
        (data / f"{FILE_NAME}.lock").unlink()
        line = failed_start(data, "--listen", "127.0.0.1:0", "--rest", "off")
        assert f"is using {data}" in line


def both_loopbacks() -> bool:
    """Return whether localhost is both addresses here."""
    found = {place[0] for *_, place in socket.getaddrinfo("localhost", None)}
    return has_ipv6() and {"127.0.0.1", "::1"} <= found


@pytest.mark.skipif(not both_loopbacks(), reason="localhost is one address here")
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_localhost_of_which_one_address_is_taken_is_refused(
    data: Path, family: socket.AddressFamily
) -> None:
    """The gateway, or a client, would reach the other program."""
    with socket.socket(family) as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = failed_start(data, "--listen", f"localhost:{port}", "--rest", "off")
    assert f"can't listen on localhost:{port}" in line


@pytest.mark.skipif(not both_loopbacks(), reason="localhost is one address here")
def test_localhost_is_served_at_all_its_addresses(data: Path) -> None:
    with running_service(data, *LEAN, "--listen", "localhost:0") as service:
        port = service.grpc.rpartition(":")[2]
        for host in ("127.0.0.1", "[::1]"):
            with grpc.insecure_channel(f"{host}:{port}") as channel:
                grpc.channel_ready_future(channel).result(10)


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")
def test_all_addresses_of_ipv6_are_those_of_ipv4_too(data: Path) -> None:
    ports = ("--listen", "[::]:0", "--rest", "[::]:0", "--metrics", "[::]:0")
    with running_service(data, *ports, "--local-tokens", "on", "--init") as service:
        for url in (f"{service.rest}/readyz", service.metrics):
            port = url.rpartition(":")[2]  # and the path
            with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=20) as answer:
                assert answer.status == HTTPStatus.OK


def test_where_ipv6_has_no_loopback_the_gateway_goes_by_ipv4(data: Path) -> None:
    """As in a container without IPv6, where all addresses of it can be listened on nevertheless."""
    alone = ["unshare", "--net"]  # whose loopback is not up, and so has no address
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may make no network")
    flags = ["--listen", "[::]:0", "--rest", "off", "--metrics", "off", "--local-tokens", "on"]
    with subprocess.Popen(
        [*alone, PERSONA, "serve", "--data", data, *flags, "--init"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines = map(json.loads, process.stderr)
        line = next(each for each in lines if each["message"] == "listening")
        process.terminate()
        assert line["grpc"].startswith("127.0.0.1:")

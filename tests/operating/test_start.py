"""Starts that can't be, each one sentence and exit code 1; and what makes a new service."""

import errno
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from persona_server.storage.engine.folder import FILE_NAME
from persona_server.storage.store import open_store
from support.databases.disks import mounted
from support.ports import free_port
from support.postgresql import Cluster
from support.service import PERSONA, running_service
from support.waiting import LIMIT

PORTS = ("--listen", "127.0.0.1:0", "--rest", "off", "--metrics", "off")
NAMES_OF_NOTHING = ("a..b", "a" * 64 + ".example")  # looked up, they raise no OSError
OTHERS = ("--listen", "0.0.0.0:0", "--rest", "off", "--local-tokens", "on")


def failed(data: str | bytes | Path | None, *flags: str, files: int = 0, **environment: str) -> str:
    """Return the one sentence that a start ends with, in a folder or in that of the default.

    `files` is how many it may have open, if that is limited.
    """
    named = [] if data is None else ["--data", data]
    limited = [shutil.which("prlimit") or "", f"--nofile={files}"] if files else []
    command = [*limited, PERSONA, "serve", *named, *(flags or PORTS)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PERSONA_")}
    done = subprocess.run(
        command, env=clean | environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith(("persona serve: ", "persona-gateway: "))
    return lines[0]


@pytest.mark.parametrize("before", ["nothing", "folder", "empty file"])
def test_off_loopback_a_new_service_must_be_asked_for(data: Path, before: str) -> None:
    """As where the volume of an old one is not mounted."""
    if before != "nothing":
        data.mkdir()
    if before == "empty file":
        (data / FILE_NAME).touch()
    was = sorted(data.iterdir()) if data.exists() else None
    line = failed(data, *OTHERS, "--metrics", "off")
    assert str(data) in line
    assert "--init" in line
    assert (sorted(data.iterdir()) if data.exists() else None) == was
    with running_service(data, *OTHERS, "--init") as service:
        assert made(service.log) == [str(data)]
    with running_service(data, *OTHERS) as service:
        assert made(service.log) == []


def test_on_loopback_a_new_service_is_made_and_said(data: Path) -> None:
    with running_service(data, "--rest", "off") as service:
        assert made(service.log) == [str(data)]


def test_off_loopback_an_empty_database_of_postgresql_is_no_service(
    cluster: Cluster, data: Path
) -> None:
    """As where the URL names another database than the service's."""
    url = cluster.database()
    for _ in range(2):  # nothing is made by the first
        line = failed(data, *OTHERS, "--metrics", "off", "--database", url)
        assert url in line
        assert "--init" in line
    flags = (*OTHERS, "--database", url)
    with running_service(data, *flags, "--init") as service:
        assert made(service.log) == [url]
    with running_service(data, *flags) as service:
        assert made(service.log) == []


def test_a_postgresql_that_is_not_there_is_one_sentence(data: Path) -> None:
    url = f"postgresql://persona@127.0.0.1:{free_port()}/persona"
    assert url in failed(data, *PORTS, "--database", url)


def test_a_limit_of_open_files_that_is_too_low_is_named(data: Path) -> None:
    assert "limit of open files" in failed(data, files=64)


def test_what_the_gateway_can_not_be_told_is_one_sentence(data: Path) -> None:
    flags = (*PORTS, "--rest", "127.0.0.1:0", "--gateway-options", "--max-nothing 1")
    assert "-max-nothing" in failed(data, *flags)


def made(log: list[dict[str, str]]) -> list[str]:
    return [line["place"] for line in log if line["message"] == "database made"]


def test_the_file_says_whose_it_is(data: Path) -> None:
    open_store(data).close()
    assert (data / FILE_NAME).read_bytes()[68:72] == b"PERS"


def test_a_database_from_before_is_marked_by_a_start(data: Path) -> None:
    open_store(data).close()
    opened = apsw.Connection(str(data / FILE_NAME))
    opened.execute("PRAGMA application_id = 0")
    opened.close()
    open_store(data, make=False).close()
    assert (data / FILE_NAME).read_bytes()[68:72] == bytes(4)
    open_store(data).close()
    assert (data / FILE_NAME).read_bytes()[68:72] == b"PERS"


@pytest.mark.parametrize("sql", ["CREATE TABLE notes (x)", "PRAGMA application_id = 7"])
def test_a_database_of_another_program_is_left_as_it_is(data: Path, sql: str) -> None:
    data.mkdir()
    opened = apsw.Connection(str(data / FILE_NAME))
    opened.execute(sql)
    opened.close()
    before = (data / FILE_NAME).read_bytes()
    assert "is a database of another program" in failed(data)
    assert (data / FILE_NAME).read_bytes() == before


def test_a_damaged_database_is_one_sentence(data: Path) -> None:
    open_store(data).close()
    with (data / FILE_NAME).open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 2000)  # the page of the schema
    assert str(data) in failed(data)


def test_a_start_that_meets_damage_is_one_sentence(data: Path) -> None:
    """In a page that is read once the database is open, when threads run already."""
    open_store(data).close()
    opened = apsw.Connection(str(data / FILE_NAME))
    ((page,),) = opened.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'revoked_token'")
    opened.close()
    with (data / FILE_NAME).open("r+b") as file:
        file.seek((int(str(page)) - 1) * 8192)
        file.write(b"\xff" * 8192)
    line = failed(data)
    assert f"{data} is damaged" in line
    assert "persona doctor" in line


def test_a_path_that_is_no_utf_8_is_one_sentence(tmp_path: Path) -> None:
    line = failed(bytes(tmp_path) + b"/\xff")
    assert "--data" in line
    assert "UTF-8" in line


def test_no_home_is_one_sentence(tmp_path: Path) -> None:
    assert "no home" in failed("~nobody-of-this-name/data", HOME="~")
    line = failed(None, XDG_DATA_HOME="~nobody-of-this-name")
    assert line.startswith("persona serve: The default of --data wants a folder, since this user")


def test_a_folder_that_can_not_be_made_is_one_sentence() -> None:
    assert "/proc/persona can't be used for a database" in failed("/proc/persona")
    assert "/dev/null is neither a folder nor a link to one" in failed("/dev/null/persona")


@pytest.mark.parametrize("flag", ["--listen", "--metrics"])
def test_where_nobody_can_listen_is_told_with_the_reason(data: Path, flag: str) -> None:
    ports = dict(zip(PORTS[::2], PORTS[1::2], strict=True)) | {"--local-tokens": "on", "--init": ""}

    def refused(address: str) -> str:
        return failed(
            data, *(word for pair in (ports | {flag: address}).items() for word in pair if word)
        )

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = taken.getsockname()[1]
        assert os.strerror(errno.EADDRINUSE) in refused(f"127.0.0.1:{port}")
    assert os.strerror(errno.EADDRNOTAVAIL) in refused("203.0.113.1:50051")
    for host in NAMES_OF_NOTHING:
        assert f"{flag} wants HOST:PORT" in refused(f"{host}:50051")


@pytest.mark.parametrize("host", NAMES_OF_NOTHING)
def test_a_database_at_a_host_that_has_no_name_is_one_sentence(host: str) -> None:
    line = failed(None, "--database", f"postgresql://persona@{host}/persona", *PORTS)
    assert f"{host!r} in the URL of the database" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
@pytest.mark.parametrize("mode", [0o500, 0o000])
def test_a_folder_without_permission_is_one_sentence(data: Path, mode: int) -> None:
    open_store(data).close()
    (data / FILE_NAME).chmod(0o400)
    data.chmod(mode)
    try:
        assert str(data) in failed(data)
    finally:
        data.chmod(0o700)


@pytest.fixture(params=["size=256k", "size=3m,ro"], ids=["full", "read-only"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A disk that nothing more can be written to."""
    with mounted(tmp_path / "disk", request.param) as folder:
        yield folder


@pytest.mark.parametrize("below", ["", "below"])
def test_what_is_no_folder_is_named(data: Path, below: str) -> None:
    """As a link to a volume that is not mounted."""
    data.symlink_to(data.with_name("nowhere"))
    assert f"{data} is neither a folder nor a link to one" in failed(data / below)
    data.unlink()
    data.write_text("a backup, say")
    assert str(data) in (line := failed(data / below))
    assert os.strerror(errno.EEXIST) not in line


def test_a_disk_that_can_not_be_written_is_one_sentence(disk: Path) -> None:
    assert str(disk) in failed(disk / "data")


def test_a_database_on_a_disk_that_is_only_read_is_named(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=8m") as disk:
        open_store(disk / "data").close()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        line = failed(disk / "data")
    assert line.endswith(f"{os.strerror(errno.EROFS)} ({FILE_NAME}).")


@pytest.mark.parametrize("stdout", ["/dev/full", "closed"])
def test_a_banner_that_can_not_be_written_stops_nobody(data: Path, stdout: str) -> None:
    ending = "1>&-" if stdout == "closed" else f">{stdout}"
    script = f'exec "$0" serve --data "$1" {" ".join(PORTS)} {ending}'
    with subprocess.Popen(
        ["sh", "-c", script, str(PERSONA), str(data)], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            assert line.startswith("{"), line
            if '"listening"' in line:
                break
        process.terminate()
        rest = process.stderr.read()
        assert process.wait(LIMIT) == 0, rest
        assert '"stopped"' in rest

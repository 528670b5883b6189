"""One server to a data folder, and no process left behind by a kill."""

import subprocess
from pathlib import Path

import pytest

from persona_server.storage.engine.folder import FILE_NAME
from support.data import make_place, persona
from support.importer import LEAN
from support.processes import children
from support.service import PERSONA, running_service
from support.waiting import LIMIT, eventually

PORTS = ("--listen", "127.0.0.1:0", "--rest", "off", "--metrics", "off")


def serve(data: Path) -> subprocess.CompletedProcess[str]:
    """Run a service that is expected to end by itself."""
    command = [str(PERSONA), "serve", "--data", str(data), *PORTS]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)


@pytest.mark.sqlite("its folder is one service's")
def test_second_server_on_a_folder_says_so_and_ends(data: Path, tmp_path: Path) -> None:
    with running_service(data, *LEAN) as service:
        place = make_place(service.connect())
        second = serve(data)
        assert second.returncode == 1
        assert second.stdout == ""
        (line,) = second.stderr.splitlines()
        assert f"Another server (process {service.process.pid}) is using {data}" in line
        assert "Stop it, or name another folder." in line
        command = [str(PERSONA), "token", "--data", str(data), "--tenant", "local"]
        # Which takes no lock.
        subprocess.run(command, capture_output=True, timeout=LIMIT, check=True)
        assert place.create(persona()) == place.walk()[0]  # the first one goes on
        link = tmp_path / "link"  # another name of the folder is the same folder
        link.symlink_to(data)
        assert serve(link).returncode == 1
        assert (data / f"{FILE_NAME}.lock").read_text() == f"{service.process.pid}\n"
        service.kill()
    with running_service(data, *LEAN) as service:  # a dead server holds nothing
        assert service.process.poll() is None


def test_killed_server_leaves_no_gateway(data: Path) -> None:
    with running_service(data) as service:
        (gateway,) = children(service.process.pid)
        assert "persona-gateway" in Path(f"/proc/{gateway}/cmdline").read_text()
        service.kill()
        eventually(lambda: ended(gateway))


def test_stopped_server_leaves_no_gateway(data: Path) -> None:
    with running_service(data) as service:
        (gateway,) = children(service.process.pid)
        make_place(service.connect())
        assert service.stop() == 0
        assert ended(gateway)


def test_killed_gateway_ends_the_server(data: Path) -> None:
    """Half a service is worse than one that a supervisor restarts."""
    with running_service(data) as service:
        (gateway,) = children(service.process.pid)
        subprocess.run(["kill", "-9", str(gateway)], check=True)
        assert service.ended() == 1


def ended(process: int) -> bool:
    """Return whether a process is gone, or waits to be collected."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"

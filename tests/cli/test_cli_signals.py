"""Signals end a command or the server with a word: what was done, and how to go on."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from cli.conftest import Cli, Place
from client.standin import Standin

from persona_client import ExportPersonasResponse, PersonaClient
from support.data import uid
from support.service import Service, running_service
from support.waiting import LIMIT, eventually

ENDING = [signal.SIGHUP, signal.SIGTERM, signal.SIGINT]


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.jsonl"
    path.write_text("".join(f'{{"full_name": "{i}"}}\n' for i in range(40_000)))
    return path


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LIMIT)
    return process.returncode, out, err.strip()


@pytest.mark.parametrize("number", ENDING)
def test_an_import_says_what_is_in_and_goes_on(
    cli: Cli, client: PersonaClient, place: Place, large: Path, number: signal.Signals
) -> None:
    process = cli.start("import", large, *place.options)
    eventually(lambda: client.get_persona_group(*place.ids).persona_count > 2000)
    process.send_signal(number)
    code, out, err = ended(process)
    assert (code, out) == (128 + number, "")
    word = "Interrupted." if number == signal.SIGINT else f"Stopped by {number.name}."
    assert err.startswith(word)
    assert err.endswith("personas are imported. The same command resumes from there.")
    done = cli.run("import", large, *place.options)
    assert (done.code, done.out) == (0, "40000 imported, 0 refused.\n")
    assert client.get_persona_group(*place.ids).persona_count == 40_000


def test_an_export_leaves_its_file_as_it_was(tmp_path: Path) -> None:
    """The service of this test never ends its answer."""
    target, going_on = tmp_path / "group.jsonl", Event()
    target.write_text("before")

    def silent(requests: Iterator[Any]) -> Iterator[ExportPersonasResponse]:
        next(requests)
        yield ExportPersonasResponse()
        going_on.wait(20)

    standin = Standin()
    standin.streams["ExportPersonas"].append(silent)
    cli = Cli(standin.address, "token", tmp_path)
    process = cli.start("export", "--project", uid(), "--group", uid(), "-o", target)
    eventually(lambda: standin.requests["ExportPersonas"])
    process.send_signal(signal.SIGTERM)
    code, out, err = ended(process)
    going_on.set()
    standin.stop()
    assert (code, out) == (143, "")
    assert err == f"Stopped by SIGTERM. {target} is as it was; the same command begins anew."
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_server_says_which_signal_stops_it(tmp_path: Path) -> None:
    with running_service(tmp_path / "data", "--rest", "off") as service:
        service.process.send_signal(signal.SIGINT)
        assert service.ended() == 0
    stopping = [line for line in service.log if line["message"] == "stopping"]
    assert [line["signal"] for line in stopping] == ["SIGINT"]
    assert service.log[-1]["message"] == "stopped"


def test_a_server_that_ignores_the_end_of_its_terminal_goes_on(tmp_path: Path) -> None:
    """As nohup has it, which hands the ignoring down."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        service = Service(tmp_path / "data", "--rest", "off")
    finally:
        signal.signal(signal.SIGHUP, before)
    service.process.send_signal(signal.SIGHUP)
    assert service.stop() == 0
    stopping = [line for line in service.log if line["message"] == "stopping"]
    assert [line["signal"] for line in stopping] == ["SIGTERM"]

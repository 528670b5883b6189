"""A shell in which the pages for operators are followed, with a test's places for a machine's."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from persona_cli.command_line import app
from support.postgresql import programs
from support.service import PERSONA
from support.waiting import LIMIT, eventually

ROOT = Path(__file__).parents[2]
SERVES = re.compile(r"(\w+=\S+ )*persona(-gateway| serve)\b")
# What wants the database for itself: whoever follows a page has stopped the server before.
ALONE = re.compile(r"persona (erase|tenants erase|rebuild-measures|copy)\b|createdb\b")
# A page may make a database anew for each of its stories.
FIRST = {"createdb ": "dropdb --if-exists --force persona"}
YES = "y\n"  # for what asks whether it may


def shell_commands(page: str) -> list[str]:
    """Return the commands of a page's `sh` blocks, in order, each in one line."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


class Shell:
    """Runs commands one after the other in one folder.

    A server runs on behind the commands that follow it, until the next server is started, or a
    command comes that must be alone with the database. A gateway is started beside a server.
    """

    def __init__(self, folder: Path, places: Mapping[str, str], variables: Mapping[str, str]):
        self._folder = folder
        self._places = places
        self._servers: list[subprocess.Popen[bytes]] = []
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PERSONA_", "PG"))}
        path = [str(PERSONA.parent), str(ROOT / ".tools/bin"), str(programs()), clean["PATH"]]
        self._environment = clean | {"PATH": os.pathsep.join(path)} | dict(variables)

    def here(self, text: str) -> str:
        """Return a text of a page with places of this test; the first of two that fit counts."""
        found = re.compile("|".join(map(re.escape, self._places)))
        return found.sub(lambda place: self._places[place[0]], text)

    def follow(self, command: str) -> None:
        """Do what a command of a page says; it must succeed."""
        if SERVES.match(command):
            if "persona-gateway" not in command:
                self.stop()
            self._serve(self.here(command))
            return
        if ALONE.match(command):
            self.stop()
        first = next((one for start, one in FIRST.items() if command.startswith(start)), ":")
        state = self._folder / "variables"
        script = f"{first}\n{self.here(command)}\nended=$?; env -0 > {state}; exit $ended"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=self._folder,
            env=self._environment,
            input=YES,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        pairs = state.read_text().rstrip("\0").split("\0")
        self._environment = dict(pair.split("=", 1) for pair in pairs)  # what it has exported

    def _serve(self, command: str) -> None:
        path = self._folder / f"log-{len(list(self._folder.glob('log-*')))}"
        with path.open("wb") as log:
            server = subprocess.Popen(
                ["bash", "-c", f"exec env {command}"],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self._servers.append(server)
        eventually(lambda: b'"listening"' in path.read_bytes() or server.poll() is not None, 60)
        assert server.poll() is None, f"{command}\n{path.read_text()}"

    def stop(self) -> None:
        """Stop what runs, a gateway before its server; each must end well."""
        while self._servers:
            server = self._servers.pop()
            server.send_signal(signal.SIGTERM)
            assert server.wait(LIMIT) == 0, server.args


@contextmanager
def shell(folder: Path, places: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[Shell]:
    """Give a shell for a block, whose servers end with it."""
    running = Shell(folder, places, variables)
    try:
        yield running
    finally:
        running.stop()


def parse(words: list[str]) -> None:
    """Parse the words behind `persona`. Raises click's UsageError for what it does not know."""
    command: Any = typer.main.get_command(app)
    context = command.context_class(command)
    while isinstance(command, TyperGroup) and words:
        _, command, words = command.resolve_command(context, words)
        context = command.context_class(command, parent=context)
    command.make_parser(context).parse_args(words)


def flags() -> set[str]:
    """Return every flag of `persona` and of the gateway."""
    found = set[str]()
    commands: list[Any] = [typer.main.get_command(app)]
    while commands:
        command = commands.pop()
        for parameter in command.params:
            found.update((*parameter.opts, *parameter.secondary_opts))
        if isinstance(command, TyperGroup):
            context = command.context_class(command)
            commands += [command.get_command(context, name) for name in command.commands]
    gateway = Path(sys.executable).with_name("persona-gateway")
    told = subprocess.run([gateway, "--help"], capture_output=True, text=True, check=False).stderr
    return found | {f"--{name}" for name in re.findall(r"^  -([a-z-]+)", told, re.M)}

"""The `persona` command against the running service."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from persona_cli import app
from persona_client import Persona, PersonaClient, PersonaGroup, Project
from support.data import Place as Group
from support.service import PERSONA, Service


class Done(NamedTuple):
    """What a command ended with."""

    code: int
    out: str
    err: str

    def lines(self) -> list[Any]:
        """Return what was printed as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


class Place(NamedTuple):
    """A persona group by the names that commands take, and by its ids."""

    project: str
    group: str
    project_id: str
    group_id: str

    @property
    def ids(self) -> tuple[str, str]:
        """The ids as calls take them."""
        return self.project_id, self.group_id

    @property
    def options(self) -> tuple[str, ...]:
        """The options that name the group."""
        return "--project", self.project, "--group", self.group


class Cli:
    """Runs commands in this process, or as one of their own."""

    def __init__(self, address: str, token: str, state: Path) -> None:
        self.journals = state / "persona/imports"
        self.environment = {
            "PERSONA_ADDRESS": address,
            "PERSONA_TOKEN": token,
            "XDG_STATE_HOME": str(state),
        }

    def run(self, *arguments: str | Path, stdin: str | bytes | None = None) -> Done:
        """Run a command to its end; a traceback fails the test."""
        done = CliRunner().invoke(
            app, [str(a) for a in arguments], input=stdin, env=self.environment
        )
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    def start(
        self,
        *arguments: str | Path,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        **options: Any,
    ) -> "subprocess.Popen[str]":
        """Start a command as a process."""
        return subprocess.Popen(
            [PERSONA, *arguments],
            env=os.environ | self.environment,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def shell(self, script: str, *arguments: str | bytes | Path, **environment: str) -> Done:
        """Run a line of bash, to which `persona` is the command, and wait for its end.

        `arguments` are $1 and so on; `environment` is added to what commands have.
        """
        known = os.environ | self.environment | {"PATH": f"{PERSONA.parent}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", script, "bash", *arguments],
            env=known | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def cli(service: Service, tmp_path: Path) -> Cli:
    """Commands with a token of all scopes, and imports kept in a folder of the test."""
    return Cli(service.grpc, service.token(), tmp_path / "state")


@pytest.fixture(scope="session")
def client(service: Service) -> Iterator[PersonaClient]:
    """A client of the running service, to look with."""
    with PersonaClient(service.grpc, service.token()) as made:
        yield made


@pytest.fixture
def place(client: PersonaClient) -> Place:
    """A new, empty group in a project whose name no other has."""
    project = client.create_project(Project(name=f"Project {uuid.uuid4()}"))
    group = client.create_persona_group(project.id, PersonaGroup(name="everyone"))
    return Place(project.name, group.name, project.id, group.id)


@pytest.fixture
def persona(client: PersonaClient, place: Place) -> Persona:
    """A persona of the place."""
    return client.create_persona(*place.ids, Persona(full_name="Maria Santos"))


@pytest.fixture
def group(service: Service, place: Place) -> Group:
    """The place as the other tests' helpers know it."""
    return Group(service.connect(), *place.ids)

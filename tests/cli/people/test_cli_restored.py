"""A broken run goes on against a database that was restored from a backup made during it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from cli.answers import jsonl, rated
from cli.conftest import Cli

from persona_client import Persona, PersonaClient, PersonaGroup, Project
from support.data import uid
from support.service import Service, running_service
from support.waiting import eventually

FILE = "persona.sqlite3"
NUMBER = 40_000


def test_an_import_goes_on_from_what_is_there(tmp_path: Path) -> None:
    with running_service(tmp_path / "data", "--rest", "off") as service:
        project, group, _ = made(service)
        file = tmp_path / "personas.jsonl"
        file.write_text("".join(f'{{"full_name": "{i}"}}\n' for i in range(NUMBER)))
        words = ("import", f"{file}", "--project", project, "--group", group)
        break_and_restore(service, tmp_path, *words)
    with running_service(service.data, "--rest", "off") as again:
        done = commands(again, tmp_path).run(*words)
        assert (done.code, done.out) == (0, f"{NUMBER} imported, 0 refused.\n")
        with PersonaClient(again.grpc, again.token()) as client:
            names = [one.full_name for one in client.export_personas(project, group)]
    assert sorted(names[1:], key=int) == [f"{i}" for i in range(NUMBER)]


def test_a_recording_goes_on_from_what_is_there(tmp_path: Path) -> None:
    with running_service(tmp_path / "data", "--rest", "off") as service:
        *_, persona = made(service)
        file, simulation = tmp_path / "answers.jsonl", uid()
        file.write_text(jsonl(rated(persona, f"q{i}") for i in range(12_000)))
        words = ("responses", "record", f"{file}", "-s", simulation)
        break_and_restore(service, tmp_path, *words)
    with running_service(service.data, "--rest", "off") as again:
        done = commands(again, tmp_path).run(*words)
        assert (done.code, done.out) == (0, "12000 recorded, 0 refused.\n")
        with PersonaClient(again.grpc, again.token()) as client:
            found = [one.question_key for one in client.list_responses(simulation_id=simulation)]
    assert sorted(found) == sorted(f"q{i}" for i in range(12_000))


def made(service: Service) -> tuple[str, str, str]:
    """Make a project, a group and a persona, and return their ids."""
    with PersonaClient(service.grpc, service.token()) as client:
        project = client.create_project(Project(name="p")).id
        group = client.create_persona_group(project, PersonaGroup(name="g")).id
        return project, group, client.create_persona(project, group, Persona(full_name="x")).id


def commands(service: Service, folder: Path) -> Cli:
    return Cli(service.grpc, service.token(), folder / "state")


def break_and_restore(service: Service, folder: Path, *words: str) -> None:
    """Kill a run and its service, and put the database back to when the run had done less."""
    cli, backup = commands(service, folder), folder / "backup"
    process = cli.start(*words)
    eventually(lambda: _noted(cli, 1))
    with (
        closing(sqlite3.connect(service.data / FILE)) as source,
        closing(sqlite3.connect(backup)) as copy,
    ):
        source.backup(copy)
    eventually(lambda: _noted(cli, 6))
    process.kill()
    process.communicate()
    service.kill()
    for path in service.data.glob(f"{FILE}*"):
        path.unlink()
    backup.rename(service.data / FILE)


def _noted(cli: Cli, number: int) -> bool:
    journals = list(cli.journals.glob("*")) if cli.journals.exists() else []
    return any(f'"acknowledged":{number}' in path.read_text() for path in journals)

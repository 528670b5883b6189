"""A pipe that takes its time: what came through it is with the service before there is more."""

import json
import signal
import subprocess
import uuid
from functools import partial
from typing import Any

from cli.answers import rated
from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient
from support.waiting import LIMIT, eventually


class Fed:
    """A command with a pipe for its input."""

    def __init__(self, cli: Cli, *arguments: str) -> None:
        self.process = cli.start(*arguments, stdin=subprocess.PIPE)

    def feed(self, value: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(value) + "\n")
        self.process.stdin.flush()

    def end(self) -> tuple[str, str]:
        """Close the pipe and return what was printed."""
        return self.process.communicate(timeout=LIMIT)


def number(client: PersonaClient, place: Place) -> int:
    return client.get_persona_group(*place.ids).persona_count


def has(client: PersonaClient, place: Place, count: int) -> bool:
    return number(client, place) == count


def test_a_line_is_imported_before_the_next_one_comes(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    command = Fed(cli, "import", "-", *place.options)
    for i in range(3):
        command.feed({"full_name": f"{i}"})
        eventually(partial(has, client, place, i + 1))
    command.feed({"full_name": ""})
    out, err = command.end()
    assert (command.process.returncode, out) == (1, "3 imported, 1 refused.\n")
    assert "<stdin>:4" in err
    assert [one.full_name for one in client.list_personas(*place.ids)] == ["0", "1", "2"]


def test_a_persona_is_imported_and_not_its_children_before_the_next_one_comes(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    command = Fed(cli, "import", "-", *place.options)
    command.feed({"full_name": "A", "age": 40, "household": [{"full_name": "Kid", "age": 3}]})
    eventually(partial(has, client, place, 1))
    command.feed({"full_name": "B"})
    assert command.end()[0] == "2 imported, 0 refused.\n"
    assert [one.full_name for one in client.list_personas(*place.ids)] == ["A", "B"]


def test_what_the_service_refuses_of_a_pipe_is_listed(
    cli: Cli, client: PersonaClient, place: Place, persona: Persona
) -> None:
    command = Fed(cli, "import", "-", *place.options)
    command.feed({"full_name": "other", "id": persona.id})
    command.feed({"full_name": "b"})
    out, err = command.end()
    assert out == "1 imported, 1 refused.\n"
    assert "<stdin>:1" in err
    assert number(client, place) == 2


def test_the_same_content_through_a_pipe_is_not_doubled_unasked(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    def import_(*options: str, age: int = 41) -> tuple[str, str]:
        command = Fed(cli, "import", "-", *place.options, *options)
        command.feed({"full_name": "Kim", "age": age, "attributes": {"state": "AR"}})
        command.feed({"full_name": "Ada"})
        return command.end()

    assert import_()[0] == "2 imported, 0 refused.\n"
    for options in ((), ("--dry-run",)):
        out, err = import_(*options)
        assert out == ""
        assert '"Kim", who comes first and has no id, is in this group already' in err
    assert number(client, place) == 2
    assert import_("--again")[0] == "2 imported, 0 refused.\n"
    assert import_(age=42)[0] == "2 imported, 0 refused.\n"
    assert number(client, place) == 6


def test_an_interrupted_pipe_leaves_what_came_through_it(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    command = Fed(cli, "import", "-", *place.options)
    command.feed({"full_name": "a"})
    eventually(lambda: number(client, place) == 1)
    command.process.send_signal(signal.SIGINT)
    out, err = command.end()
    assert (command.process.returncode, out) == (130, "")
    assert "Interrupted." in err
    assert "Traceback" not in err
    assert number(client, place) == 1


def test_an_answer_is_recorded_before_the_next_one_comes(
    cli: Cli, client: PersonaClient, persona: Persona
) -> None:
    simulation = str(uuid.uuid4())

    def recorded() -> list[str]:
        return [r.question_key for r in client.list_responses(simulation_id=simulation)]

    keys: list[str] = []
    command = Fed(cli, "responses", "record", "-", "--simulation", simulation)
    for i in range(3):
        command.feed(rated(persona.id, f"q{i}"))
        keys.append(f"q{i}")
        eventually(lambda: recorded() == keys)
    command.feed(rated(str(uuid.uuid4())))
    out, err = command.end()
    assert (command.process.returncode, out) == (1, "3 recorded, 1 refused.\n")
    assert "<stdin>:4" in err

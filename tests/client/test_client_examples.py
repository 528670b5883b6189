"""What the documents of the clients show is run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from client.conftest import Place

from persona_client import Persona, PersonaClient
from support.service import Service

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "clients/python"
SHELL = ROOT / "clients/shell"
TOOLS = f"{ROOT / '.tools/bin'}{os.pathsep}{os.environ['PATH']}"


def _environment(service: Service) -> dict[str, str]:
    own = {
        "PERSONA_ADDRESS": service.grpc,
        "PERSONA_REST_URL": service.rest,
        "PERSONA_TOKEN": service.token(),
        "PATH": TOOLS,
    }
    return os.environ | own


def test_the_quickstart_runs(service: Service) -> None:
    done = subprocess.run(
        [sys.executable, PYTHON / "examples/quickstart.py"],
        env=_environment(service),
        check=True,
        capture_output=True,
        text=True,
    )
    created, *rest = done.stdout.splitlines()
    assert created.startswith("created Maria Santos at 2")
    assert rest == ["300 riders are 60 or older", "gone: PERSONA_NOT_FOUND", "1500 deleted"]


def test_the_readme_shows_the_quickstart_as_it_is() -> None:
    quickstart = (PYTHON / "examples/quickstart.py").read_text()
    assert f"```python\n{quickstart}```" in (PYTHON / "README.md").read_text()


@pytest.fixture(params=["persona-curl", "persona-grpcurl"])
def script(request: pytest.FixtureRequest, service: Service, place: Place) -> Any:
    """Run a script in a new group; return exit code and output."""
    tool = request.param.removeprefix("persona-")
    if shutil.which(tool, path=TOOLS) is None:
        pytest.skip(f"{tool} is not installed")

    def run(command: str, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [SHELL / request.param, command, *place, *arguments],
            env=_environment(service),
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_script_creates_lists_gets_and_deletes(
    script: Any, client: PersonaClient, place: Place
) -> None:
    code, text = script("create", '{"full_name": "Maria \\"M\\" Santos", "age": 34}')
    assert code == 0, text
    [made] = client.list_personas(*place)
    assert (made.full_name, made.age.value) == ('Maria "M" Santos', 34)
    assert made.id in text
    for command, arguments in (("list", ()), ("get", (made.id,))):
        code, text = script(command, *arguments)
        assert (code, made.id in text) == (0, True)
        json.loads(text)
    code, text = script("delete", made.id)
    assert code == 0, text
    assert list(client.list_personas(*place)) == []
    code, text = script("get", made.id)
    assert code != 0
    assert "PERSONA_NOT_FOUND" in text


def test_a_script_never_deletes_all_for_want_of_an_id(
    script: Any, client: PersonaClient, place: Place
) -> None:
    client.create_persona(*place, Persona(full_name="stays"))
    for arguments in ((), ("",), ("../personas",), ("?x",), ("#",)):
        code, _ = script("delete", *arguments)
        assert code != 0
    assert [persona.full_name for persona in client.list_personas(*place)] == ["stays"]

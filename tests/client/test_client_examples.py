"""What the documents of the clients show is run."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from client.conftest import Place

from persona_client import Persona, PersonaClient, PersonaGroup
from support.data import make_place, rich_persona, uid
from support.library import answer_reliably
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


def test_what_the_readme_goes_on_with_runs(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    token = service.token(tenant=f"readme-{uid()[:8]}")
    place = make_place(service.connect(token))
    one = place.create(rich_persona(full_name="Maria Santos"))
    answer_reliably(place, one.id)
    blocks = re.findall(r"^```python\n(.*?)^```", (PYTHON / "README.md").read_text(), re.M | re.S)
    with PersonaClient(service.grpc, token) as client:
        project = client.get_project(place.project)
        names = {
            "client": client,
            "project": project,
            "group": client.get_persona_group(project.id, place.group),
            "other_group": client.create_persona_group(project.id, PersonaGroup(name="Others")),
            "persona": one,
            "personas": [Persona(full_name="Ada")],
            "ask_for_a_persona": lambda number: Persona(full_name=f"Made {number}"),
            "ask": lambda persona: f"I am {persona.full_name}.",
        }
        for block in blocks[1:]:  # the first is the quickstart, a program by itself
            exec(block, names)  # noqa: S102 (of the README)
        answers = client.list_responses(project_id=project.id, question_key="why")
        assert sum(1 for _ in answers) == 1_002  # Maria's, Ada's, and of those that were made
    printed = capsys.readouterr().out.splitlines()
    for line in ("9 Maria Santos", "Wave 1 1 1", "1.0 Maria Santos", f"{project.name} Others"):
        assert line in printed


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

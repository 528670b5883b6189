"""The environment of a command: proxies, no home, and folders in which nothing can be kept."""

import os
from pathlib import Path

import pytest
from cli.conftest import Cli, Place

from persona_client import PersonaClient

NOWHERE = "http://127.0.0.1:9"  # the port at which nobody listens
PROXIES = {
    variable: NOWHERE
    for name in ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy")
    for variable in (name, name.upper())
}


def test_no_proxy_is_asked_for_the_service(cli: Cli, place: Place) -> None:
    done = cli.shell('persona groups --json -p "$1"', place.project, **PROXIES)
    assert [one["id"] for one in done.lines()] == [place.group_id]


@pytest.mark.parametrize(
    "kept",
    [{"XDG_STATE_HOME": "", "HOME": "~"}, {"XDG_STATE_HOME": "/dev/null"}],
    ids=["no home", "no folder"],
)
def test_an_import_needs_no_folder_of_its_own(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path, kept: dict[str, str]
) -> None:
    file = tmp_path / "personas.jsonl"
    file.write_text('{"full_name": "a"}\n{"full_name": "b"}\n')
    cli.environment |= kept
    done = cli.run("import", file, *place.options)
    assert (done.code, done.out) == (0, "2 imported, 0 refused.\n")
    assert "can't be resumed" in done.err
    assert client.get_persona_group(*place.ids).persona_count == 2


def test_no_home_is_said_where_a_folder_is_needed(cli: Cli) -> None:
    bare = {"HOME": "~", "XDG_DATA_HOME": "", "PERSONA_DATA": "~/.local/share/persona"}
    cli.environment |= bare
    done = cli.run("token", "--tenant", "local")
    assert (done.code, "no home" in done.err) == (2, True)
    assert os.environ["HOME"] != "~"


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:8080", "https://example.com/api"])
def test_an_address_of_rest_is_misuse(cli: Cli, address: str) -> None:
    done = cli.run("projects", "--address", address)
    assert (done.code, done.out, "HOST:PORT" in done.err) == (2, "", True)

"""What the client and the command line may import: of the server, its checks of messages alone."""

from pathlib import Path

import pytest
from unit.test_layers import imports_of, within

import persona_client

CLIENTS = Path(persona_client.__file__).parents[1]
# package of clients/python → what it may import of ours
CLIENT_IMPORTS = {
    "persona_client": {"persona", "persona_client"},
    "persona_cli": {"persona", "persona_client", "persona_cli", "persona_server.validation"},
}
# The rooms of the command line: each may import itself and those after it.
CLI_ROOMS = ("commands", "runs", "files", "terminal")
CLI_IMPORTS = {
    **{room: {*CLI_ROOMS[i:]} for i, room in enumerate(CLI_ROOMS)},
    "commands": {*CLI_ROOMS, "plot"},
    "plot": {"plot", "files", "terminal"},
}


@pytest.mark.parametrize("package", CLIENT_IMPORTS)
def test_clients_know_the_server_by_its_checks_alone(package: str) -> None:
    ours = ("persona", "persona_client", "persona_cli", "persona_server")
    wrong = {
        f"{path.relative_to(CLIENTS)} imports {name}"
        for path in (CLIENTS / package).rglob("*.py")
        for name in imports_of(path)
        if any(within(name, one) for one in ours)
        and not any(within(name, allowed) for allowed in CLIENT_IMPORTS[package])
    }
    assert not wrong


@pytest.mark.parametrize("room", CLI_IMPORTS)
def test_rooms_of_the_command_line_import_in_one_direction(room: str) -> None:
    paths = list((CLIENTS / "persona_cli" / room).rglob("*.py"))
    assert len(paths) > 3
    wrong = {
        f"{path.relative_to(CLIENTS)} imports {name}"
        for path in paths
        for name in imports_of(path)
        if within(name, "persona_cli")
        and not any(within(name, f"persona_cli.{known}") for known in CLI_IMPORTS[room])
    }
    assert not wrong

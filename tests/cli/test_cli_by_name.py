"""Commands are found by their names, and none waits for what others import."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from persona_cli.command_line import app
from persona_cli.commands import by_name

FOLDER = Path(by_name.__file__).parent
GRPC = ("grpc", "persona_client")
SERVER = ("persona_server.settings.config", "persona_server.storage")


def registering() -> set[str]:
    """Return the modules that register commands, by their names below `commands`."""
    paths = [path for path in FOLDER.rglob("*.py") if "\ndef register(" in path.read_text()]
    return {".".join(path.relative_to(FOLDER).with_suffix("").parts) for path in paths}


def test_every_command_is_found_where_it_is_registered() -> None:
    assert registering() == set(by_name.MODULES.values())
    for module in registering():
        named = {name for name, where in by_name.MODULES.items() if where == module}
        assert set(by_name.client_commands(module)) == named


@pytest.mark.parametrize(
    ("command", "others"),
    [
        ("", (*GRPC, *SERVER, "rich.console")),
        ("token", (*GRPC, "persona_server.storage", "rich.console")),
        ("serve", (*GRPC, "persona_server.storage", "rich.console")),
        ("projects", (*SERVER, "persona_cli.files", "rich.console")),
        ("list", (*SERVER, "pyarrow")),
    ],
)
def test_a_command_is_described_without_what_others_import(
    command: str, others: tuple[str, ...]
) -> None:
    lines = (
        "import sys, typer, persona_cli",
        f"typer.main.get_command(persona_cli.app).get_command(None, {command!r})",
        f"print([name for name in {others} if name in sys.modules])",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def described(command: Any) -> Iterator[str]:
    """Yield the help of a command and of those below it."""
    yield command.help
    for below in getattr(command, "commands", {}).values():
        yield from described(below)


def test_a_help_is_wrapped_by_the_terminal_alone() -> None:
    persona: Any = get_command(app)
    texts = [
        text for name in persona.commands for text in described(persona.get_command(None, name))
    ]
    assert len(texts) > 60
    assert [text for text in texts if not text or "\n" in text.replace("\n\n", "")] == []

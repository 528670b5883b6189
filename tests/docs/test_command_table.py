"""The table of the `persona` command: every command is in it, and it names no other."""

import re
from pathlib import Path

from persona_cli.commands import by_name, service

PAGE = Path(__file__).parents[2] / "docs/command-line.md"


def test_every_command_is_in_the_table() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE.read_text("utf-8"), re.M)
    named = [word for row in rows for word in re.findall(r"`([a-z][a-z-]*)", row)]
    commands = {*by_name.MODULES, *service.NAMES}
    assert commands - {*named} == set()
    first = {re.findall(r"`([a-z][a-z-]*)", row)[0] for row in rows}
    assert first - commands == set()

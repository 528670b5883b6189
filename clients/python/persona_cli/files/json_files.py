"""Short files of JSON lines, of which every line has to be right."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from persona_cli.files.inputs import naming_errors
from persona_cli.files.json_lines import LineError, json_items
from persona_cli.terminal.failures import CommandError

Item = TypeVar("Item")


def read_items(file: str, item_of: Callable[[dict[str, Any]], Item]) -> list[Item]:
    """Return what the lines of a file stand for. Raises OSError, CommandError naming a bad line."""
    found = []
    with naming_errors(file), Path(file).open("rb") as stream:
        for number, item in json_items(enumerate(stream, 1), item_of):
            if isinstance(item, LineError):
                raise CommandError(f"{file}:{number}: {item}")
            found.append(item)
    return found

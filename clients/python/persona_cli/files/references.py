"""A file of what real people answered: JSON lines, each a ReferenceAnswer."""

from pathlib import Path
from typing import Any

from persona_cli.files.json_lines import LineError, json_items, parse_message
from persona_cli.terminal.failures import CommandError
from persona_client import ReferenceAnswer
from persona_server.validation.fidelity import reference_violations

_PATH = "answer"


def read_references(file: str) -> list[ReferenceAnswer]:
    """Return the answers of a file. Raises OSError, and CommandError naming the first bad line."""
    with Path(file).open("rb") as stream:
        found = []
        for number, item in json_items(enumerate(stream, 1), _reference):
            if isinstance(item, LineError):
                raise CommandError(f"{file}:{number}: {item}")
            found.append(item)
    return found


def _reference(value: dict[str, Any]) -> ReferenceAnswer:
    answer = parse_message(value, ReferenceAnswer(), (), "reference answer")
    if found := reference_violations(answer, _PATH):
        where = f"{_PATH}."
        raise LineError("; ".join(f"{v.field.removeprefix(where)} {v.description}" for v in found))
    return answer

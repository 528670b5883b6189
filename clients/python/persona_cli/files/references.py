"""A file of what real people answered: JSON lines, each a ReferenceAnswer."""

from typing import Any

from persona_cli.files.json_files import read_items
from persona_cli.files.json_lines import LineError, parse_message
from persona_client import ReferenceAnswer
from persona_server.validation.fidelity import reference_violations

_PATH = "answer"


def read_references(file: str) -> list[ReferenceAnswer]:
    """Return the answers of a file. Raises OSError, and CommandError naming the first bad line."""
    return read_items(file, _reference)


def _reference(value: dict[str, Any]) -> ReferenceAnswer:
    answer = parse_message(value, ReferenceAnswer(), (), "reference answer")
    if found := reference_violations(answer, _PATH):
        where = f"{_PATH}."
        raise LineError("; ".join(f"{v.field.removeprefix(where)} {v.description}" for v in found))
    return answer

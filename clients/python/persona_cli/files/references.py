"""Files of what real people answered, and of targets: JSON lines, each a message."""

from collections.abc import Callable
from typing import Any

from persona_cli.files.json_files import read_items
from persona_cli.files.json_lines import LineError, Parsed, parse_message
from persona_client import ReferenceAnswer, TargetDistribution
from persona_server.validation.comparison import target_violations
from persona_server.validation.fidelity import reference_violations
from persona_server.validation.violations import Violations

_PATH = "line"


def read_references(file: str) -> list[ReferenceAnswer]:
    """Return the answers of a file. Raises OSError, and CommandError naming the first bad line."""
    seen = set()

    def reference(value: dict[str, Any]) -> ReferenceAnswer:
        answer = _checked(value, ReferenceAnswer(), "reference answer", reference_violations)
        question = answer.question
        scale = (question.kind, frozenset(question.options), question.min, question.max)
        said = (answer.persona_id, answer.persona_external_id, question.key, scale)
        if said in seen:
            raise LineError("is of the same persona and question as a line before it")
        seen.add(said)
        return answer

    return read_items(file, reference)


def read_targets(file: str) -> list[TargetDistribution]:
    """Return the targets of a file. Raises OSError, and CommandError naming the first bad line."""
    return read_items(
        file, lambda value: _checked(value, TargetDistribution(), "target", target_violations)
    )


def _checked(
    value: dict[str, Any],
    message: Parsed,
    what: str,
    violations: Callable[[Parsed, str], Violations],
) -> Parsed:
    parse_message(value, message, (), what)
    if found := violations(message, _PATH):
        where = f"{_PATH}."
        raise LineError("; ".join(f"{v.field.removeprefix(where)} {v.description}" for v in found))
    return message

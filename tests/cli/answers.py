"""Files of answers for the tests of `persona responses`."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

COLUMNS = (
    "simulation_id", "persona_id", "question_key", "question_text", "kind", "value", "options",
    "min", "max", "themes", "quote", "model", "prompt_version", "occurred_at", "id",
)  # fmt: skip


def jsonl(values: Iterable[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(value)}\n" for value in values)


def as_csv(
    rows: Iterable[dict[str, Any]], delimiter: str = ",", columns: Sequence[str] = COLUMNS
) -> str:
    """Return rows under all columns, or under these; what a row does not name is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def rated(persona_id: str, key: str = "nps", value: int = 4, **more: Any) -> dict[str, Any]:
    """Return the JSON of a rating from 1 to 5."""
    rating = {"value": value, "min": 1, "max": 5}
    return {"persona_id": persona_id, "question_key": key, "rating": rating, **more}

"""Values as sources write them: as texts, whole numbers, lists and times."""

import ast
import json
import re
from datetime import UTC, datetime, tzinfo
from typing import Any

from persona_cli.files.layouts.printed import bare_list, numpy_list
from persona_cli.files.tables.plain import plain
from persona_cli.terminal.output import compact_json

_WHOLE = re.compile(r"(\d{1,9})(\.0+|,0{1,2})?", re.ASCII)  # 4,000 may be four thousand
_LONGEST_LIST = 64 << 10  # characters of one that is written as a program writes it
_SEPARATORS = ("|", ";", "\n", ",")


def text_of(value: Any) -> str:
    """Return a value as text: what is no text as JSON."""
    return value if isinstance(value, str) else compact_json(value)


def code_of(value: Any) -> str:
    """Return an id or a code as text: of 2.0, as some programs write all their numbers, 2."""
    return text_of(plain(value) if isinstance(value, float) else value)


def kind_of(value: Any) -> str:
    """Return what a value is, for a message."""
    if value is None or isinstance(value, bool):
        return compact_json(value)
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"


def whole_number(value: Any) -> int | None:
    """Return a whole number, of a text its digits; None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    found = _WHOLE.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(found[1]) if found else None


def texts_of(value: Any) -> list[str] | None:
    """Return the texts of a list; None if it is none, or holds lists or objects."""
    if not isinstance(value, list) or any(isinstance(one, dict | list) for one in value):
        return None
    return [text_of(one) for one in value if one is not None]


def split_texts(cell: str) -> list[str]:
    """Return the texts of a cell: a list as programs write it, or separated by | ; or commas."""
    cell = cell.strip()
    texts = texts_of(held_in(cell))
    if texts is None and len(cell) <= _LONGEST_LIST:
        texts = bare_list(cell)
    if texts is not None:
        return texts
    separator = next((each for each in _SEPARATORS if each in cell), "\0")  # one text has spaces
    return [item.strip() for item in cell.split(separator) if item.strip()]


def held_in(cell: str) -> Any:
    """Return the list or object of a cell, as JSON, Python or NumPy write it; None if none."""
    if not cell.startswith(("[", "{")) or len(cell) > _LONGEST_LIST:
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        pass
    if (texts := numpy_list(cell)) is not None:
        return texts
    try:
        return ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def time_of(value: Any, zone: tzinfo | None) -> tuple[datetime, bool]:
    """Return a time of ISO 8601, and whether it names its zone; else it is in `zone`, or UTC.

    Raises ValueError.
    """
    try:
        time = datetime.fromisoformat(value.strip())
    except (ValueError, AttributeError):
        raise ValueError(
            f"must be a time such as 2026-03-01T09:30:00Z, not {text_of(value)[:40]!r}"
        ) from None
    if time.tzinfo is not None:
        return time, True
    is_date = len(value.strip()) <= len("2026-01-01")
    return time.replace(tzinfo=zone or UTC), is_date or zone is not None

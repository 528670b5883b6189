"""Cells as answers need them: texts, lists, numbers and times, each refused by its name."""

import json
import re
from datetime import tzinfo

from google.protobuf.timestamp_pb2 import Timestamp

from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.values import code_of, texts_of, time_of
from persona_cli.files.tables.table import Cells

# What some programs write for 4, who know no whole numbers; 4.000 may be four thousand.
_WHOLE = re.compile(r"([+-]?\d{1,10})([.,]0{1,2})?")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")


def is_blank(cells: Cells, name: str) -> bool:
    """Whether a row says nothing in a cell."""
    value = cells.get(name)
    return value is None or (isinstance(value, str) and not value.strip())


def text(cells: Cells, name: str) -> str:
    """Return a cell as text, what is none as JSON writes it; "" without one. Raises LineError."""
    value = cells.get(name)
    return "" if value is None else _valid(name, code_of(value))


def texts(cells: Cells, name: str) -> list[str]:
    """Return the items of a cell: a list, a JSON array, or separated by |. Raises LineError."""
    value = cells.get(name)
    if isinstance(value, str) and not value.strip().startswith("["):
        return [_valid(name, item.strip()) for item in value.split("|")] if value.strip() else []
    if value is None:
        return []
    items = texts_of(_array(name, value) if isinstance(value, str) else value)
    if items is None:
        raise LineError(f"{name} must be a list of texts")
    return [_valid(name, item) for item in items]


def whole(cells: Cells, name: str) -> int:
    """Return a whole number. Raises LineError."""
    cell = text(cells, name).strip()
    if not (found := _WHOLE.fullmatch(cell)):
        raise LineError(f"{name} must be a whole number; got {cell[:40]!r}")
    if not -(2**31) <= (value := int(found[1])) < 2**31:
        raise LineError(f"{name} must be a whole number from {-(2**31)} to {2**31 - 1}")
    return value


def number(cells: Cells, name: str) -> float:
    """Return a number, whose decimals may follow a comma. Raises LineError."""
    cell = text(cells, name).strip()
    if not _NUMBER.fullmatch(cell):
        raise LineError(f"{name} must be a number; got {cell[:40]!r}")
    return float(cell.replace(",", "."))


def time(cells: Cells, name: str, zone: tzinfo | None) -> Timestamp:
    """Return a time, in `zone` if it names none; a date is its midnight. Raises LineError."""
    found, is_sure = time_or_utc(cells, name, zone)
    if not is_sure:
        raise LineError(
            f"{name} must name its time zone, such as 2026-03-01T09:30:00Z, or --timezone does"
        )
    return found


def time_or_utc(cells: Cells, name: str, zone: tzinfo | None) -> tuple[Timestamp, bool]:
    """Return the same, and whether its zone is known; if not, it is in UTC. Raises LineError."""
    found = Timestamp()
    try:
        point, is_sure = time_of(cells.get(name), zone)
        found.FromDatetime(point)
    except OverflowError:
        raise LineError(f"{name} is outside the calendar: {text(cells, name)[:40]!r}") from None
    except ValueError as error:
        raise LineError(f"{name} {error}") from None
    return found, is_sure


def _array(name: str, cell: str) -> object:
    try:
        items = json.loads(cell)
    except (ValueError, RecursionError):
        raise LineError(f"{name} starts with [ but is not a JSON array") from None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise LineError(f"{name} must be a JSON array of strings")
    return items


def _valid(name: str, found: str) -> str:
    if not found.isascii() and _SURROGATE.search(found):
        raise LineError(f"{name} must be a string of valid Unicode")
    return found

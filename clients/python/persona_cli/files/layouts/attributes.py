"""What has no field: attributes by the path at which they stood, within their limits."""

from collections.abc import Collection, Iterator
from typing import Any

from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.values import text_of
from persona_cli.files.tables.table import Cells
from persona_server.validation.limits import LISTS

FURTHER = "further_columns"  # what can't have a key of its own, as JSON
_MOST, _LONGEST = LISTS["attributes"]


def leftovers(row: Cells, used: Collection[str], *, is_flat: bool) -> Cells:
    """Return what is left of a row by path: members of objects on their own, unless `is_flat`."""
    if is_flat or not any(isinstance(value, dict) for value in row.values()):
        return {name: value for name, value in row.items() if name not in used}
    return dict(_flat(row, used, ""))


def fit_attributes(left: Cells, own: dict[str, str]) -> dict[str, str]:
    """Return attributes: the source's `own` ones, and what is left beside them.

    Too many are first brought together by the object that they stood in, then in one. Raises
    LineError for a name that both have, with different values.
    """
    for key in left.keys() & own.keys():
        if text_of(left[key]) != own[key]:
            raise LineError(f"has a {key}, and a different one in its attributes")
    if len(left) + len(own) > _MOST or not all(map(is_key, left)):
        left = _within(left, _MOST - len(own))
    return own | {key: text_of(value) for key, value in left.items()}


def _within(left: Cells, room: int) -> Cells:
    """Return so many entries at most, the last one for all that have no room or no key."""
    if len(left) > room:
        left = _grouped(left)
    fitting = {key: value for key, value in left.items() if is_key(key)}
    if len(left) > room or len(fitting) < len(left):
        fitting = dict(list(fitting.items())[: max(room - 1, 0)])
        fitting[FURTHER] = {key: value for key, value in left.items() if key not in fitting}
    return fitting


def _flat(row: Cells, used: Collection[str], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        path = f"{prefix}{key}" if prefix else key
        if path in used:
            continue
        if isinstance(value, dict) and value:
            yield from _flat(value, used, f"{path}.")
        else:
            yield path, value


def _grouped(left: Cells) -> Cells:
    """Return entries with those of one object brought together."""
    found: Cells = {}
    for path, value in left.items():
        outer, dot, inner = path.partition(".")
        if dot:
            found.setdefault(f"{outer}.", {})[inner] = value
        else:
            found[path] = value
    return {key.removesuffix("."): value for key, value in found.items()}


def is_key(key: str) -> bool:
    """Whether a name can be that of an attribute."""
    return len(key) <= _LONGEST and bool(key.strip()) and key.isprintable()

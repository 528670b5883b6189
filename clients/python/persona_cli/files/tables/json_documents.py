"""JSON that is not a line a row: arrays, objects that hold one, objects one after the other."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.json_pieces import JsonPieces
from persona_cli.files.tables.table import Cells, FileError, Rows
from persona_cli.terminal.output import compact_json

CONTAINERS = (
    "personas", "persona", "people", "agents", "agent_list", "respondents", "data", "items",
    "results", "rows", "records",
)  # fmt: skip
IsRow: TypeAlias = Callable[[Cells], bool]


class Members(NamedTuple):
    """Which member of an object holds the rows: the one that is `said`, or else is found.

    An object that `is_row` knows is a row itself, whatever it holds: its children are none.
    """

    said: str
    is_row: IsRow

    def name_in(self, value: Cells) -> str:
        """Return the member of an object; "" if the object is a row. Raises FileError."""
        return self.said or ("" if self.is_row(value) else member_of(value))


def document_rows(pieces: JsonPieces, members: Members, *, is_large: bool) -> Rows:
    """Yield the objects of a text of JSON values, numbered from 1. Raises FileError.

    Those of an array are rows, and so are those of the array that an object holds in the member
    that `members` names. `is_large` says that a first object is too long to be held, so that it can
    be no row itself.
    """
    values = _large_object(pieces, members.said) if is_large else _values(pieces, members)
    for number, value in enumerate(values, 1):
        yield number, row_of(value, "JSON")


def row_of(value: Any, kind: str) -> Cells | LineError:
    """Return a value as a row, or why it is none."""
    if isinstance(value, dict | LineError):
        return value
    return LineError(f"is not a {kind} object", source=compact_json(value))


def rows_of(value: Any, members: Members) -> list[Any]:
    """Return the rows that one value stands for. Raises FileError if it lacks the one said."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return [value]
    name = members.name_in(value)
    if not name:
        return [value]
    if not isinstance(value.get(name), list):
        raise FileError(f'has no list "{name}"')
    return list(value[name])


def member_of(value: Cells) -> str:
    """Return which member of an object probably holds the rows; "" if none does.

    Raises FileError where several may.
    """
    lists = [name for name, item in value.items() if _is_objects(item)]
    usual = [name for name in lists if name in CONTAINERS]
    if len(usual) > 1:
        raise FileError(
            f'has two lists of objects, "{usual[0]}" and "{usual[1]}": --member says which one is '
            "meant"
        )
    if usual:
        return usual[0]
    others = (item for name, item in value.items() if name not in lists)
    is_plain = not any(isinstance(item, dict | list) for item in others)
    return lists[0] if len(lists) == 1 and is_plain else ""


def _is_objects(item: Any) -> bool:
    return isinstance(item, list) and bool(item) and all(isinstance(one, dict) for one in item)


def _values(pieces: JsonPieces, members: Members) -> Iterator[Any]:
    while mark := pieces.peek():
        if mark == "[":
            yield from pieces.items()
        else:
            yield from _value_rows(pieces, members)
        pieces.skip(",")


def _value_rows(pieces: JsonPieces, members: Members) -> list[Any]:
    try:
        return rows_of(pieces.value(), members)
    except LineError as error:
        return [error]


def _large_object(pieces: JsonPieces, member: str) -> Iterator[Any]:
    """Yield the items of the array that an object holds in `member`, or of its only one of objects.

    Which of several is meant can't be known while they come: then there must be a `member`.
    """
    pieces.skip("{")
    taken = ""
    try:
        while pieces.peek() == '"':
            name = pieces.value()
            pieces.skip(":")
            if pieces.peek() != "[":
                pieces.value()
            elif (items := _meant(name, pieces.items(), member, taken)) is not None:
                taken = name
                yield from items
            pieces.skip(",")
    except LineError as error:
        raise FileError(f"is not JSON that can be read: {error}") from None
    if not pieces.skip("}") or pieces.peek():
        raise FileError(f"is not JSON: it is cut off, or more follows ({pieces.where()})")
    if not taken:
        raise FileError(f'has no list "{member}"' if member else "has no list of objects")


def _meant(
    name: str, items: Iterator[Any | LineError], member: str, taken: str
) -> Iterator[Any | LineError] | None:
    """Return the items of an array if they are the rows; go past it if not. Raises FileError."""
    first = next(items, None)
    if name == member or (not member and isinstance(first, dict)):
        if taken:
            raise FileError(
                f'has two lists of objects, "{taken}", which was read, and "{name}": --member says '
                "which one is meant"
            )
        return chain((first,), items) if first is not None else items
    for _ in items:
        pass
    return None

"""Attributes as columns: one for each name, and one for what has no column of its own."""

from collections.abc import Mapping

from persona_cli.files.writing.sheet import Cell, Column, Kind
from persona_cli.terminal.output import compact_json

MOST_COLUMNS = 1000  # of attributes; a persona has 100 at most
_WHOLE = "attributes"


class AttributeColumns:
    """The columns of the attributes of all personas that were seen."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._order: list[str] = []  # is theirs once columns or cells are asked for
        self._has_rest = False

    def see(self, attributes: Mapping[str, str]) -> None:
        """Make columns for what a persona has."""
        for name, value in attributes.items():
            if _fits(name, value) and (name in self._names or len(self._names) < MOST_COLUMNS):
                self._names.add(name)
            else:
                self._has_rest = True

    @property
    def columns(self) -> list[Column]:
        """The columns, by the alphabet, and at the end one for all that is in none of them."""
        named = [Column(f"{_WHOLE}.{name}", Kind.TEXT) for name in self._ordered()]
        return [*named, Column(_WHOLE, Kind.TEXT)] if self._has_rest else named

    def cells(self, attributes: Mapping[str, str]) -> list[Cell]:
        """Return a persona's cells in these columns."""
        held = {n: v for n, v in attributes.items() if n in self._names and _fits(n, v)}
        cells: list[Cell] = [held.get(name) for name in self._ordered()]
        if self._has_rest:
            rest = {name: attributes[name] for name in sorted(attributes) if name not in held}
            cells.append(compact_json(rest) if rest else None)
        return cells

    def _ordered(self) -> list[str]:
        if len(self._order) < len(self._names):
            self._order = sorted(self._names)
        return self._order


def _fits(name: str, value: str) -> bool:
    """Whether a column can have the name, and a cell of it tell the value from none."""
    return value != "" and name == name.strip()

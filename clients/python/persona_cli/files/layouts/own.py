"""This service's own layout: fields by their names, as `persona export` writes them."""

import json
import re
from dataclasses import replace
from typing import Any, Literal

from persona.v1.persona_pb2 import Persona
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.mapping import FIELDS, mapping
from persona_cli.files.layouts.values import kind_of, text_of
from persona_cli.files.tables.table import Cells
from persona_server.validation.personas import OUTPUT_ONLY

# A link to the library can't be imported, but where a copy came from is worth knowing.
LINEAGE: Literal["library_persona_id"] = "library_persona_id"
IGNORED = frozenset(OUTPUT_ONLY) - {LINEAGE}
_NAMES = {
    name: field.name
    for field in Persona.DESCRIPTOR.fields
    for name in (field.name, field.json_name)
}
_NO_LETTERS = re.compile(r"[^a-z]+")
_HEADS = {_NO_LETTERS.sub("", name.lower()): name for name in _NAMES.values()}
_ORDER = ("external_id", *(name for name in FIELDS if name != "external_id"))  # before an id
_MOST_NAMES = 10_000  # of a file whose rows may each have others
_BELOW = "attributes."  # begins a column that holds one attribute

OWN = replace(
    mapping("personas of this service", **{name: f"{{{name}}}" for name in _ORDER}), is_own=True
)


def own_name(name: str, *, is_sheet: bool) -> str:
    """Return the field that a member or column names; "" if none. "Full Name" heads a column."""
    if is_sheet and name not in _NAMES and not name.startswith(_BELOW):
        return _HEADS.get(_NO_LETTERS.sub("", name.lower()), "")
    return _NAMES.get(name, "")


class OwnNames(dict[str, str]):
    """What members or columns of a file are called by the names of fields, each found once."""

    def __init__(self, *, is_sheet: bool) -> None:
        super().__init__()
        self._is_sheet = is_sheet

    def __missing__(self, name: str) -> str:
        found = own_name(name, is_sheet=self._is_sheet) or name
        if len(self) < _MOST_NAMES:
            self[name] = found
        return found


def own_row(cells: Cells, names: OwnNames) -> Cells:
    """Return a row by the names of fields, without nulls and what only the server sets.

    Raises LineError if two name the same field.
    """
    named = {names[name]: cell for name, cell in cells.items()}
    if len(named) < len(cells):
        raise LineError("has a field twice, such as in snake_case and in camelCase")
    return {n: c for n, c in named.items() if c is not None and n not in IGNORED}


def own_attributes(row: Cells) -> tuple[dict[str, str], Cells]:
    """Return the attributes that a row says are such, and the rest of it. Raises LineError."""
    named = [name for name in row if name.startswith("attributes")]
    if not named:
        return {}, row
    held: dict[str, Any] = {}
    for name in named:
        if name.startswith(_BELOW):
            held[name.removeprefix(_BELOW)] = row[name]
        elif name == "attributes":
            held |= _members(row[name])
    rest = {n: c for n, c in row.items() if n != "attributes" and not n.startswith(_BELOW)}
    return {key: text_of(value) for key, value in held.items()}, rest


def _members(held: Any) -> dict[str, Any]:
    if isinstance(held, str):  # a cell
        try:
            held = json.loads(held)
        except (ValueError, RecursionError):
            raise LineError("attributes must be a JSON object") from None
    if not isinstance(held, dict):
        raise LineError(f"attributes must be an object, but is {kind_of(held)}")
    return held

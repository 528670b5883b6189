"""From a row to a persona, by a mapping; nothing of the row is lost."""

from collections.abc import Callable
from typing import Any, NamedTuple

from persona.v1.persona_pb2 import Persona
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.attributes import fit_attributes, leftovers
from persona_cli.files.layouts.fields import MisfitError, PartlyTaken, Rules, set_field
from persona_cli.files.layouts.mapping import Mapping
from persona_cli.files.layouts.names import name_in
from persona_cli.files.layouts.own import LINEAGE, OwnNames, own_attributes, own_row
from persona_cli.files.layouts.plain_rows import PlainRows
from persona_cli.files.layouts.templates import PLACES, without
from persona_cli.files.tables.table import Cells
from persona_server.validation.personas import persona_violations
from persona_server.validation.violations import Violations

OnNote = Callable[[str, str], None]  # is told of a field, and what to know of it
_PATH = "persona"
# Without them there is no persona, or nowhere to keep anything.
_NEEDED = {"full_name", "attributes", ""}


class Origin(NamedTuple):
    """Where a row stands: its number, and the names of its file."""

    number: int = 1
    file: str = ""
    folder: str = ""
    key: str = ""  # what its file calls the one persona that it holds


class Filler:
    """Makes personas of the rows of one file."""

    def __init__(self, mapping: Mapping, rules: Rules, note: OnNote, *, is_sheet: bool) -> None:
        self._mapping = mapping
        self._rules = rules
        self._note = note
        self._is_sheet = is_sheet
        self._own_names = OwnNames(is_sheet=is_sheet)
        self._plain = PlainRows(mapping, rules, self._own_names, is_sheet=is_sheet)
        self._asks_place = any(
            path in PLACES for ts in mapping.fields.values() for t in ts for path in t.paths
        )

    def persona(self, cells: Cells, origin: Origin) -> Persona:
        """Return the persona of a row, checked as the service checks it. Raises LineError."""
        if not origin.key and (plain := self._plain.persona(cells)):
            return plain
        row = self._row(cells)
        filling = _Filling(self._mapping, self._rules, self._note, row)
        place = dict(zip(PLACES, origin, strict=False)) if self._asks_place else {}
        try:
            return filling.filled(place, origin.key)
        except UnicodeEncodeError:
            raise LineError("contains an unpaired surrogate, which is not text") from None
        except RecursionError:
            raise LineError("is nested too deeply") from None

    def _row(self, cells: Cells) -> Cells:
        """Return a row without what says nothing, and what is within the lifted member."""
        if self._is_sheet:
            cells = {name: cell for name, cell in cells.items() if cell != ""}
        if self._mapping.is_own:
            return own_row(without(cells, self._mapping.absent), self._own_names)
        return without(self._lifted(cells), self._mapping.absent)

    def _lifted(self, cells: Cells) -> Cells:
        inner = cells.get(lifted) if (lifted := self._mapping.lifted) else None
        if not isinstance(inner, dict):
            return cells
        outer = {name: item for name, item in cells.items() if name != lifted}
        return outer | {n if n not in outer else f"{lifted}.{n}": v for n, v in inner.items()}


class _Filling:
    """One persona that is being filled."""

    def __init__(self, mapping: Mapping, rules: Rules, note: OnNote, row: Cells) -> None:
        self._mapping = mapping
        self._rules = rules
        self._note = note
        self._row = row
        self._persona = Persona()
        self._used: dict[str, str] = {}  # the field that a path has become, whole
        self._misfits: dict[str, str] = {}

    def filled(self, place: dict[str, Any], key: str) -> Persona:
        """Return the persona. Raises LineError."""
        persona = self._persona
        if names := self._mapping.named_in:
            persona.full_name = name_in(self._row.get(name) for name in names)
        self._set_fields(place | self._row if place else self._row)
        if key and not (persona.external_id or persona.id or self._rules.is_keyless):
            persona.external_id = key
        self._keep_rest()
        if found := persona_violations(persona, _PATH):
            self._give_up(found)
            self._keep_rest()
            found = persona_violations(persona, _PATH)
        if found or self._misfits:
            said = {_below(v.field): f"{_below(v.field)} {v.description}" for v in found}
            raise LineError("; ".join((said | self._misfits).values()))
        return persona

    def _set_fields(self, row: Cells) -> None:
        for name, templates in self._mapping.fields.items():
            if name == "full_name" and self._persona.full_name:
                continue
            for template in templates:
                lone = template.lone
                if lone not in row and template.is_name:
                    continue
                value = row[lone] if lone in row else template.value(row)
                if (value or self._says(value)) and self._set(name, value, lone):
                    break

    def _says(self, value: Any) -> bool:
        return value is not None and (value != "" or self._mapping.is_own)

    def _set(self, name: str, value: Any, path: str) -> bool:
        """Put a value into a field; whether it is there."""
        try:
            set_field(self._persona, name, value, self._rules)
        except PartlyTaken as taken:
            if str(taken):
                self._note(name, str(taken))
            return True
        except MisfitError as misfit:
            if self._mapping.is_own:
                self._misfits[name] = f"{name} {misfit}"
                self._used[path] = name
            else:
                self._note(name, f"{misfit}; kept in the attributes")
            return False
        if path:
            is_key = name == "id" and not self._persona.id
            self._used[path] = "external_id" if is_key else name
        return True

    def _give_up(self, found: Violations) -> None:
        """Take out of the fields what does not fit them, unless it was written for them."""
        for name in {_below(v.field).partition("[")[0] for v in found}:
            if self._mapping.is_own or name in _NEEDED:
                continue
            self._persona.ClearField(name)  # type: ignore[arg-type]
            self._used = {path: field for path, field in self._used.items() if field != name}
            what = next(v.description for v in found if _below(v.field).startswith(name))
            self._note(name, f"{what}; kept in the attributes")

    def _keep_rest(self) -> None:
        """Make attributes of what is in no field. Raises LineError."""
        kept, dropped = self._mapping.kept, self._mapping.dropped
        used = self._used.keys() - kept | dropped if kept or dropped else self._used.keys()
        own, row = own_attributes(self._row) if self._mapping.is_own else ({}, self._row)
        left = leftovers(row, used, is_flat=self._mapping.is_flat)
        if self._mapping.is_strict and (unknown := sorted(left.keys() - {LINEAGE})):
            raise LineError(f"has fields that a persona does not have: {', '.join(unknown)}")
        self._persona.ClearField("attributes")
        if left or own:
            self._persona.attributes.update(fit_attributes(left, own))


def _below(field: str) -> str:
    return field.removeprefix(_PATH).removeprefix(".")

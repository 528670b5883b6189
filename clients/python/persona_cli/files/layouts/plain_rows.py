"""Rows whose values are texts for fields of their names, and for attributes: most of large files.

They become personas at a fraction of what `filling` costs. Every other row is left to it, and so is
each in which something may be wrong.
"""

from typing import Any, NamedTuple

from persona.v1.persona_pb2 import Persona
from persona_cli.files.layouts.attributes import is_key
from persona_cli.files.layouts.fields import MisfitError, PartlyTaken, Rules, set_field
from persona_cli.files.layouts.levels import LEVELS
from persona_cli.files.layouts.mapping import Mapping
from persona_cli.files.layouts.own import IGNORED, OwnNames
from persona_cli.files.layouts.values import text_of
from persona_cli.files.tables.table import Cells
from persona_server.validation.fields import UUID
from persona_server.validation.limits import LINES, LISTS, MAX_AGE, MAX_ATTRIBUTES_BYTES, TEXTS
from persona_server.validation.personas import persona_violations

# Fields that are texts, and what stands for a level or a key; each with its most characters.
_TEXTS = {
    name: (LINES | TEXTS)[name]
    for name in (
        "external_id", "full_name", "gender", "occupation", "location", "income_level",
        "digital_habits", "price_sensitivity", "psychographic_notes",
    )
} | {"id": LINES["external_id"]}  # fmt: skip
_MOST_PLANS = 100  # a file of objects may have other names in each
_MOST_ATTRIBUTES = LISTS["attributes"].most
_LONGEST = MAX_ATTRIBUTES_BYTES // 2  # characters of a row that are surely not too many


class _Plan(NamedTuple):
    """What the columns of a row become, by their names."""

    texts: tuple[tuple[str, str, int], ...]  # field, column, and the most characters
    age: str
    others: tuple[tuple[str, str], ...]  # field and column, of what is more than a text
    attributes: tuple[tuple[str, str], ...]  # name and column


class PlainRows:
    """Makes personas of the plain rows of one file, by a plan for the columns that they have."""

    def __init__(self, mapping: Mapping, rules: Rules, names: OwnNames, *, is_sheet: bool) -> None:
        self._mapping = mapping
        self._rules = rules
        self._own_names = names
        self._blanks = ("",) if is_sheet else (None,) if mapping.is_own else ()
        self._allows_no_key = rules.only_uuids or rules.is_keyless
        self._is_possible = not rules.levels and _is_by_names(mapping)
        self._plans: dict[tuple[str, ...], _Plan | None] = {}

    def persona(self, cells: Cells) -> Persona | None:
        """Return the persona of a row; None if it is not plain, or might not be good."""
        plan = self._plan(tuple(cells)) if self._is_possible else None
        if plan is None:
            return None
        texts, attributes = self._texts(plan, cells), self._attributes(plan, cells)
        if not texts or not texts.get("full_name") or attributes is None:
            return None
        together = "".join((*texts.values(), *attributes, *attributes.values()))
        if len(together) > _LONGEST:
            return None
        try:
            persona = Persona(**texts, attributes=attributes)  # type: ignore[arg-type]
        except UnicodeEncodeError:
            return None
        if not self._set_others(plan, cells, persona):
            return None
        is_sure = together.isascii() and together.isprintable() and not plan.others
        return persona if is_sure or not persona_violations(persona, "") else None

    def _plan(self, columns: tuple[str, ...]) -> _Plan | None:
        if columns not in self._plans:
            if len(self._plans) >= _MOST_PLANS:
                return None
            self._plans[columns] = self._planned(columns)
        return self._plans[columns]

    def _planned(self, columns: tuple[str, ...]) -> _Plan | None:
        """Return what becomes of columns; None if that is not plain."""
        is_own = self._mapping.is_own
        named = {self._own_names[column] if is_own else column: column for column in columns}
        lone = {field: templates[0].lone for field, templates in self._mapping.fields.items()}
        made = {field: named[path] for field, path in lone.items() if path in named}
        used = {lone[field] for field in made} | (IGNORED if is_own else set())
        rest = {name: column for name, column in named.items() if name not in used}
        is_twice = len(named) < len(columns) or len(set(made.values())) < len(made)
        if is_twice or len(rest) > _MOST_ATTRIBUTES or not all(map(is_key, rest)):
            return None
        if is_own and any(name.startswith("attributes") for name in rest):
            return None
        others = {field: made[field] for field in made.keys() - _TEXTS.keys() - {"age"}}
        return _Plan(
            tuple((field, made[field], most) for field, most in _TEXTS.items() if field in made),
            made.get("age", ""),
            tuple(others.items()),
            tuple(rest.items()),
        )

    def _texts(self, plan: _Plan, cells: Cells) -> dict[str, str] | None:
        texts: dict[str, str] = {}
        for field, column, most in plan.texts:
            cell = cells[column]
            if cell in self._blanks:
                continue
            is_said = cell != "" or self._mapping.is_own
            if type(cell) is not str or len(cell) > most or cell.isspace() or not is_said:
                return None
            texts[field] = cell if self._rules.is_typed else cell.strip()
        if word := texts.get("income_level"):
            texts["income_level"] = LEVELS.get(word.strip().lower(), "")
        is_good = not word or texts["income_level"]
        return texts if is_good and self._has_key(texts) else None

    def _has_key(self, texts: dict[str, str]) -> bool:
        """Whether an id is one of ours, or may be the source's own, as which it then stands."""
        given = texts.pop("id", "").strip()
        if UUID.fullmatch(given):
            texts["id"] = given.lower()
        elif given and ("external_id" in texts or self._allows_no_key):
            return False
        elif given:
            texts["external_id"] = given
        return True

    def _attributes(self, plan: _Plan, cells: Cells) -> dict[str, str] | None:
        attributes: dict[str, str] = {}
        for name, column in plan.attributes:
            cell = cells[column]
            if cell in self._blanks:
                continue
            if cell is None or isinstance(cell, dict):
                return None
            attributes[name] = cell if type(cell) is str else text_of(cell)
        return attributes

    def _set_others(self, plan: _Plan, cells: Cells, persona: Persona) -> bool:
        """Set what is more than a text; whether it fits."""
        age = cells[plan.age] if plan.age else ""
        if age not in self._blanks and plan.age:
            if (years := _years(age)) is None:
                return False
            persona.age.value = years
        try:
            for field, column in plan.others:
                if (cell := cells[column]) in self._blanks:
                    continue
                if cell == "" and not self._mapping.is_own:  # then it is kept as an attribute
                    return False
                set_field(persona, field, cell, self._rules)
        except (MisfitError, PartlyTaken):
            return False
        return True


def _years(age: Any) -> int | None:
    """Return an age that a persona can have, as a number or of digits; None if it is none."""
    if type(age) is str and age.isdecimal() and age.isascii() and len(age) <= len(str(MAX_AGE)):
        age = int(age)
    return age if type(age) is int and 1 <= age <= MAX_AGE else None


def _is_by_names(mapping: Mapping) -> bool:
    """Whether every field is made of one column or member, and every other becomes an attribute."""
    is_more = mapping.lifted or mapping.kept or mapping.dropped or mapping.named_in
    lone = (len(each) == 1 and each[0].is_name for each in mapping.fields.values())
    return not (is_more or mapping.is_strict) and all(lone)

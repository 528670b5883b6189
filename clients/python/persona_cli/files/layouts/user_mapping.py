"""What a user says of a file's columns: `--map`, `--drop`, and a mapping file in TOML."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from persona_cli.files.layouts.levels import Level, parse_level, parse_levels
from persona_cli.files.layouts.mapping import FIELDS, Mapping
from persona_cli.files.layouts.templates import PLACES, Template, parse_template
from persona_cli.files.tables.table import FileError
from persona_cli.files.toml_files import read_toml
from persona_cli.terminal.failures import CommandError

_TABLES = {"layout", "fields", "levels", "drop"}


@dataclass(frozen=True, slots=True)
class UserMapping:
    """Fields by what they are made of, cases of income, columns to leave out, a layout's name."""

    fields: dict[str, tuple[Template, ...]] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()
    dropped: frozenset[str] = frozenset()
    layout: str = ""

    def lacking(self, columns: Collection[str]) -> str:
        """Return a column that is named and not there; "" if none is.

        Of templates one after the other, each for rows without what the one before needs, one will
        do.
        """
        for made in self.fields.values():
            if made and all(_lacking(template.paths, columns) for template in made):
                return _lacking(made[0].paths, columns)
        return _lacking(sorted(self.dropped), columns)

    def over(self, base: Mapping) -> Mapping:
        """Return a layout with what the user says in place of what it says."""
        fields = {name: made for name, made in (base.fields | self.fields).items() if made}
        return replace(
            base,
            fields=fields,
            levels=self.levels or base.levels,
            dropped=base.dropped | self.dropped,
            absent=base.absent | self._absent(),
            unfilled=tuple(name for name, made in self.fields.items() if not made),
            named_in=() if "full_name" in self.fields else base.named_in,
        )

    def _absent(self) -> frozenset[str]:
        """Return what is dropped and named in no field: a layout may know what to make of it."""
        named = [path for made in self.fields.values() for each in made for path in each.paths]
        return frozenset(
            column for column in self.dropped if not any(_is_below(path, column) for path in named)
        )


def _is_below(path: str, column: str) -> bool:
    return path == column or path.startswith(f"{column}.")


def _lacking(paths: Iterable[str], columns: Collection[str]) -> str:
    """Return the first path that begins with none of the columns; "" if each begins with one."""
    known = {*columns, *PLACES}
    return next((p for p in paths if p not in known and p.partition(".")[0] not in known), "")


def user_mapping(maps: Sequence[str], drops: Sequence[str], file: str) -> UserMapping:
    """Return what options and a mapping file say; options go before it. Raises CommandError."""
    said = _from_file(file) if file else UserMapping()
    for option in maps:
        said = _with_option(said, option)
    return replace(said, dropped=said.dropped | set(drops))


def _with_option(said: UserMapping, option: str) -> UserMapping:
    name, equals, text = option.partition("=")
    if not equals:
        raise CommandError(f"--map takes FIELD=TEMPLATE; got {option!r}")
    levels = said.levels
    with _said_of(f"--map {name.strip()}"):
        if name.strip() == "income_level":
            text, cases = _split_cases(text)
            levels = parse_levels(cases) or levels
        made = _templates(name.strip(), [text] if text.strip() else [])
    return replace(said, fields=said.fields | made, levels=levels)


def _split_cases(text: str) -> tuple[str, str]:
    """Return the template and the cases of "wealth:<20k=Low,*=High"; a colon may be within {}."""
    end = text.rfind("}") + 1
    column, colon, cases = text[end:].partition(":")
    return (text[:end] + column, cases.strip("\"' ")) if colon else (text, "")


def _templates(name: str, texts: Iterable[str]) -> dict[str, tuple[Template, ...]]:
    """Return what a field is made of. Raises ValueError."""
    if name not in FIELDS:
        raise ValueError(f"there is no field {name!r} to map; there are {', '.join(FIELDS)}")
    return {name: tuple(map(parse_template, texts))}


@contextmanager
def _said_of(where: str) -> Iterator[None]:
    """Say where it stands of what can't be. Raises CommandError."""
    try:
        yield
    except ValueError as error:
        raise CommandError(f"{where}: {error}") from None


def _from_file(file: str) -> UserMapping:
    try:
        table = read_toml(file)
    except FileError as error:
        raise CommandError(f"{file}: {error}") from None
    if unknown := sorted(table.keys() - _TABLES):
        raise CommandError(
            f"{file}: has {', '.join(unknown)}; there are {', '.join(sorted(_TABLES))}"
        )
    fields: dict[str, tuple[Template, ...]] = {}
    for name, said in _table(table, "fields", file).items():
        with _said_of(f"{file}: {name}"):
            fields |= _templates(name, _texts(said, f"{file}: {name}"))
    with _said_of(f"{file}: levels"):
        cases = _table(table, "levels", file).items()
        levels = tuple(parse_level(case, str(level)) for case, level in cases)
    dropped = frozenset(_texts(table.get("drop", []), f"{file}: drop"))
    return UserMapping(fields, levels, dropped, str(table.get("layout", "")))


def _table(held: dict[str, Any], name: str, file: str) -> dict[str, Any]:
    table = held.get(name, {})
    if not isinstance(table, dict):
        raise CommandError(f"{file}: {name} must be a table, [{name}]")
    return table


def _texts(said: Any, where: str) -> list[str]:
    texts = [said] if isinstance(said, str) else said
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise CommandError(f"{where} must be a text or a list of texts")
    return [text for text in texts if text]

"""What columns of no known layout probably are, by what they are called."""

import re
from collections.abc import Iterable
from dataclasses import replace

from persona_cli.files.layouts.mapping import FIELDS, Mapping
from persona_cli.files.layouts.own import own_name
from persona_cli.files.layouts.templates import Template

_KEYS = (
    "externalid", "id", "uuid", "agentid", "personaid", "respondentid", "participantid",
    "respondent", "responseid", "userid", "customerid", "key",
)  # fmt: skip
# Field → what it is called elsewhere; the first that is there is taken.
_WORDS = {
    "external_id": _KEYS,
    "full_name": ("fullname", "name", "agentname", "displayname", "nombre", "nom", "vollername"),
    "age": ("age", "ageyears", "alter", "edad", "idade"),
    "gender": ("gender", "sex", "geschlecht", "genre", "sexo", "genero"),
    "occupation": (
        "occupation",
        "job",
        "jobtitle",
        "profession",
        "beruf",
        "ocupacion",
        "profissao",
    ),
    "location": ("location", "city", "residence", "place", "ort", "wohnort", "stadt", "ciudad"),
    "income_level": ("incomelevel", "income", "householdincome", "salary", "wealth", "einkommen"),
    "personality_traits": ("personalitytraits", "traits", "personality"),
    "psychographic_notes": ("psychographicnotes", "persona", "description", "bio", "notes"),
}
_FIRST, _LAST = ("firstname", "first", "vorname"), ("lastname", "last", "surname", "nachname")
_OTHER = re.compile(r"[\W_]+")


def by_names(columns: Iterable[str], *, is_sheet: bool) -> Mapping:
    """Return columns that have the names of fields, and the one that is a key by its name."""
    named = {own_name(column, is_sheet=is_sheet): column for column in columns}
    fields = {name: _lone(named[name]) for name in FIELDS if name in named and name != "id"}
    key = _found(_KEYS, columns)
    if key and "external_id" not in fields:
        fields["external_id"] = _lone(key)
    return Mapping("columns by name", fields)


def with_key(mapping: Mapping, columns: Iterable[str], *, is_sheet: bool) -> Mapping:
    """Return a mapping of our own fields whose key, if none has its name, is called otherwise."""
    columns = list(columns)
    is_named = any(own_name(each, is_sheet=is_sheet) in {"id", "external_id"} for each in columns)
    key = "" if is_named else _found(_KEYS, columns)
    fields = mapping.fields | {"external_id": _lone(key)} if key else mapping.fields
    return replace(mapping, fields=fields)


def guessed(columns: Iterable[str]) -> Mapping:
    """Return what fields are probably made of; a name, if nothing is one, of the row's number."""
    columns = list(columns)
    fields = {name: _found(words, columns) for name, words in _WORDS.items()}
    made = {name: Template((("", column),)) for name, column in fields.items() if column}
    first, last = _found(_FIRST, columns), _found(_LAST, columns)
    if "full_name" not in made and first and last:
        made["full_name"] = Template((("", first), (" ", last)))
    made.setdefault("full_name", Template((("Persona ", "row"),)))
    return Mapping(
        "columns by what they are called", {name: (each,) for name, each in made.items()}
    )


def _lone(path: str) -> tuple[Template, ...]:
    return (Template((("", path),)),)


def _found(words: Iterable[str], columns: Iterable[str]) -> str:
    known = {_OTHER.sub("", column.lower()): column for column in reversed(list(columns))}
    return next((known[word] for word in words if word in known), "")

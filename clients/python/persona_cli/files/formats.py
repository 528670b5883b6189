"""The layouts of personas by the names that `--format` takes."""

from dataclasses import replace
from enum import StrEnum
from typing import Any

from persona.v1.persona_pb2 import Persona
from persona_cli.files.layouts.fields import Rules
from persona_cli.files.layouts.filling import Filler, Origin
from persona_cli.files.layouts.known import LAYOUTS, layout_of
from persona_cli.files.layouts.mapping import Mapping
from persona_cli.files.layouts.own import OWN
from persona_cli.terminal.failures import CommandError


class PersonaFormat(StrEnum):
    """What the rows of a file are.

    OWN has fields of a persona by their names; so has JSONL, and nothing beside, as
    `persona export` writes them.
    """

    AUTO = "auto"
    JSONL = "jsonl"
    GENAGENTS = "genagents"
    TINYTROUPE = "tinytroupe"
    EDSL = "edsl"
    NEMOTRON = "nemotron"
    PERSONAHUB = "personahub"
    BOSES = "boses"
    OWN = "own"


def mapping_of(form: PersonaFormat) -> Mapping:
    """Return what becomes of rows of a format that is not AUTO."""
    if form is PersonaFormat.JSONL:
        return replace(OWN, is_strict=True)
    return LAYOUTS[form.value].mapping


def named_format(layout: str) -> PersonaFormat:
    """Return the format of a layout's name in a mapping file. Raises CommandError."""
    try:
        return PersonaFormat(layout)
    except ValueError:
        names = ", ".join(form.value for form in PersonaFormat)
        raise CommandError(f"there is no layout {layout!r}; there are {names}") from None


def format_of(value: dict[str, Any]) -> PersonaFormat:
    """Return the format that an object is written in."""
    known = layout_of(value, is_sheet=False)
    named = (PersonaFormat(name) for name in LAYOUTS if name != PersonaFormat.OWN)
    return next((form for form in named if mapping_of(form) is known), PersonaFormat.JSONL)


def persona_of(value: dict[str, Any], form: PersonaFormat) -> Persona:
    """Return the persona of an object, checked as the service checks it. Raises LineError."""
    mapping = mapping_of(form)
    rules = rules_of(mapping, Rules(), is_sheet=False)
    return Filler(mapping, rules, lambda _field, _text: None, is_sheet=False).persona(
        value, Origin()
    )


def rules_of(mapping: Mapping, rules: Rules, *, is_sheet: bool) -> Rules:
    """Return how a mapping takes the values of a file."""
    return replace(
        rules,
        is_typed=mapping.is_own and not is_sheet,
        is_sheet=is_sheet,
        takes_all=mapping.is_own,
        only_uuids=mapping.is_strict,
        is_keyless="external_id" in mapping.unfilled,
        levels=mapping.levels,
    )

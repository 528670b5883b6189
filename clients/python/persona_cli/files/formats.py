"""From a line of a file to a persona: this service's own JSON lines, and the genagents GSS file."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, Literal

from google.protobuf.wrappers_pb2 import Int32Value

from persona.v1.persona_pb2 import Persona
from persona_cli.files.json_lines import LineError, NumberedLines, json_items, parse_message
from persona_cli.terminal.output import compact_json
from persona_server.validation.personas import persona_violations


class PersonaFormat(StrEnum):
    """How a file's lines are read."""

    AUTO = "auto"
    JSONL = "jsonl"
    GENAGENTS = "genagents"


def format_of(value: dict[str, Any]) -> PersonaFormat:
    """Return the format that an object is written in."""
    if "agent_id" in value and ("first_name" in value or "last_name" in value):
        return PersonaFormat.GENAGENTS
    return PersonaFormat.JSONL


def persona_items(
    lines: NumberedLines, form: PersonaFormat, *, new_ids: bool = False
) -> Iterator[tuple[int, Persona | LineError]]:
    """Yield the personas of a file's lines; its first object tells the format if none is named."""
    found = form

    def item_of(value: dict[str, Any]) -> Persona:
        nonlocal found
        if found is PersonaFormat.AUTO:
            found = format_of(value)
        persona = persona_of(value, found)
        if new_ids:
            persona.ClearField("id")
        return persona

    return json_items(lines, item_of)


def persona_of(value: dict[str, Any], form: PersonaFormat) -> Persona:
    """Return the persona of an object, checked as the service checks it. Raises LineError."""
    try:
        persona = _READERS[form](value)
    except UnicodeEncodeError:
        raise LineError("contains an unpaired surrogate, which is not text") from None
    except (ValueError, TypeError) as error:
        raise LineError(str(error)) from None
    if found := persona_violations(persona, _PATH):
        raise LineError("; ".join(f"{_below(v.field)} {v.description}" for v in found))
    return persona


_PATH = "persona"
_PARENTS = {"project_id", "group_id"}  # output only
_LINEAGE: Literal["library_persona_id"] = "library_persona_id"


def _below(field: str) -> str:
    return field.removeprefix(f"{_PATH}.")


def _from_json_line(value: dict[str, Any]) -> Persona:
    persona = parse_message(value, Persona(), _PARENTS, _PATH)
    if persona.HasField(_LINEAGE):
        # A link to the library can't be imported, but where a copy came from is worth knowing.
        source = persona.library_persona_id.value
        if persona.attributes.get(_LINEAGE, source) != source:
            raise LineError(f"has a {_LINEAGE}, and a different one in its attributes")
        persona.attributes[_LINEAGE] = source
        persona.ClearField(_LINEAGE)
    return persona


def _from_genagents(value: dict[str, Any]) -> Persona:
    """Put known fields in their place and everything else into the attributes.

    A name, and a place, is made of several fields, which stay in the attributes as well: they can't
    be told from the whole.
    """
    persona = Persona()
    persona.full_name = " ".join(_texts(value, "first_name", "last_name"))
    if parts := _texts(value, "city", "state"):
        # The General Social Survey asks residents of the United States.
        _set_if_valid(persona, "location", ", ".join([*parts, "United States"]))
    used_keys = set()
    for key, name in _RENAMED_FIELDS.items():
        if key in value and _set_if_valid(persona, name, value[key]):
            used_keys.add(key)
    for key, item in value.items():
        if key not in used_keys:
            persona.attributes[key] = item if isinstance(item, str) else compact_json(item)
    return persona


# Fields that a persona has under another name.
_RENAMED_FIELDS = {"age": "age", "sex": "gender", "occupation": "occupation"}


def _texts(value: dict[str, Any], *keys: str) -> list[str]:
    """Return the values that are texts and not blank."""
    return [value[k] for k in keys if isinstance(value.get(k), str) and value[k].strip()]


def _set_if_valid(persona: Persona, name: str, item: Any) -> bool:
    """Put a value into a field if it fits as it stands; whether it did."""
    if type(item) is not (int if name == "age" else str) or not item:
        return False
    try:
        one = _persona_with(name, item)
    except ValueError:  # an integer beyond 32 bits
        return False
    if _is_invalid(one, name):
        return False
    persona.MergeFrom(one)
    return True


def _persona_with(name: str, item: Any) -> Persona:
    fields: dict[str, Any] = {name: Int32Value(value=item) if name == "age" else item}
    return Persona(**fields)


def _is_invalid(persona: Persona, name: str) -> bool:
    return any(v.field == f"{_PATH}.{name}" for v in persona_violations(persona, _PATH))


_READERS: dict[PersonaFormat, Callable[[dict[str, Any]], Persona]] = {
    PersonaFormat.JSONL: _from_json_line,
    PersonaFormat.GENAGENTS: _from_genagents,
}

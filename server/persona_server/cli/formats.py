"""From a line of a file to a persona: this service's own JSON lines, and the genagents GSS file."""

import json
import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NoReturn

from google.protobuf.json_format import ParseDict, ParseError

from persona.v1.persona_pb2 import Persona
from persona_server.cli.output import compact
from persona_server.services.validation import persona_violations


class Format(StrEnum):
    """How a file's lines are read."""

    AUTO = "auto"
    JSONL = "jsonl"
    GENAGENTS = "genagents"


class LineError(Exception):
    """A line cannot be a persona; the text says why."""


def parse_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object of a line. Raises LineError."""
    try:
        value = json.loads(
            raw.decode(),
            object_pairs_hook=_object,
            parse_float=_finite,
            parse_constant=_not_json,
        )
    except UnicodeDecodeError as error:
        raise LineError(f"is not UTF-8 (byte {error.start + 1})") from None
    except RecursionError:
        raise LineError("is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise LineError(f"is not JSON: {error.msg} (column {error.colno})") from None
    except ValueError as error:  # a number of thousands of digits
        raise LineError(f"is not JSON that can be read: {error}") from None
    if not isinstance(value, dict):
        raise LineError("is not a JSON object")
    return value


def format_of(value: dict[str, Any]) -> Format:
    """Return the format that an object is written in."""
    if "agent_id" in value and ("first_name" in value or "last_name" in value):
        return Format.GENAGENTS
    return Format.JSONL


def persona_of(value: dict[str, Any], form: Format) -> Persona:
    """Return the persona of an object, checked as the service checks it. Raises LineError."""
    try:
        persona = _READERS[form](value)
    except UnicodeEncodeError:
        raise LineError("holds half of a surrogate pair, which is no text") from None
    except (ParseError, ValueError, TypeError) as error:
        raise LineError(str(error)) from None
    if found := persona_violations(persona, _PATH):
        raise LineError("; ".join(f"{_below(v.field)} {v.description}" for v in found))
    return persona


_PATH = "persona"
_NAMES = {name: f.name for f in Persona.DESCRIPTOR.fields for name in (f.name, f.json_name)}
_PARENTS = {"project_id", "group_id"}  # output only


def _below(field: str) -> str:
    return field.removeprefix(f"{_PATH}.")


def _from_json_line(value: dict[str, Any]) -> Persona:
    if unknown := sorted(value.keys() - _NAMES.keys()):
        raise LineError(f"has fields that a persona has not: {', '.join(unknown)}")
    named = {_NAMES[key]: item for key, item in value.items()}
    if len(named) < len(value):
        raise LineError("names a field twice, once as JavaScript would")
    return ParseDict({k: v for k, v in named.items() if k not in _PARENTS}, Persona())


def _from_genagents(value: dict[str, Any]) -> Persona:
    """Put known fields in their place and everything else into the attributes.

    A name, and a place, is made of several fields, which stay in the attributes as well: they can't
    be told from the whole.
    """
    persona = Persona()
    persona.full_name = " ".join(_texts(value, "first_name", "last_name"))
    if places := _texts(value, "city", "state"):
        # The General Social Survey asks residents of the United States.
        persona.location = ", ".join([*places, "United States"])
    placed = set()
    for key, name in _PLACES.items():
        if key in value and _place(persona, name, value[key]):
            placed.add(key)
    if _violated(persona, "location"):  # its parts are in the attributes
        persona.location = ""
    for key, item in value.items():
        if key not in placed:
            persona.attributes[key] = item if isinstance(item, str) else compact(item)
    return persona


# Fields that a persona has under another name.
_PLACES = {"age": "age", "sex": "gender", "occupation": "occupation"}


def _texts(value: dict[str, Any], *keys: str) -> list[str]:
    """Return the values that are texts and not blank."""
    return [value[k] for k in keys if isinstance(value.get(k), str) and value[k].strip()]


def _place(persona: Persona, name: str, item: Any) -> bool:
    """Put a value into a field if it fits as it stands; whether it did."""
    kind = type(getattr(persona, name))
    if type(item) is not kind or not item:
        return False
    try:
        setattr(persona, name, item)
    except ValueError:  # an integer beyond 32 bits
        return False
    if _violated(persona, name):
        persona.ClearField(name)  # type: ignore[arg-type]
        return False
    return True


def _violated(persona: Persona, name: str) -> bool:
    one = Persona(**{name: getattr(persona, name)})
    return any(v.field == f"{_PATH}.{name}" for v in persona_violations(one, _PATH))


_READERS: dict[Format, Callable[[dict[str, Any]], Persona]] = {
    Format.JSONL: _from_json_line,
    Format.GENAGENTS: _from_genagents,
}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        again = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise LineError(f'repeats the key "{again}"')
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise LineError(f"holds a number out of range: {text[:40]}")
    return number


def _not_json(text: str) -> NoReturn:
    raise LineError(f"holds {text}, which is not JSON")

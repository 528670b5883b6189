"""Put a value into a field of a persona, or say why it does not fit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from persona.v1.persona_pb2 import Persona
from persona_cli.files.layouts.levels import LEVELS, Level, level_of
from persona_cli.files.layouts.values import (
    code_of,
    kind_of,
    split_texts,
    text_of,
    texts_of,
    time_of,
    whole_number,
)
from persona_server.validation.fields import UUID
from persona_server.validation.limits import FEWEST_TRAITS, LISTS

_TRAITS = LISTS["personality_traits"]
_YEARS = 2**31  # what the field can hold; what an age can be is checked with the others


@dataclass(frozen=True, slots=True)
class Rules:
    """How values are taken: `is_typed` means as JSON of our own has them, and in no other way."""

    is_typed: bool = False
    is_sheet: bool = False  # whose numbers may be texts
    takes_all: bool = False  # of too many traits, none is left out
    only_uuids: bool = False  # as ids
    is_keyless: bool = False  # what the source calls its personas is not wanted
    levels: tuple[Level, ...] = ()
    zone: tzinfo | None = None


class MisfitError(Exception):
    """A value does not fit its field; the text says why."""


class PartlyTaken(Exception):  # noqa: N818 (it is no error)
    """A value was taken, but is not all in its field; the text says what to know."""


def set_field(persona: Persona, name: str, value: Any, rules: Rules) -> None:
    """Put a value into a field. Raises MisfitError, or PartlyTaken if it is to be kept as well."""
    _SETTERS.get(name, _set_text)(persona, name, value, rules)


def _set_text(persona: Persona, name: str, value: Any, rules: Rules) -> None:
    if isinstance(value, str):
        setattr(persona, name, value if rules.is_typed else value.strip())
    elif not (rules.is_sheet or name == "external_id") or not _is_number(value):
        raise MisfitError(f"must be a text, but is {kind_of(value)}")
    else:
        setattr(persona, name, code_of(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str) or _is_number(value)


def _set_id(persona: Persona, _: str, value: Any, rules: Rules) -> None:
    """An id that is none of ours is what the source calls the persona, if that is wanted."""
    text = code_of(value).strip()
    if UUID.fullmatch(text):
        persona.id = text
    elif text and (persona.external_id or rules.only_uuids or not _is_scalar(value)):
        raise MisfitError("must be a UUID")
    elif text and rules.is_keyless:
        raise PartlyTaken("")
    else:
        persona.external_id = persona.external_id or text


def _set_age(persona: Persona, _: str, value: Any, __: Rules) -> None:
    years = whole_number(value)
    if years is None or not -_YEARS <= years < _YEARS:
        raise MisfitError(f"must be a whole number of years, not {text_of(value)[:40]!r}")
    persona.age.value = years


def _set_level(persona: Persona, _: str, value: Any, rules: Rules) -> None:
    word = text_of(value).strip()
    if level := level_of(word, rules.levels):
        persona.income_level = level
        raise PartlyTaken("")
    level = LEVELS.get(word.lower(), "")
    if word and not level:
        raise MisfitError(
            f"must be Low, Middle or High, not {word[:40]!r} "
            f"(--map income_level='COLUMN:{word[:40]}=Middle,…' says what it is)"
        )
    persona.income_level = level


def _set_list(persona: Persona, name: str, value: Any, rules: Rules) -> None:
    getattr(persona, name).extend(_items(value, rules))


def _set_traits(persona: Persona, _: str, value: Any, rules: Rules) -> None:
    items = _items(value, rules)
    if rules.takes_all:
        persona.personality_traits.extend(items)
        return
    fitting = [item for item in items if len(item.strip()) > 0 and len(item) <= _TRAITS.characters]
    if len(fitting) < FEWEST_TRAITS:
        raise MisfitError(
            f"must have at least {FEWEST_TRAITS} traits of {_TRAITS.characters} characters"
        )
    persona.personality_traits.extend(fitting[: _TRAITS.most])
    if len(items) > _TRAITS.most or len(fitting) < len(items):
        raise PartlyTaken(
            f"has the first {_TRAITS.most} traits that fit; all of them are in the attributes"
        )


def _items(value: Any, rules: Rules) -> list[str]:
    if isinstance(value, str) and not rules.is_typed:
        return split_texts(value)
    items = texts_of(value)
    if items is None or (rules.is_typed and not all(isinstance(one, str) for one in value)):
        what = 'must be a list of texts, such as ["curious", "kind", "warm"]'
        raise MisfitError(f"{what}, but is {kind_of(value)}")
    return items


def _set_time(persona: Persona, _: str, value: Any, rules: Rules) -> None:
    try:
        time, is_clear = time_of(value, rules.zone)
        if rules.is_typed and not is_clear:
            raise MisfitError(
                "must name its time zone, as 2026-03-01T09:30:00Z does, or --timezone"
            )
        persona.created_at.FromDatetime(time)
    except (ValueError, OverflowError) as error:
        persona.ClearField("created_at")
        raise MisfitError(str(error)) from None
    if not is_clear:
        raise PartlyTaken(
            "is taken as UTC where it names no time zone (--timezone says another one)"
        )


_SETTERS: dict[str, Callable[[Persona, str, Any, Rules], None]] = {
    "id": _set_id,
    "age": _set_age,
    "income_level": _set_level,
    "personality_traits": _set_traits,
    "trusted_brands": _set_list,
    "distrusted_brands": _set_list,
    "created_at": _set_time,
}

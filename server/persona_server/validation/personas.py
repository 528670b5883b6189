"""What a persona must be: the server checks and normalises with this, and so does the importer."""

import re

from persona.v1.persona_pb2 import Persona
from persona_server.validation.fields import (
    check_folded,
    check_line,
    check_name,
    check_text,
    check_time,
    check_uuid,
)
from persona_server.validation.limits import (
    FEWEST_TRAITS,
    FOLDED,
    INCOME_LEVELS,
    LINES,
    LISTS,
    MAX_AGE,
    MAX_ATTRIBUTES_BYTES,
    MAX_PERSONA_BYTES,
    TEXTS,
)
from persona_server.validation.violations import Violation

_SERVERS_PART = 136  # bytes of id, parents and created_at, which the server adds or replaces
_MAX_CONTENT = MAX_PERSONA_BYTES - _SERVERS_PART
_FILTERED = tuple((n, LINES[n], FOLDED[n]) for n in ("gender", "occupation", "location"))
_NARRATIVES = ("digital_habits", "price_sensitivity", "psychographic_notes")
_BRANDS = ("trusted_brands", "distrusted_brands")
_ITEM_LISTS = tuple((n, LISTS[n].characters) for n in ("personality_traits", *_BRANDS))
_TRAITS = range(FEWEST_TRAITS, LISTS["personality_traits"].most + 1)
_URL = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)


def persona_violations(persona: Persona, path: str) -> list[Violation]:
    """Normalise a persona that a client brings, and return what is wrong with it.

    Ids become lower case, times are cut to microseconds, output-only parents are cleared. Each
    violation names its field below `path`, such as "personas[12].age".
    """
    found: list[Violation] = []
    if persona.id:
        check_uuid(found, f"{path}.id", persona.id, required=False)
        persona.id = persona.id.lower()
    persona.ClearField("project_id")
    persona.ClearField("group_id")
    if persona.HasField("library_persona_id"):
        what = "is output only and must be left unset, because lineage can't be forged"
        found.append(Violation(f"{path}.library_persona_id", what))
    if persona.HasField("created_at"):
        check_time(found, f"{path}.created_at", persona.created_at)
    _check_texts(found, persona, path)
    _check_lists(found, persona, path)
    if persona.attributes:
        _check_attributes(found, persona, path)
    if (size := _content_bytes(persona)) > _MAX_CONTENT:
        what = f"must have at most {_MAX_CONTENT} bytes of content, has {size}"
        found.append(Violation(path, what))
    return found


def _content_bytes(persona: Persona) -> int:
    """Return the encoded size without id and created_at, so that what was stored fits again."""
    size = persona.ByteSize()
    if size <= _MAX_CONTENT:  # nearly always
        return size
    bare = Persona()
    bare.CopyFrom(persona)
    bare.ClearField("id")
    bare.ClearField("created_at")
    return bare.ByteSize()


def _check_texts(found: list[Violation], persona: Persona, path: str) -> None:
    check_name(found, f"{path}.full_name", persona.full_name, LINES["full_name"])
    if not 0 <= persona.age <= MAX_AGE:
        what = f"must be 1 to {MAX_AGE}, or 0 if unknown, but is {persona.age}"
        found.append(Violation(f"{path}.age", what))
    for name, characters, folded in _FILTERED:
        if value := getattr(persona, name):
            check_line(found, f"{path}.{name}", value, characters)
            check_folded(found, f"{path}.{name}", value, folded)
    if persona.income_level not in INCOME_LEVELS:
        what = 'must be "Low", "Middle", "High" or ""'
        found.append(Violation(f"{path}.income_level", what))
    for name in _NARRATIVES:
        if value := getattr(persona, name):
            check_text(found, f"{path}.{name}", value, TEXTS[name])
    if url := persona.avatar_url:
        check_line(found, f"{path}.avatar_url", url, LINES["avatar_url"])
        if not _URL.fullmatch(url):
            found.append(Violation(f"{path}.avatar_url", "must be an http or https URL, or empty"))


def _check_lists(found: list[Violation], persona: Persona, path: str) -> None:
    traits = persona.personality_traits
    if traits and len(traits) not in _TRAITS:
        what = (
            f"must contain {_TRAITS.start} to {_TRAITS.stop - 1} descriptors or none, "
            f"has {len(traits)} (put further ones into attributes)"
        )
        found.append(Violation(f"{path}.personality_traits", what))
    for name in _BRANDS:
        if (count := len(getattr(persona, name))) > LISTS[name].most:
            what = f"must contain at most {LISTS[name].most} brands, has {count}"
            found.append(Violation(f"{path}.{name}", what))
    for name, characters in _ITEM_LISTS:
        for i, item in enumerate(getattr(persona, name)):
            # The path is made only for an item that may be bad: a thousand personas have many.
            if len(item) > characters or not item.isprintable() or not item.strip():
                _check_item(found, f"{path}.{name}[{i}]", item, characters)


def _check_item(found: list[Violation], path: str, item: str, characters: int) -> None:
    if not item.strip():
        found.append(Violation(path, "must not be blank"))
    check_line(found, path, item, characters)


def _check_attributes(found: list[Violation], persona: Persona, path: str) -> None:
    attributes = persona.attributes
    most, characters = LISTS["attributes"]
    if len(attributes) > most:
        what = f"must have at most {most} keys, has {len(attributes)}"
        found.append(Violation(f"{path}.attributes", what))
    total = 0
    for key, value in attributes.items():
        total += len(key.encode()) + len(value.encode())
        where = f'{path}.attributes["{key[:characters]}"]'
        if not key.strip():
            found.append(Violation(where, "must have a key that is not blank"))
        check_line(found, where, key, characters)
        if "\0" in value:
            found.append(Violation(where, "must not contain NUL"))
    if total > MAX_ATTRIBUTES_BYTES:
        what = f"must have at most {MAX_ATTRIBUTES_BYTES} bytes in total, has {total}"
        found.append(Violation(f"{path}.attributes", what))

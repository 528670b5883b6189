"""What a persona must be: the server checks and normalises with this, and so does the importer."""

import re

from persona.v1.persona_pb2 import Persona
from persona_server.errors import Violation
from persona_server.validation.fields import (
    check_folded,
    check_line,
    check_name,
    check_text,
    check_time,
    check_uuid,
)

MAX_PERSONA_BYTES = 64 << 10
_SERVERS_PART = 136  # bytes of id, parents and created_at, which the server adds or replaces
INCOME_LEVELS = ("", "Low", "Middle", "High")

# field → (characters, UTF-8 bytes when folded for filters)
_FILTERED = (("gender", 64, 256), ("occupation", 255, 1020), ("location", 255, 1020))
_NARRATIVES = (
    ("digital_habits", 8 << 10),
    ("price_sensitivity", 8 << 10),
    ("psychographic_notes", 16 << 10),
)
_OLDEST = 130
_TRAITS = (3, 5)
_MAX_BRANDS = 50
_ITEM = 128
_MAX_KEYS, _MAX_ATTRIBUTES = 100, 32 << 10
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
        what = "is output only: lineage can't be forged; leave it unset"
        found.append(Violation(f"{path}.library_persona_id", what))
    if persona.HasField("created_at"):
        check_time(found, f"{path}.created_at", persona.created_at)
    _check_texts(found, persona, path)
    _check_lists(found, persona, path)
    if persona.attributes:
        _check_attributes(found, persona, path)
    if (size := _content_bytes(persona)) > MAX_PERSONA_BYTES - _SERVERS_PART:
        most = MAX_PERSONA_BYTES - _SERVERS_PART
        found.append(Violation(path, f"must have at most {most} bytes of content, has {size}"))
    return found


def _content_bytes(persona: Persona) -> int:
    """Return the encoded size without id and created_at, so that what was stored fits again."""
    size = persona.ByteSize()
    if size <= MAX_PERSONA_BYTES - _SERVERS_PART:  # nearly always
        return size
    bare = Persona()
    bare.CopyFrom(persona)
    bare.ClearField("id")
    bare.ClearField("created_at")
    return bare.ByteSize()


def _check_texts(found: list[Violation], persona: Persona, path: str) -> None:
    check_name(found, f"{path}.full_name", persona.full_name)
    if not 0 <= persona.age <= _OLDEST:
        what = f"must be 1 to {_OLDEST} (0: not known), is {persona.age}"
        found.append(Violation(f"{path}.age", what))
    for name, characters, folded in _FILTERED:
        if value := getattr(persona, name):
            check_line(found, f"{path}.{name}", value, characters)
            check_folded(found, f"{path}.{name}", value, folded)
    if persona.income_level not in INCOME_LEVELS:
        what = 'must be "Low", "Middle", "High" or ""'
        found.append(Violation(f"{path}.income_level", what))
    for name, size in _NARRATIVES:
        if value := getattr(persona, name):
            check_text(found, f"{path}.{name}", value, size)
    if url := persona.avatar_url:
        check_line(found, f"{path}.avatar_url", url, 2048)
        if not _URL.fullmatch(url):
            found.append(Violation(f"{path}.avatar_url", "must be an http or https URL, or empty"))


def _check_lists(found: list[Violation], persona: Persona, path: str) -> None:
    traits = persona.personality_traits
    if traits and not _TRAITS[0] <= len(traits) <= _TRAITS[1]:
        what = f"must hold 3 to 5 descriptors or none, holds {len(traits)}; more go to attributes"
        found.append(Violation(f"{path}.personality_traits", what))
    for name in ("trusted_brands", "distrusted_brands"):
        if (count := len(getattr(persona, name))) > _MAX_BRANDS:
            what = f"must hold at most {_MAX_BRANDS} brands, holds {count}"
            found.append(Violation(f"{path}.{name}", what))
    for name in ("personality_traits", "trusted_brands", "distrusted_brands"):
        for i, item in enumerate(getattr(persona, name)):
            # The path is made only for an item that may be bad: a thousand personas have many.
            if len(item) > _ITEM or not item.isprintable() or not item.strip():
                _check_item(found, f"{path}.{name}[{i}]", item)


def _check_item(found: list[Violation], path: str, item: str) -> None:
    if not item.strip():
        found.append(Violation(path, "must not be empty"))
    check_line(found, path, item, _ITEM)


def _check_attributes(found: list[Violation], persona: Persona, path: str) -> None:
    attributes = persona.attributes
    if len(attributes) > _MAX_KEYS:
        what = f"must have at most {_MAX_KEYS} keys, has {len(attributes)}"
        found.append(Violation(f"{path}.attributes", what))
    total = 0
    for key, value in attributes.items():
        total += len(key.encode()) + len(value.encode())
        where = f'{path}.attributes["{key[:_ITEM]}"]'
        if not key.strip():
            found.append(Violation(where, "must have a key that is not empty"))
        check_line(found, where, key, _ITEM)
        if "\0" in value:
            found.append(Violation(where, "must not hold NUL"))
    if total > _MAX_ATTRIBUTES:
        what = f"must have at most {_MAX_ATTRIBUTES} bytes in all, has {total}"
        found.append(Violation(f"{path}.attributes", what))

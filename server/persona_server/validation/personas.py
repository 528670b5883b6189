"""What a persona must be: the server checks and normalises with this, and so does the importer."""

import re
from typing import Literal

from persona.v1.persona_pb2 import Persona
from persona_server.validation.fields import (
    are_clean,
    check_filterable,
    check_given,
    check_items,
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
from persona_server.validation.violations import Violations, found_by

# Bytes of id, parents and created_at, which the server adds or replaces: 130 at most. What was
# stored when an age took two bytes less must fit again, too.
_SERVERS_PART = 134
MAX_CONTENT = MAX_PERSONA_BYTES - _SERVERS_PART
# A persona that a client has read may be sent again: what the server gave it is not looked at.
OUTPUT_ONLY: tuple[Literal["project_id", "group_id", "library_persona_id", "copied_from"], ...] = (
    "project_id",
    "group_id",
    "library_persona_id",
    "copied_from",
)
FILTERED = tuple(
    (n, LINES[n], FOLDED[n]) for n in ("full_name", "gender", "occupation", "location")
)
NARRATIVES = tuple(
    (n, TEXTS[n]) for n in ("digital_habits", "price_sensitivity", "psychographic_notes")
)
_BRANDS = ("trusted_brands", "distrusted_brands")
ITEM_LISTS = tuple((n, LISTS[n]) for n in ("personality_traits", *_BRANDS))
TRAITS = range(FEWEST_TRAITS, LISTS["personality_traits"].most + 1)
URL = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)


def persona_violations(persona: Persona, path: str) -> Violations:
    """Normalise a persona that a client brings, and return what is wrong with it.

    Ids become lower case, times are cut to microseconds, output-only fields are cleared. Each
    violation names its field below `path`, such as "personas[12].age".
    """
    return found_by(lambda found: check_persona(found, persona, path))


def check_persona(found: Violations, persona: Persona, path: str, *, is_well: bool = False) -> None:
    """Check and normalise a persona, as it stands at `path`.

    `is_well` says that nothing is wrong with its texts, age, lists, attributes and size, as
    `columns.are_well` found.
    """
    if persona.id:
        persona.id = check_uuid(found, f"{path}.id", persona.id, required=False)
    for name in OUTPUT_ONLY:
        persona.ClearField(name)
    if persona.HasField("created_at"):
        check_time(found, f"{path}.created_at", persona.created_at)
    if not is_well:
        _check_texts(found, persona, path)
        _check_lists(found, persona, path)
        _check_attributes(found, persona, path)
        _check_size(found, persona, path)


def _check_texts(found: Violations, persona: Persona, path: str) -> None:
    check_given(found, f"{path}.full_name", persona.full_name, LINES["full_name"])
    if persona.HasField("age") and not 1 <= persona.age.value <= MAX_AGE:
        what = f"must be 1 to {MAX_AGE}, or unset if unknown, but is {persona.age.value}"
        found.add(f"{path}.age", what)
    for name, characters, folded in FILTERED:
        if value := getattr(persona, name):
            check_filterable(found, f"{path}.{name}", value, characters, folded)
    if persona.income_level not in INCOME_LEVELS:
        what = 'must be "Low", "Middle", "High" or ""'
        found.add(f"{path}.income_level", what)
    for name, most in NARRATIVES:
        if value := getattr(persona, name):
            check_text(found, f"{path}.{name}", value, most)
    if url := persona.avatar_url:
        _check_url(found, f"{path}.avatar_url", url)
    if external_id := persona.external_id:
        check_name(found, f"{path}.external_id", external_id, LINES["external_id"])


def _check_url(found: Violations, path: str, url: str) -> None:
    limit = LINES["avatar_url"]
    check_line(found, path, url, limit)
    if len(url) <= limit and not URL.fullmatch(url):
        found.add(path, "must be an http or https URL, or empty")


def _check_lists(found: Violations, persona: Persona, path: str) -> None:
    if (traits := persona.personality_traits) and len(traits) not in TRAITS:
        what = (
            f"must contain {TRAITS.start} to {TRAITS.stop - 1} descriptors or none, "
            f"has {len(traits)} (put further ones into attributes)"
        )
        found.add(f"{path}.personality_traits", what)
    for name in _BRANDS:
        if (count := len(getattr(persona, name))) > LISTS[name].most:
            what = f"must contain at most {LISTS[name].most} brands, has {count}"
            found.add(f"{path}.{name}", what)
    for name, (most, characters) in ITEM_LISTS:
        if (items := getattr(persona, name)) and len(items) <= most:
            check_items(found, f"{path}.{name}", items, characters)


def _check_attributes(found: Violations, persona: Persona, path: str) -> None:
    if not persona.attributes:
        return
    where = f"{path}.attributes"
    most, characters = LISTS["attributes"]
    if len(persona.attributes) > most:
        found.add(where, f"must have at most {most} keys, has {len(persona.attributes)}")
        return
    keys = list(persona.attributes)
    values = [persona.attributes[key] for key in keys]
    total = len("".join(keys).encode()) + len("".join(values).encode())
    if total > MAX_ATTRIBUTES_BYTES:
        found.add(where, f"must have at most {MAX_ATTRIBUTES_BYTES} bytes in total, has {total}")
        return
    if are_clean(keys, characters) and "\0" not in "".join(values):
        return
    for key, value in zip(keys, values, strict=True):
        _check_attribute(found, f'{where}["{key[:characters]}"]', key, value)


def _check_attribute(found: Violations, path: str, key: str, value: str) -> None:
    if not key.strip():
        found.add(path, "must have a key that is not blank")
    check_line(found, path, key, LISTS["attributes"].characters)
    if "\0" in value:
        found.add(path, "must not contain NUL")


def _check_size(found: Violations, persona: Persona, path: str) -> None:
    if (size := _content_bytes(persona)) > MAX_CONTENT:
        found.add(path, f"must have at most {MAX_CONTENT} bytes of content, has {size}")


def _content_bytes(persona: Persona) -> int:
    """Return the encoded size without id and created_at, so that what was stored fits again."""
    size = persona.ByteSize()
    if size <= MAX_CONTENT:  # nearly always
        return size
    bare = Persona()
    bare.CopyFrom(persona)
    bare.ClearField("id")
    bare.ClearField("created_at")
    return bare.ByteSize()

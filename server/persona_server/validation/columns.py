"""The personas of a batch, looked at field by field: half the cost of one persona at a time.

Nearly always all is well. Where it is not, `personas` says what is wrong with which of them.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

from persona.v1.persona_pb2 import Persona
from persona_server.validation.fields import control_in, folding_fault
from persona_server.validation.limits import (
    INCOME_LEVELS,
    LINES,
    LISTS,
    LONGEST_UTF8,
    MAX_AGE,
    MAX_ATTRIBUTES_BYTES,
)
from persona_server.validation.personas import (
    FILTERED,
    ITEM_LISTS,
    MAX_CONTENT,
    NARRATIVES,
    TRAITS,
    URL,
)

AT_ONCE = 100  # so many: all that one look can be at is then looked at in a few milliseconds
_SHORTEST_ITEM = min(items.characters for _, items in ITEM_LISTS)
# A persona of so few bytes has no narrative that is too long, nor are its attributes.
_SHORT = min(MAX_ATTRIBUTES_BYTES, *(most for _, most in NARRATIVES))


def are_well(personas: Sequence[Persona]) -> bool:
    """Whether nothing is wrong with the texts, ages, lists, attributes and size of some personas.

    False says that something may be. Ids and times are not looked at.
    """
    ages = [p.age.value for p in personas if p.HasField("age")]
    return (
        all(1 <= age <= MAX_AGE for age in ages)
        and {p.income_level for p in personas}.issubset(INCOME_LEVELS)
        and all(map(str.strip, [p.full_name for p in personas]))
        and all(
            _are_filterable([getattr(p, name) for p in personas], most, folded)
            for name, most, folded in FILTERED
        )
        and _are_urls([url for p in personas if (url := p.avatar_url)])
        and _are_clean([e for p in personas if (e := p.external_id)], LINES["external_id"])
        and _are_short(personas)
        and _are_lists_well(personas)
        and _are_keys_well([p.attributes for p in personas if p.attributes])
    )


def _are_short(personas: Sequence[Persona]) -> bool:
    """Whether personas, their narratives and attributes are short, and the latter without NUL.

    Their bytes tell it of nearly all, at less than what it takes to read the texts. A NUL in them
    may also be the length of an empty text.
    """
    encoded = [p.SerializeToString() for p in personas]
    unsure = [p for p, e in zip(personas, encoded, strict=True) if len(e) > _SHORT or b"\0" in e]
    return not unsure or (
        max(map(len, encoded)) <= MAX_CONTENT
        and all(_are_texts([getattr(p, name) for p in unsure], most) for name, most in NARRATIVES)
        and _are_values_well([p.attributes for p in unsure])
    )


def _are_filterable(texts: list[str], characters: int, folded: int) -> bool:
    if not _are_lines(texts, characters):
        return False
    return not any(folding_fault(text, folded) for text in texts if not text.isascii())


def _are_texts(texts: list[str], most: int) -> bool:
    return max(map(len, texts)) * LONGEST_UTF8 <= most and "\0" not in "".join(texts)


def _are_urls(texts: list[str]) -> bool:
    return _are_lines(texts, LINES["avatar_url"]) and all(map(URL.fullmatch, texts))


def _are_lines(texts: list[str], characters: int) -> bool:
    return max(map(len, texts), default=0) <= characters and not control_in("".join(texts))


def _are_clean(texts: list[str], characters: int) -> bool:
    return _are_lines(texts, characters) and all(map(str.strip, texts))


def _are_lists_well(personas: Sequence[Persona]) -> bool:
    lists = {name: [getattr(p, name)[:] for p in personas] for name, _ in ITEM_LISTS}
    for name, of_all in lists.items():
        if max(map(len, of_all)) > LISTS[name].most:
            return False
    if not {0, *TRAITS}.issuperset(map(len, lists["personality_traits"])):
        return False
    items = [*chain.from_iterable(chain.from_iterable(lists.values()))]
    return _are_clean(items, _SHORTEST_ITEM)


def _are_keys_well(attributes: Sequence[Mapping[str, str]]) -> bool:
    keys = [*{*chain.from_iterable(attributes)}]  # mostly the same of all
    return max(map(len, attributes), default=0) <= LISTS["attributes"].most and _are_clean(
        keys, LISTS["attributes"].characters
    )


def _are_values_well(attributes: Sequence[Mapping[str, str]]) -> bool:
    values = ["".join([*each, *map(each.__getitem__, each)]) for each in attributes]
    return _are_texts(values, MAX_ATTRIBUTES_BYTES)

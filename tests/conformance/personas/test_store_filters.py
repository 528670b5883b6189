"""Filters: the same persons match on every engine, whatever its collation and its LIKE do."""

from typing import Any

import pytest

from persona_server.storage.repositories.filters import Filters
from persona_server.storage.store import Store
from persona_server.validation.fields import fold
from support.data import persona
from support.stored import StoredGroup

PEOPLE: dict[str, dict[str, Any]] = {
    "ascii": {"gender": "Female", "location": "Porto, Portugal", "occupation": "Nurse", "age": 30},
    "upper": {"gender": "FEMALE", "location": "PORTO", "occupation": "NURSE (ICU)", "age": 31},
    "full": {
        "gender": "ＦＥＭＡＬＥ",
        "location": "Ｐｏｒｔｏ",
        "occupation": "Ｎｕｒｓｅ",
        "age": 32,
    },
    "eszett": {"gender": "x", "location": "Weiße Straße", "occupation": "50%_off"},
    "ligature": {"gender": "ﬁne", "location": "Oﬃce", "occupation": "50xyoff", "age": 1},
    "turkish": {"gender": "y", "location": "İstanbul", "occupation": "IŞIK", "age": 130},
    "sigma": {"gender": "z", "location": "ΣΊΣΥΦΟΣ", "occupation": "a\\b", "age": 64},
    "accent": {"gender": "Fémale", "location": "Sa\u0303o Paulo", "occupation": "", "age": 65},
    "low": {"income_level": "Low"},
    "high": {"income_level": "High"},
}


@pytest.fixture(scope="module")
def people(shared_store: Store) -> StoredGroup:
    """One person of each kind, named by it."""
    group = StoredGroup(shared_store)
    group.add(*[persona(full_name=name, **fields) for name, fields in PEOPLE.items()])
    return group


# (filter, its text as a caller writes it, who matches)
TEXTS = [
    ("gender", "female", {"ascii", "upper", "full"}),
    ("gender", "FEMALE", {"ascii", "upper", "full"}),
    ("gender", "ｆemale", {"ascii", "upper", "full"}),
    ("gender", "emal", set()),  # matches whole
    ("gender", "female ", set()),  # nothing is trimmed
    ("gender", "fémale", {"accent"}),
    ("gender", "FINE", {"ligature"}),
    ("income_level", "low", {"low"}),
    ("income_level", "lo", set()),  # matches whole
    ("income_level", "HIGH", {"high"}),
    ("location", "porto", {"ascii", "upper", "full"}),
    ("location", "port", {"ascii", "upper", "full"}),
    ("location", "portugal", {"ascii"}),
    ("location", ", ", {"ascii"}),
    ("location", "STRASSE", {"eszett"}),
    ("location", "ß", {"eszett"}),
    ("location", "office", {"ligature"}),
    ("location", "ﬃ", {"ligature"}),
    ("location", "İSTANBUL", {"turkish"}),
    ("location", "i\u0307stanbul", {"turkish"}),
    ("location", "istanbul", set()),  # a folded İ keeps its dot
    ("location", "stanbul", {"turkish"}),
    ("location", "σίσυφος", {"sigma"}),
    ("location", "ΣΊΣΥΦΟΣ", {"sigma"}),
    ("location", "são", {"accent"}),  # composed by NFKC on both sides
    ("location", "sao", set()),  # accents count
    ("occupation", "nurse", {"ascii", "upper", "full"}),
    ("occupation", "(icu)", {"upper"}),
    ("occupation", "%", {"eszett"}),
    ("occupation", "_", {"eszett"}),
    ("occupation", "50%", {"eszett"}),
    ("occupation", "n%e", set()),
    ("occupation", "nurs_", set()),
    ("occupation", "\\", {"sigma"}),
    ("occupation", "*", set()),
    ("occupation", "ışık", set()),  # case folding knows no Turkish I
    ("occupation", "işik", {"turkish"}),
]


@pytest.mark.parametrize(("name", "text", "expected"), TEXTS)
def test_texts(people: StoredGroup, name: str, text: str, expected: set[str]) -> None:
    given: dict[str, Any] = {name: fold(text)}
    assert people.names(Filters(**given)) == expected


KNOWN_AGES = {"ascii", "upper", "full", "ligature", "turkish", "sigma", "accent"}


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1, None, KNOWN_AGES),  # one that is not known matches no bound
        (None, 130, KNOWN_AGES),
        (31, 32, {"upper", "full"}),  # inclusive on both sides
        (130, None, {"turkish"}),
        (None, 1, {"ligature"}),
        (66, 129, set()),
    ],
)
def test_ages(people: StoredGroup, low: int | None, high: int | None, expected: set[str]) -> None:
    assert people.names(Filters(age_min=low, age_max=high)) == expected


def test_conditions_all_hold_at_once(people: StoredGroup) -> None:
    assert people.names(Filters(gender="female", location="porto", age_min=31)) == {"upper", "full"}
    assert people.names(Filters(gender="female", occupation="icu", age_max=31)) == {"upper"}
    assert people.names(Filters(gender="female", income_level="low")) == set()


def test_no_filter_is_everybody(people: StoredGroup) -> None:
    assert people.names(Filters()) == set(PEOPLE)

"""Every rule of the contract's Persona table, at its bounds and beyond."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from support.data import Place, persona
from support.errors import refused

KIB = 1024
LINES = ["full_name", "gender", "occupation", "location"]
TEXTS = ["digital_habits", "price_sensitivity", "psychographic_notes"]
LISTS = ["personality_traits", "trusted_brands", "distrusted_brands"]
WORDS = ["a", "b", "c"]
URL = "https://example.org/"

GOOD: list[dict[str, Any]] = [
    {"full_name": "x"},
    {"full_name": "x" * 255},
    {"full_name": "🙂" * 255},
    {"age": None},
    {"age": 1},
    {"age": 130},
    {"gender": "x" * 64},
    {"gender": "🙂" * 64},
    {"occupation": "é" * 255},
    {"location": "x" * 255},
    {"location": "\u00a0\u2003\u200d"},
    *({"income_level": level} for level in ("", "Low", "Middle", "High")),
    *({"personality_traits": ["x" * 128] * n} for n in (0, 3, 5)),
    {"trusted_brands": ["x" * 128] * 50},
    {"distrusted_brands": ["🙂" * 128] * 50},
    {"digital_habits": "x" * (8 * KIB)},
    {"price_sensitivity": "é" * (4 * KIB)},
    {"psychographic_notes": "🙂" * (4 * KIB)},
    {"psychographic_notes": "a\n\t\x01b"},
    {"avatar_url": ""},
    {"avatar_url": "HTTP://example.org"},
    {"avatar_url": URL + "x" * (2048 - len(URL))},
    {"created_at": Timestamp(seconds=0)},
    {"created_at": Timestamp(seconds=253_402_300_799, nanos=999_999_999)},
    {"attributes": {f"k{i}": "" for i in range(100)}},
    {"attributes": {"k" * 128: "v"}},
    {"attributes": {"k": "v" * (32 * KIB - 1)}},
    {"attributes": {"k": "a\nb\x01"}},
]

_AGE, _TRAITS, _BRANDS = "age", "personality_traits", "trusted_brands"
# (the fields given, the fields that are refused)
BAD: list[tuple[dict[str, Any], set[str]]] = [
    ({"full_name": ""}, {"full_name"}),
    ({"full_name": "  \u2003 "}, {"full_name"}),
    ({"full_name": "x" * 256}, {"full_name"}),
    *(({name: "a\0b"}, {name}) for name in (*LINES, *TEXTS, "avatar_url")),
    *(({name: f"a{bad}b"}, {name}) for name in LINES for bad in "\n\t\x1b\x7f\x85"),
    ({"age": 0}, {_AGE}),
    ({"age": -1}, {_AGE}),
    ({"age": 131}, {_AGE}),
    ({"age": 2**31 - 1}, {_AGE}),
    ({"age": -(2**31)}, {_AGE}),
    ({"gender": "x" * 65}, {"gender"}),
    ({"occupation": "x" * 256}, {"occupation"}),
    ({"location": "x" * 256}, {"location"}),
    *(({"income_level": bad}, {"income_level"}) for bad in ("low", "Low ", "All", "Any", "x")),
    *(({_TRAITS: ["a"] * n}, {_TRAITS}) for n in (1, 2, 6)),
    ({_TRAITS: ["a", "b", "x" * 129]}, {f"{_TRAITS}[2]"}),
    ({_TRAITS: ["a", "", "c"]}, {f"{_TRAITS}[1]"}),
    ({_TRAITS: ["a", "   ", "c"]}, {f"{_TRAITS}[1]"}),
    ({_BRANDS: ["a"] * 51}, {_BRANDS}),
    ({"distrusted_brands": ["a"] * 51}, {"distrusted_brands"}),
    *(({name: [*WORDS, "a\0"]}, {f"{name}[3]"}) for name in LISTS),
    *(({name: [*WORDS, "a\nb"]}, {f"{name}[3]"}) for name in LISTS),
    *(({name: [*WORDS, "x" * 129]}, {f"{name}[3]"}) for name in LISTS),
    ({"digital_habits": "x" * (8 * KIB + 1)}, {"digital_habits"}),
    ({"price_sensitivity": "é" * (4 * KIB + 1)}, {"price_sensitivity"}),
    ({"psychographic_notes": "x" * (16 * KIB + 1)}, {"psychographic_notes"}),
    ({"avatar_url": URL + "x" * 2048}, {"avatar_url"}),
    *(
        ({"avatar_url": bad}, {"avatar_url"})
        for bad in (
            "x",
            "ftp://x",
            "javascript:alert(1)",
            "http://",
            "https://a b",
            "//x",
            "data:,x",
        )
    ),
    *(
        ({"created_at": Timestamp(seconds=s, nanos=n)}, {"created_at"})
        for s, n in ((-1, 0), (253_402_300_800, 0), (0, -1), (0, 1_000_000_000))
    ),
    ({"attributes": {f"k{i}": "" for i in range(101)}}, {"attributes"}),
    ({"attributes": {"k": "v" * (32 * KIB)}}, {"attributes"}),
    ({"attributes": {"": "v"}}, {'attributes[""]'}),
    ({"attributes": {"k" * 129: "v"}}, {f'attributes["{"k" * 128}"]'}),
    ({"attributes": {"k\n": "v"}}, {'attributes["k\n"]'}),
    ({"attributes": {"k": "v\0"}}, {'attributes["k"]'}),
    ({"id": "x"}, {"id"}),
    ({"id": "0190b5a47c3e7b1a8f000123456789ab"}, {"id"}),
    # Folding lengthens: ﷺ is one character of 3 bytes, 18 of 33 when folded.
    ({"gender": "ﷺ" * 8}, {"gender"}),
    ({"location": "ﷺ" * 31}, {"location"}),
    ({"occupation": "ﷺ" * 31}, {"occupation"}),
    ({"full_name": "", "age": -1, "income_level": "x"}, {"full_name", _AGE, "income_level"}),
]


def names(cases: list[Any]) -> list[str]:
    return [
        f"{i}-{'-'.join(case[0] if type(case) is tuple else case)}" for i, case in enumerate(cases)
    ]


@pytest.mark.parametrize("fields", GOOD, ids=names(GOOD))
def test_taken(place: Place, fields: dict[str, Any]) -> None:
    made = place.create(persona(**fields))
    for name, value in fields.items():
        found = getattr(made, name)
        if name == "created_at":
            assert found.seconds == value.seconds
        elif name == "age":
            assert (found.value if made.HasField("age") else None) == value
        elif name in LISTS:
            assert list(found) == value
        else:
            assert found == value


@pytest.mark.parametrize(("fields", "expected"), BAD, ids=names(BAD))
def test_refused(place: Place, fields: dict[str, Any], expected: set[str]) -> None:
    with refused("INVALID_FIELD") as refusal:
        place.create(persona(**fields))
    assert set(refusal.problem.fields) == {f"persona.{name}" for name in expected}
    assert refusal.problem.metadata["field"] in refusal.problem.fields
    assert "violations_total" not in refusal.problem.metadata


def test_one_persona_has_at_most_64_kib(place: Place) -> None:
    """As it is stored: with id, parents and time, which take at most 136 bytes."""
    full = {
        "digital_habits": "x" * (8 * KIB),
        "price_sensitivity": "x" * (8 * KIB),
        "psychographic_notes": "x" * (16 * KIB),
    }
    room = 64 * KIB - 134 - persona(**full, attributes={"k": "v" * 20_000}).ByteSize()
    fits = {"k": "v" * (20_000 + room)}
    given = persona(**full, attributes=fits)
    created = place.create(given)
    assert created.attributes["k"] == fits["k"]
    assert created.ByteSize() <= 64 * KIB
    assert place.create(created) == created  # what was stored can be sent again
    with refused("INVALID_FIELD") as refusal:
        place.create(persona(**full, attributes={"k": fits["k"] + "v"}))
    assert set(refusal.problem.fields) == {"persona"}


def test_a_request_needs_a_persona(place: Place) -> None:
    from persona.v1.persona_service_pb2 import CreatePersonaRequest

    with refused("INVALID_FIELD") as refusal:
        place.caller.personas.CreatePersona(
            CreatePersonaRequest(project_id=place.project, group_id=place.group)
        )
    assert set(refusal.problem.fields) == {"persona"}


@pytest.mark.parametrize(
    ("count", "shown", "rest"), [(19, 19, "18"), (20, 20, "at least 19"), (999, 20, "at least 19")]
)
def test_20_violations_end_the_search(place: Place, count: int, shown: int, rest: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        place.fill(count, age=-1)
    assert set(refusal.problem.fields) == {f"personas[{i}].age" for i in range(shown)}
    assert refusal.problem.message.endswith(f" (and {rest} more)")
    assert "violations_total" not in refusal.problem.metadata
    assert place.count() == 0

"""Plain rows become what any row becomes: two ways from a row to a persona, one of them fast."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona.v1.persona_pb2 import Persona
from persona_cli.files.formats import PersonaFormat, mapping_of, rules_of
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.fields import Rules
from persona_cli.files.layouts.filling import Filler, Origin
from persona_cli.files.layouts.guessing import by_names
from persona_cli.files.layouts.mapping import Mapping
from persona_cli.files.layouts.own import OwnNames
from persona_cli.files.layouts.plain_rows import PlainRows

UUID = "0190B5A4-0000-7000-8000-00000000000A"
PLAIN = {"full_name": " Mira ", "age": "41", "income_level": "low", "id": "row-1", "pet": "a cat"}
NAMES = [
    "full_name", "fullName", "Full Name", "age", "gender", "income_level", "id", "external_id",
    "personality_traits", "trusted_brands", "avatar_url", "created_at", "project_id", "attributes",
    "attributes.pet", "library_persona_id", "psychographic_notes", "occupation", "pet", "", " pet",
    "x" * 129, "list",
]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        ["", " ", "Mira", " Mira ", "41", "041", "200", "٤", "4.0", "low", "High ", "some", UUID,
         "row-1", "a, b, c", "2026-03-01", "2026-03-01T10:00:00Z", "https://a.b", "x" * 256,
         "x" * 65, "x\x00", "x\ny", "Ü", "e\u0301" * 20, "\ud83d", "x" * 20_000, "{}"]
    ),
    st.text(max_size=5),
    st.none(),
    st.booleans(),
    st.integers(-5, 200),
    st.just(41.0),
    st.just(["a", "b", "c"]),
    st.just({"a": "b"}),
)  # fmt: skip
ROWS = st.dictionaries(st.sampled_from(NAMES), VALUES).map(lambda row: {"full_name": "A"} | row)


def way(row: dict[str, Any], mapping: Mapping, *, is_sheet: bool) -> tuple[Any, Any]:
    """Return what both ways make of a row, and None of what the fast one leaves to the other."""
    rules = rules_of(mapping, Rules(), is_sheet=is_sheet)
    names = OwnNames(is_sheet=is_sheet)
    plain = PlainRows(mapping, rules, names, is_sheet=is_sheet).persona(row)
    # Who has a key by its file is no plain row.
    filler = Filler(mapping, rules, lambda _field, _text: None, is_sheet=is_sheet)
    return plain, made(filler, row)


def made(filler: Filler, row: dict[str, Any]) -> Persona | str:
    try:
        persona = filler.persona(row, Origin(key="its file's"))
    except LineError as error:
        return str(error)
    if persona.external_id == "its file's":
        persona.external_id = ""
    return persona


@given(ROWS, st.booleans(), st.booleans())
@settings(max_examples=600, deadline=None)
def test_both_ways_lead_to_the_same_persona(
    row: dict[str, Any], is_own: bool, is_sheet: bool
) -> None:
    mapping = mapping_of(PersonaFormat.OWN) if is_own else by_names(row, is_sheet=is_sheet)
    plain, any_way = way(row, mapping, is_sheet=is_sheet)
    assert plain is None or plain == any_way


@pytest.mark.parametrize(
    ("change", "is_plain"),
    [
        ({}, True),
        ({"pet": "ä\nb"}, True),
        ({"personality_traits": "curious, kind, warm"}, True),
        ({"id": UUID}, True),
        ({"age": ""}, True),
        ({"age": "200"}, False),
        ({"age": "٤"}, False),
        ({"income_level": "some"}, False),
        ({"pet": {"name": "Tom"}}, False),
        ({"full_name": " "}, False),
        ({"gender": "x" * 65}, False),
        ({"personality_traits": "kind"}, False),
    ],
    ids=json.dumps,
)
def test_a_row_is_plain_where_nothing_is_wrong(change: dict[str, Any], is_plain: bool) -> None:
    row = PLAIN | change
    plain, any_way = way(row, mapping_of(PersonaFormat.OWN), is_sheet=True)
    assert (plain is not None) == is_plain
    assert plain is None or plain == any_way


def test_names_of_attributes_count_as_well() -> None:
    row = {"full_name": "Mira"} | {f"{i:ü>128}": "x" * 150 for i in range(100)}
    plain, any_way = way(row, mapping_of(PersonaFormat.OWN), is_sheet=True)
    assert plain is None
    assert "attributes must have at most 32768 bytes in total, has" in any_way

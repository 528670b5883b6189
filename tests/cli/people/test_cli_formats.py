"""From lines to personas: what is read, what is refused, and that nothing is lost."""

import json
from typing import Any

import pytest

from persona_cli.files.formats import PersonaFormat, format_of, persona_of
from persona_cli.files.json_lines import LineError, parse_object
from persona_cli.terminal.output import json_line
from persona_client import Persona
from support.data import rich_persona

AGENT: dict[str, Any] = {
    "agent_id": "0023952f-142e-434b-82e2-7a7451b7c55f",
    "first_name": "Mary Ann",
    "last_name": "De la Cruz",
    "age": 89,
    "sex": "Female",
    "race": "White",
    "street_address": "12 Elm Street",
    "city": "Little Rock",
    "state": "AR",
    "political_views": "Moderate, middle of the road",
    "work_status": "Working full time",
    "total_wealth": "$5,000 to $20,000",
}


def read(value: dict[str, Any], form: PersonaFormat = PersonaFormat.GENAGENTS) -> Persona:
    return persona_of(parse_object(json.dumps(value).encode()), form)


def refusal(raw: bytes | str, form: PersonaFormat = PersonaFormat.JSONL) -> str:
    with pytest.raises(LineError) as raised:
        persona_of(parse_object(raw.encode() if isinstance(raw, str) else raw), form)
    return str(raised.value)


def test_known_fields_of_an_agent_are_in_their_place() -> None:
    persona = read(AGENT)
    assert persona.full_name == "Mary Ann De la Cruz"
    assert (persona.age.value, persona.gender) == (89, "Female")
    assert persona.location == "Little Rock, AR, United States"
    # No job title, and wealth is not income.
    assert (persona.occupation, persona.income_level) == ("", "")
    assert (persona.id, persona.HasField("created_at")) == ("", False)
    assert persona.attributes["agent_id"] == AGENT["agent_id"]


def found_again(persona: Persona) -> dict[str, Any]:
    """Return what an agent's fields were, from the persona alone."""
    found: dict[str, Any] = dict(persona.attributes)
    for name, key in (("age", "age"), ("gender", "sex"), ("occupation", "occupation")):
        if value := persona.age.value if name == "age" else getattr(persona, name):
            assert key not in found
            found[key] = value
    return found


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"age": "89 or older"},
        {"age": 0},
        {"age": -1},
        {"age": 131},
        {"age": 10**12},
        {"age": ""},
        {"sex": ""},
        {"sex": "x" * 65},
        {"sex": "two\nlines"},
        {"sex": "ﷺ" * 60},
        {"occupation": "Nurse"},
        {"occupation": "x" * 256},
        {"city": "x" * 255},
        {"city": "", "state": ""},
        {"first_name": ""},
        {"new_field": "  as it is  "},
    ],
    ids=str,
)
def test_each_text_and_number_of_an_agent_is_found_again(change: dict[str, Any]) -> None:
    agent = AGENT | change
    found = found_again(read(agent))
    assert found.keys() == agent.keys()
    for key, value in agent.items():
        assert found[key] in {value, str(value)}


@pytest.mark.parametrize(
    "value", [None, True, False, 1.5, 10**30, ["a", {"b": None}], {"ü": [1, 2]}, []], ids=str
)
@pytest.mark.parametrize("key", ["age", "sex", "city", "first_name", "other"])
def test_anything_else_is_kept_as_compact_json(key: str, value: Any) -> None:
    kept = read(AGENT | {key: value}).attributes[key]
    assert json.loads(kept) == value
    assert kept == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_an_agent_without_a_name_is_refused() -> None:
    agent = {k: v for k, v in AGENT.items() if k not in {"first_name", "last_name"}}
    assert refusal(json.dumps(agent), PersonaFormat.GENAGENTS).startswith("full_name ")


def test_formats_are_told_apart() -> None:
    assert format_of(AGENT) is PersonaFormat.GENAGENTS
    assert format_of(json.loads(json_line(rich_persona()))) is PersonaFormat.JSONL
    assert format_of({"full_name": "x", "attributes": {"agent_id": "x"}}) is PersonaFormat.JSONL


def test_own_lines_keep_everything_but_the_parents() -> None:
    persona = rich_persona(id="0190b5a4-0000-7000-8000-000000000001")
    line = json.loads(json_line(persona)) | {"project_id": "any", "group_id": 7}
    del line["group_id"]
    assert read(line, PersonaFormat.JSONL) == persona


def test_names_may_be_those_of_javascript() -> None:
    assert read({"fullName": "x", "projectId": "y"}, PersonaFormat.JSONL) == Persona(full_name="x")


@pytest.mark.parametrize("key", ["library_persona_id", "libraryPersonaId"])
def test_lineage_can_not_be_imported_but_is_not_lost(key: str) -> None:
    individual = "0190b5a4-0000-7000-8000-000000000001"
    persona = read(
        {"full_name": "x", key: individual, "attributes": {"a": "b"}}, PersonaFormat.JSONL
    )
    kept = {"a": "b", "library_persona_id": individual}
    assert persona == Persona(full_name="x", attributes=kept)
    agent = read(AGENT | {"library_persona_id": individual})
    assert agent.attributes["library_persona_id"] == individual
    assert not agent.HasField("library_persona_id")
    assert read({"full_name": "x", key: None}, PersonaFormat.JSONL) == Persona(full_name="x")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"{bad", "is not JSON: "),
        (b"[1]", "is not a JSON object"),
        (b'"text"', "is not a JSON object"),
        (b"\xff{}", "is not UTF-8 (byte 1)"),
        (b'{"full_name": "\x00"}', "is not JSON: "),
        (b'{"full_name": "a\\u0000"}', "full_name must not contain control characters"),
        (b'{"full_name": "a", "digital_habits": "\\u0000"}', "digital_habits must not contain NUL"),
        (b'{"full_name": "\\ud800"}', ""),
        (b'{"full_name": "a", "full_name": "b"}', 'repeats the key "full_name"'),
        (b'{"full_name": "a", "fullName": "b"}', "has a field twice"),
        (b'{"full_name": "a", "age": NaN}', "contains NaN"),
        (b'{"full_name": "a", "age": 1e999}', "contains a number that is out of range"),
        (b'{"full_name": "a", "age": 2.5}', ""),
        (b'{"full_name": "a", "age": 3000000000}', ""),
        (b'{"full_name": "a", "age": 131}', "age must be 1 to 130"),
        (
            b'{"full_name": "a", "agee": 1, "b": 2}',
            "has fields that a persona does not have: agee, b",
        ),
        (b'{"full_name": "  "}', "full_name must not be blank"),
        (b'{"full_name": "a", "id": "1"}', "id must be a UUID"),
        (b'{"full_name": "a", "created_at": "yesterday"}', ""),
        (b'{"full_name": "a", "attributes": ["b"]}', "attributes must be an object"),
        (
            b'{"full_name":"x","library_persona_id":"a","attributes":{"library_persona_id":"b"}}',
            "has a library_persona_id, and a different one",
        ),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON that can be read"),
    ],
    ids=lambda value: value[:40] if isinstance(value, bytes) else "",
)
def test_what_is_no_persona_is_refused(raw: bytes, why: str) -> None:
    assert refusal(raw).startswith(why)


def test_an_agent_with_half_a_character_is_refused() -> None:
    agent = json.dumps(AGENT).replace("White", "\\ud800")
    assert "surrogate" in refusal(agent, PersonaFormat.GENAGENTS)


def test_every_violation_is_told() -> None:
    told = refusal('{"full_name": "", "age": 131, "income_level": "some"}')
    assert [part.split()[0] for part in told.split("; ")] == ["full_name", "age", "income_level"]

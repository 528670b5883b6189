"""Layouts that are known are found by themselves, and nothing of a row is lost."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from files import people

from persona_cli.files.formats import PersonaFormat
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.user_mapping import user_mapping
from persona_cli.files.persona_files import Options, PersonaFiles
from persona_cli.files.sources import input_files
from persona_cli.files.tables.table import FileError, Reading
from persona_cli.terminal.output import json_object
from persona_client import Persona


class Imported:
    """What a file becomes: its title, personas, refusals and notes."""

    def __init__(self, content: str | bytes, folder: Path, options: Options) -> None:
        path = folder / "people.data"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with PersonaFiles(input_files([str(path)]), options) as files:
            self.title = files.look(0).title
            items = list(files.items(0, lambda _: None))
            self.personas = [i.persona for _, i in items if not isinstance(i, LineError)]
            self.refused = {n: str(item) for n, item in items if isinstance(item, LineError)}
            self.notes = dict(iter(files.notes))


def imported(content: Any, folder: Path, *maps: str, **options: Any) -> Imported:
    """Read a file of rows, or of these bytes."""
    raw = content if isinstance(content, str | bytes) else json.dumps(content)
    said = user_mapping(maps, options.pop("drop", ()), "")
    return Imported(raw, folder, Options(said=said, **options))


def fields(persona: Persona) -> dict[str, Any]:
    """Return the fields that are set, but for attributes."""
    found = json_object(persona)
    return {name: value for name, value in found.items() if value and name != "attributes"}


def test_a_tinytroupe_agent_keeps_nested_fields_by_their_paths(tmp_path: Path) -> None:
    for content in (people.TINY, [people.TINY], {"population": [people.TINY]}):
        found = imported(content, tmp_path)
        assert found.title.endswith(", TinyTroupe agents")
        [persona] = found.personas
        assert fields(persona) == {
            "external_id": "Mira Sandberg",
            "full_name": "Mira Sandberg",
            "age": 50,
            "gender": "Female",
            "occupation": "Retired teacher",
            "location": "Uppsala, Sweden",
            "personality_traits": [f"You are kind {i}." for i in range(5)],
        }
        traits = people.TINY["persona"]["personality"]["traits"]
        assert json.loads(persona.attributes.pop("personality.traits")) == traits
        assert dict(persona.attributes) == {
            "type": "TinyPerson",
            "country_of_residence": "null",
            "occupation.organization": "N/A",
            "personality.big_five.openness": "High.",
            "beliefs": '["b"]',
            "mental_faculties": '[{"type":"RecallFaculty"}]',
        }
        assert "first 5 traits" in found.notes["personality_traits"]


def test_edsl_agents_are_read_from_json_and_its_lines(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(row) for row in (people.EDSL_HEADER, people.EDSL))
    for content in (lines, {"agent_list": [people.EDSL], "edsl_class_name": "AgentList"}):
        found = imported(content, tmp_path)
        assert found.title.endswith("EDSL agents")
        [persona] = found.personas
        assert fields(persona) == {
            "external_id": "Mira Sandberg",
            "full_name": "Mira Sandberg",
            "age": 41,
            "gender": "nonbinary",
            "income_level": "Low",
        }
        assert dict(persona.attributes) == {
            "hobbies": '["a","b"]',
            "codebook.age": "Age in years",
        }


def test_edsl_agents_without_names_have_one_by_template(tmp_path: Path) -> None:
    [persona] = imported(people.EDSL_CSV, tmp_path).personas
    assert fields(persona) == {
        "full_name": "engineer, 41, Accra, Ghana",
        "age": 41,
        "occupation": "engineer",
        "location": "Accra, Ghana",
        "income_level": "Low",
        "psychographic_notes": "I like walks.\nI hate queues.",
    }
    assert dict(persona.attributes) == {"hobbies": "['a', 'b']"}


def test_nemotron_personas_have_the_name_that_their_texts_tell(tmp_path: Path) -> None:
    found = imported([people.NEMOTRON], tmp_path)
    assert found.title == "JSON, Nemotron-Personas"
    [persona] = found.personas
    assert fields(persona) == {
        "external_id": people.NEMOTRON["uuid"],
        "full_name": "Mira Sandberg",
        "age": 41,
        "gender": "Female",
        "occupation": "carpenter",
        "location": "Tampa, FL, USA",
        "psychographic_notes": people.NEMOTRON["persona"],
    }
    kept = people.NEMOTRON.keys() - {"uuid", "persona", "age", "sex", "occupation"}
    assert dict(persona.attributes) == {name: people.NEMOTRON[name] for name in kept}
    nameless = people.NEMOTRON | {
        "persona": "x",
        "professional_persona": "y",
        "sports_persona": "z",
    }
    assert imported([nameless], tmp_path).personas[0].full_name == "carpenter, 41, Tampa"


def test_texts_of_persona_hub_are_notes_under_a_name_by_row(tmp_path: Path) -> None:
    found = imported([people.PERSONA_HUB, people.FINE_PERSONAS], tmp_path)
    one, other = found.personas
    assert fields(one) == {
        "full_name": "Persona 1",
        "psychographic_notes": people.PERSONA_HUB["persona"],
    }
    assert (other.full_name, other.external_id) == ("Persona 2", "<urn:uuid:1>")
    assert dict(other.attributes) == {"labels": '["Bees"]'}
    named = imported([people.PERSONA_HUB], tmp_path, "full_name=Hub {row}")
    assert named.personas[0].full_name == "Hub 1"


def test_an_agent_of_genagents_needs_no_id(tmp_path: Path) -> None:
    for form in (PersonaFormat.AUTO, PersonaFormat.GENAGENTS):
        [persona] = imported(json.dumps(people.GENAGENTS, indent=2), tmp_path, form=form).personas
        assert (persona.full_name, persona.external_id) == ("Mira Sandberg", "")
        assert persona.location == "Little Rock, AR, United States"
        assert persona.attributes["total_wealth"] == "Less than $5,000"


def test_personas_of_the_boses_api_keep_what_does_not_fit(tmp_path: Path) -> None:
    found = imported([people.BOSES], tmp_path)
    [persona] = found.personas
    assert fields(persona) == {
        "external_id": people.BOSES["id"],
        "full_name": "Mira Sandberg",
        "age": 28,
        "personality_traits": people.BOSES["personality_traits"],
        "digital_habits": "Pays by phone",
        "created_at": "2026-04-07T08:30:00Z",
    }
    kept = {n: persona.attributes[n] for n in ("income_level", "avatar_url", "pain_points")}
    assert kept == {n: people.BOSES[n] for n in kept}
    assert found.notes.keys() == {"income_level", "avatar_url", "created_at"}
    assert "UTC" in found.notes["created_at"]
    mapped = imported(
        [people.BOSES],
        tmp_path,
        "income_level=income_level:Upper-middle=High",
        zone=ZoneInfo("Asia/Manila"),
    )
    assert mapped.personas[0].income_level == "High"
    assert mapped.personas[0].attributes["income_level"] == "Upper-middle"
    assert json_object(mapped.personas[0])["created_at"] == "2026-04-07T00:30:00Z"
    assert "created_at" not in mapped.notes


def test_our_own_fields_are_found_as_columns_and_as_members(tmp_path: Path) -> None:
    sheet = (
        "\ufeffFull Name;Age;income_level;personality_traits;trusted_brands;attributes.pet;"
        "attributes\n"
        'Jürgen Groß; 47 ;middle;"curious, kind, warm";A|B;cat;"{""n"": 1}"\n'
    )
    [persona] = imported(sheet, tmp_path).personas
    assert fields(persona) == {
        "full_name": "Jürgen Groß",
        "age": 47,
        "income_level": "Middle",
        "personality_traits": ["curious", "kind", "warm"],
        "trusted_brands": ["A", "B"],
    }
    assert dict(persona.attributes) == {"pet": "cat", "n": "1"}


def test_an_age_may_be_written_as_numbers_with_decimals_are(tmp_path: Path) -> None:
    cells = ("47", "47.0", '"47,0"', '"47,00"')  # pandas writes 47,0 where a decimal is a comma
    found = imported("Full Name;age\n" + "".join(f"x;{cell}\n" for cell in cells), tmp_path)
    assert [persona.age.value for persona in found.personas] == [47, 47, 47, 47]
    assert imported("Full Name;age\nx;4,000\nx;47,5\n", tmp_path).personas == []


def test_an_id_that_is_none_of_ours_is_the_external_id(tmp_path: Path) -> None:
    ids = ["7cd10483b0064cf391dc79545845c67b", "row-17", 17, "0190B5A4-0000-7000-8000-00000000000A"]
    found = imported([{"full_name": "x", "id": one} for one in ids], tmp_path).personas
    assert [one.external_id for one in found] == [*map(str, ids[:3]), ""]
    assert [one.id for one in found] == ["", "", "", str(ids[3]).lower()]
    for column in ("id", "external_id"):  # as programs write ids of which one was missing
        [persona] = imported([{"full_name": "x", column: 17.0, "size": 17.0}], tmp_path).personas
        assert (persona.external_id, persona.attributes["size"]) == ("17", "17.0")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (
            {"personality_traits": "curious, kind, warm"},
            "personality_traits must be a list of texts",
        ),
        ({"created_at": "2026-04-07T08:30:00"}, "created_at must name its time zone"),
        ({"created_at": "0001-01-01T00:00:00+01:00"}, "created_at "),
        ({"age": "47.5"}, "age must be a whole number"),
        ({"income_level": "Upper-middle"}, "income_level must be Low, Middle or High"),
        ({"full_name": 7}, "full_name must be a text, but is a number"),
        ({"attributes": 7}, "attributes must be an object"),
        ({"attributes": {"a": "\ud800"}}, "contains an unpaired surrogate"),
    ],
)
def test_what_was_written_for_us_is_refused_in_our_words(
    tmp_path: Path, row: dict[str, Any], why: str
) -> None:
    [refusal] = imported([{"full_name": "Mira"} | row], tmp_path).refused.values()
    assert refusal.startswith(why)


def test_columns_by_a_mapping_of_their_names(tmp_path: Path) -> None:
    raw = "Name;Vorname;Alter;Einkommen;Stadt\nGroß;Jürgen;47;mittel;Köln\n;;;;\nEk;;x;viel;\n"
    found = imported(
        raw,
        tmp_path,
        "full_name={Vorname} {Name}",
        "age=Alter",
        "income_level=Einkommen:mittel=Middle",
        "gender='unknown'",
        drop=["Stadt"],
    )
    one, other = found.personas
    assert fields(one) == {
        "full_name": "Jürgen Groß",
        "age": 47,
        "income_level": "Middle",
        "gender": "unknown",
    }
    assert dict(one.attributes) == {"Name": "Groß", "Vorname": "Jürgen", "Einkommen": "mittel"}
    assert (other.full_name, other.HasField("age")) == ("Ek", False)
    assert dict(other.attributes) == {"Name": "Ek", "Alter": "x", "Einkommen": "viel"}
    assert found.notes.keys() == {"age", "income_level"}


KID = {"full_name": "Kid", "age": 3}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("member", ["household", "records"])
@pytest.mark.parametrize(
    ("row", "title"),
    [
        ({"full_name": "Mira", "age": 40}, "personas of this service"),
        ({"fullName": "Mira", "age": 40}, "personas of this service"),
        ({"first_name": "Mira", "agent_id": "1"}, "genagents agents"),
        (people.PERSONA_HUB, "PersonaHub texts"),
        (people.EDSL, "EDSL agents"),
    ],
)
def test_children_of_a_persona_are_no_rows_unless_that_is_said(
    tmp_path: Path, row: dict[str, Any], title: str, member: str, indent: int | None
) -> None:
    for content in (
        json.dumps(row | {member: [KID]}, indent=indent),
        yaml.safe_dump(row | {member: [KID]}, allow_unicode=True),
    ):
        found = imported(content, tmp_path)
        [persona] = found.personas
        assert found.title.endswith(f", {title}")
        assert persona.full_name != "Kid"
        assert json.loads(persona.attributes[member]) == [KID]
        said = imported(content, tmp_path, reading=Reading(member=member))
        assert [one.full_name for one in said.personas] == ["Kid"]


SHEETS = {
    "personas of this service": ("Full Name", "Age"),
    "EDSL agents": ("name", "age"),
    "columns by name": ("nick", "Age"),
    "columns by what they are called": ("name", "Alter"),
}


@pytest.mark.parametrize("title", SHEETS)
@pytest.mark.parametrize("key", ["id", "uuid"])
def test_a_column_that_is_dropped_is_left_out_whatever_it_would_become(
    tmp_path: Path, title: str, key: str
) -> None:
    name, age = SHEETS[title]
    sheet = f"{key},{name},{age},location\nr-1,Mira,47,Ulm\n"
    maps = (f"full_name={name}",) if name == "nick" else ()
    is_draft = title.endswith("called")
    found = imported(sheet, tmp_path, *maps, drop=[key, age, "location"], is_draft=is_draft)
    [persona] = found.personas
    assert found.title.endswith(f", {title}")
    assert fields(persona).keys() - {"external_id"} == {"full_name"}
    assert persona.external_id == ("Mira" if title == "EDSL agents" else "")
    assert not persona.attributes


def test_what_is_nested_is_dropped_by_its_path(tmp_path: Path) -> None:
    row = {"full_name": "Mira", "attributes": {"pet": "cat", "car": "no"}, "a": {"b": 1, "c": 2}}
    [persona] = imported([row], tmp_path, drop=["attributes.pet", "a.b"]).personas
    assert dict(persona.attributes) == {"car": "no", "a.c": "2"}
    [agent] = imported([people.TINY], tmp_path, drop=["occupation.title", "age"]).personas
    assert (agent.occupation, agent.HasField("age")) == ("", False)
    assert {"occupation.title", "age"}.isdisjoint(agent.attributes)


@pytest.mark.parametrize("key", ["id", "uuid", "respondent"])
@pytest.mark.parametrize("name", ["full_name", "nick"])
def test_without_an_external_id_what_would_be_it_is_an_attribute(
    tmp_path: Path, key: str, name: str
) -> None:
    ours = "0190b5a4-0000-7000-8000-00000000000a"
    rows = [{key: one, name: "Mira"} for one in ("row-17", ours)]
    sheet = "".join(f"{','.join(line)}\n" for line in (rows[0], *(one.values() for one in rows)))
    for content in (rows, sheet):
        found = imported(content, tmp_path, "external_id=", f"full_name={name}")
        theirs, other = found.personas
        assert (theirs.id, theirs.external_id) == ("", "")
        assert dict(theirs.attributes) == {key: "row-17"}
        is_id = (key, name) == ("id", "full_name")
        assert (other.id, other.external_id) == (ours if is_id else "", "")
        assert dict(other.attributes) == ({} if is_id else {key: ours})


def test_without_an_external_id_the_name_of_a_folder_is_none(tmp_path: Path) -> None:
    file = tmp_path / "agent-1" / "scratch.json"
    file.parent.mkdir()
    file.write_text(json.dumps(people.GENAGENTS, indent=1))
    for maps, key in (((), "agent-1"), (("external_id=",), "")):
        options = Options(said=user_mapping(maps, (), ""))
        with PersonaFiles(input_files([str(tmp_path)]), options) as files:
            [(_, item)] = files.items(0, lambda _: None)
        assert not isinstance(item, LineError)
        assert item.persona.external_id == key


def test_a_column_that_is_mapped_and_dropped_is_in_its_field_alone(tmp_path: Path) -> None:
    found = imported(
        "first,last,income\nMira,Ek,20k\n",
        tmp_path,
        "full_name={first} {last}",
        "income_level=income:20k=Low",
        drop=["first", "income"],
    )
    [persona] = found.personas
    assert fields(persona) == {"full_name": "Mira Ek", "income_level": "Low"}
    assert dict(persona.attributes) == {"last": "Ek"}


def test_too_many_columns_are_kept_as_one(tmp_path: Path) -> None:
    row = {"first_name": "A", "agent_id": "1"} | {f"c{i}": f"{i}" for i in range(150)}
    [persona] = imported([row], tmp_path).personas
    assert len(persona.attributes) == 100
    kept = dict(persona.attributes) | json.loads(persona.attributes.pop("further_columns"))
    kept.pop("further_columns")
    assert kept == row
    nested = {"name": "A", "x": {f"c{i}": i for i in range(150)}, "y": 1}
    [other] = imported([{"traits": nested}], tmp_path).personas
    assert json.loads(other.attributes["x"]) == nested["x"]
    long = {"traits": {"name": "A", "k" * 129: "v"}}
    assert "v" in imported([long], tmp_path).personas[0].attributes["further_columns"]


def test_too_long_a_text_is_kept_as_an_attribute_or_refused(tmp_path: Path) -> None:
    text = "x" * (16 << 10) + "y"
    [kept] = imported([{"persona": text}], tmp_path).personas
    assert (kept.psychographic_notes, kept.attributes["persona"]) == ("", text)
    [refusal] = imported([{"persona": text * 3}], tmp_path).refused.values()
    assert refusal.startswith("attributes must have at most")


def test_a_layout_that_is_not_known_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"colour, size.*--explain"):
        imported("colour,size\nred,1\nblue,2\n", tmp_path)
    with pytest.raises(FileError, match="no row that can be read"):
        imported("{bad\n{worse\n{worst\n", tmp_path)


@pytest.mark.parametrize("depth", [50, 400, 900, 5000])
@pytest.mark.parametrize("nested", ['{"a":', "["])
def test_a_row_that_is_nested_deeply_is_kept_or_refused(
    tmp_path: Path, depth: int, nested: str
) -> None:
    close = "}" if nested.startswith("{") else "]"
    row = f'{{"full_name": "Mira", "deep": {nested * depth}1{close * depth}}}'
    found = imported(f'{row}\n{{"full_name": "Jon"}}\n{{"full_name": "Eva"}}\n', tmp_path)
    assert len(found.personas) + len(found.refused) == 3
    assert [one.full_name for one in found.personas][-2:] == ["Jon", "Eva"]
    assert all("nested too deeply" in why or "attributes" in why for why in found.refused.values())

"""`persona responses record` of files as people hold them: every row counted, all said once."""

import gzip
import json
import uuid
from pathlib import Path

from cli.answers import as_csv, jsonl, rated
from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient, Simulation
from support.waiting import eventually

CELLS = {"kind": "rating", "value": 4, "min": 1, "max": 5}


def keys(client: PersonaClient, simulation: str) -> list[str]:
    return sorted(one.question_key for one in client.list_responses(simulation_id=simulation))


def test_a_key_in_spaces_is_trimmed_and_that_is_said_once(
    cli: Cli, client: PersonaClient, persona: Persona, tmp_path: Path
) -> None:
    file, simulation = tmp_path / "answers.csv", str(uuid.uuid4())
    row = CELLS | {"persona_id": persona.id}
    file.write_text(as_csv(row | {"question_key": key} for key in (" a", "b ", "c")))
    done = cli.run("responses", "record", file, "-s", simulation)
    assert (done.code, done.out) == (0, "3 recorded, 0 refused.\n")
    assert done.err == "question_key had spaces around it, which were left out: 2 answers.\n"
    assert keys(client, simulation) == ["a", "b", "c"]


def test_a_recording_that_goes_on_tells_what_was_there_before_it(
    cli: Cli, client: PersonaClient, persona: Persona, tmp_path: Path
) -> None:
    file, simulation = tmp_path / "answers.jsonl", str(uuid.uuid4())
    rows = [rated(persona.id, f"q{i}") for i in range(12_000)]
    file.write_text(jsonl(rows[:1500]))
    assert cli.run("responses", "record", file, "-s", simulation).code == 0
    file.write_text(jsonl(rows))
    process = cli.start("responses", "record", file, "-s", simulation)
    eventually(lambda: any('"acknowledged":4' in p.read_text() for p in cli.journals.glob("*")))
    process.kill()
    process.communicate()
    done = cli.run("responses", "record", file, "-s", simulation)
    assert done.out == "10500 recorded, 1500 were there already, 0 refused.\n"


def test_a_quote_that_stays_open_costs_its_row_and_no_other(
    cli: Cli, client: PersonaClient, persona: Persona, tmp_path: Path
) -> None:
    file, simulation = tmp_path / "answers.csv", str(uuid.uuid4())
    rows = [f"{persona.id},q{i},text,answer {i}\n" for i in range(400)]
    rows[10] = f'{persona.id},q10,text,"It lasts\n'
    file.write_text("persona_id,question_key,kind,value\n" + "".join(rows))
    done = cli.run("responses", "record", file, "-s", simulation)
    assert (done.code, done.out) == (1, "399 recorded, 1 refused.\n")
    assert done.err.startswith(f"{file}:12: is not CSV")
    assert "up to line 401" in done.err
    assert len(keys(client, simulation)) == 399


def test_a_file_of_another_kind_is_one_error_and_nothing_is_recorded(
    cli: Cli, client: PersonaClient, persona: Persona, tmp_path: Path
) -> None:
    good, bad, simulation = tmp_path / "a.jsonl", tmp_path / "b.csv", str(uuid.uuid4())
    good.write_text(jsonl([rated(persona.id)]))
    bad.write_text("persona_id,question_key,kind\n" + "a,b,c\n" * 9)
    done = cli.run("responses", "record", good, bad, "-s", simulation)
    assert (done.code, done.out) == (1, "")
    assert done.err == (f"persona: {bad} lacks columns that the first row must name: value\n")
    assert keys(client, simulation) == []
    assert not cli.journals.exists() or not any(cli.journals.iterdir())


def test_files_of_a_folder_are_told_apart_by_their_places(
    cli: Cli, client: PersonaClient, persona: Persona, tmp_path: Path
) -> None:
    folder, simulation = tmp_path / "waves", str(uuid.uuid4())
    folder.mkdir()
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(jsonl([rated(persona.id, "a")]).encode()))
    (folder / "b.json").write_text(json.dumps([rated(persona.id, "b"), 1], indent=1))
    done = cli.run("responses", "record", folder, "-s", simulation)
    assert (done.code, done.out) == (1, "2 recorded, 1 refused.\n")
    assert done.err == f"{folder / 'b.json'}, item 2: is not a JSON object\n"
    assert keys(client, simulation) == ["a", "b"]


def test_a_simulation_is_named_by_its_name_in_its_project(
    cli: Cli, client: PersonaClient, place: Place, persona: Persona, tmp_path: Path
) -> None:
    wave = client.create_simulation(place.project_id, Simulation(name="Wave 2")).id
    file = tmp_path / "answers.jsonl"
    file.write_text(jsonl([rated(persona.id)]))
    done = cli.run("responses", "record", file, "-s", "Wave 2", "-p", place.project)
    assert (done.code, done.out) == (0, "1 recorded, 0 refused.\n")
    assert keys(client, wave) == ["nps"]
    done = cli.run("responses", "record", file, "-s", "Wave 3", "-p", place.project)
    assert (done.code, done.err) == (1, 'persona: There is no simulation named "Wave 3".\n')
    assert cli.run("responses", "record", file, "-s", "Wave 2").code == 2

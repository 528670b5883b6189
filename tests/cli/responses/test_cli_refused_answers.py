"""`persona responses record --refused`: what was refused is recorded again when it is mended."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from cli.answers import as_csv, jsonl, rated
from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient

BOOK = """respondent = "who"
[questions.stars]
kind = "rating"
scale = "1-5"
[questions.why]
kind = "text"
themes = "coded"
[questions.mood]
kind = "sentiment"
"""


@pytest.fixture
def people(client: PersonaClient, place: Place) -> list[Persona]:
    made = [Persona(full_name=f"{i}", external_id=f"r-{i}") for i in range(3)]
    return client.batch_create_personas(*place.ids, made)


def counts(cli: Cli, *arguments: str | Path) -> dict[str, int]:
    """Return what a recording counted."""
    [found] = cli.run("responses", "record", *arguments, "--json").lines()
    return dict(found)


def listed(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_refused_cells_of_a_survey_are_recorded_when_they_are_mended(
    cli: Cli, client: PersonaClient, place: Place, people: list[Persona], tmp_path: Path
) -> None:
    file, book, refused = (tmp_path / name for name in ("wide.csv", "book.toml", "refused.jsonl"))
    book.write_text(BOOK)
    rows = ["r-0,6,It lasts.,long,0.5", "r-1,4,,,high", ",1,x,,0", "r-9,2,,,", "r-2,,,,\n"]
    file.write_text("who,stars,why,coded,mood\n" + "\n".join(rows))
    simulation = str(uuid.uuid4())
    options = ("-s", simulation, *place.options, "--codebook", str(book), "--refused", str(refused))
    done = counts(cli, file, *options)
    assert done == {"recorded": 3, "already_recorded": 0, "refused": 6, "warned": 0, "skipped": 6}
    assert done["recorded"] + done["refused"] + done["skipped"] == len(rows) * 3
    left = listed(refused)
    assert [{n: v for n, v in row.items() if n != "_refused"} for row in left] == [
        {"who": "r-0", "stars": "6"},
        {"who": "r-1", "mood": "high"},
        {"who": "", "stars": "1", "why": "x", "coded": "", "mood": "0"},
        {"who": "r-9", "stars": "2"},
    ]
    assert left[0]["_refused"] == f"{file}:2: stars: rating.value must be 1 to 5, is 6"
    again = tmp_path / "again.jsonl"
    again.write_text(
        refused.read_text()
        .replace('"6"', '"5"').replace('"high"', '"1"').replace('""', '"r-2"', 1)
        .replace("r-9", "r-2")
    )  # fmt: skip
    done = counts(cli, again, *options)
    assert done == {"recorded": 6, "already_recorded": 0, "refused": 0, "warned": 1, "skipped": 6}
    assert refused.read_text() == ""
    answered = {
        (one.persona_external_id or one.persona_id, one.question_key)
        for one in client.list_responses(simulation_id=simulation)
    }
    keys = {people[0].id: 3, people[1].id: 2, people[2].id: 3}
    assert {i: sum(one == i for one, _ in answered) for i in keys} == keys


def test_rows_of_a_table_are_there_as_they_were_or_as_texts(
    cli: Cli, client: PersonaClient, people: list[Persona], tmp_path: Path
) -> None:
    file, refused, simulation = tmp_path / "a.csv", tmp_path / "refused", str(uuid.uuid4())
    cells = {"kind": "rating", "value": "4", "min": "1", "max": "5", "persona_id": people[0].id}
    rows = [
        cells | {"question_key": "a"},
        cells | {"question_key": "b", "value": "true"},
        cells | {"question_key": "c", "persona_id": simulation},  # nobody
        cells | {"question_key": "a"},
    ]
    file.write_text(as_csv(rows) + "a,b\n")
    options = ("-s", simulation, "--refused", str(refused))
    assert counts(cli, file, *options)["refused"] == 4
    by_line = {row["_refused"].split(": ")[0]: row for row in listed(refused)}
    assert by_line[f"{file}:3"]["value"] == "true"
    assert by_line[f"{file}:4"]["question_key"] == "c"
    assert by_line[f"{file}:5"]["question_key"] == "a"
    assert by_line[f"{file}:6"]["_raw"] == "a,b"
    mended = tmp_path / "mended.jsonl"
    mended.write_text(
        refused.read_text().replace('"true"', '"2"').replace(simulation, people[0].id)
    )
    done = counts(cli, mended, *options)
    assert (done["recorded"], done["already_recorded"], done["refused"]) == (2, 1, 1)
    [left] = listed(refused)
    assert (left["_raw"], "is still a text" in left["_refused"]) == ("a,b", True)


def test_results_of_edsl_keep_what_was_asked(
    cli: Cli, place: Place, people: list[Persona], tmp_path: Path
) -> None:
    file, refused = tmp_path / "results.jsonl", tmp_path / "refused"
    asked = {"question_type": "multiple_choice", "question_options": ["A", "B"]}
    result = {
        "agent": {"name": "r-0"}, "answer": {"one": "A", "two": "C"}, "model": {"model": "m"},
        "question_to_attributes": {"one": asked, "two": asked},
    }  # fmt: skip
    file.write_text(jsonl([result]))
    options = ("-s", str(uuid.uuid4()), *place.options, "--refused", str(refused))
    assert counts(cli, file, *options)["refused"] == 1
    [left] = listed(refused)
    assert left["answer"] == {"two": "C"}
    (tmp_path / "mended").write_text(refused.read_text().replace('"C"', '"B"'))
    assert counts(cli, tmp_path / "mended", *options)["recorded"] == 1


def test_what_only_the_service_refuses_is_listed_too(
    cli: Cli, people: list[Persona], tmp_path: Path
) -> None:
    file, refused, simulation = tmp_path / "a.jsonl", tmp_path / "refused", str(uuid.uuid4())
    file.write_text(jsonl([rated(people[0].id), rated(simulation, "b")]))
    assert counts(cli, file, "-s", simulation, "--refused", refused)["refused"] == 1
    [left] = listed(refused)
    assert left["question_key"] == "b"
    assert left["_refused"].startswith(f"{file}:2: ")


def test_a_refused_row_of_a_table_of_people_is_read_as_a_row_of_a_table(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    file, refused = tmp_path / "people.csv", tmp_path / "refused.jsonl"
    columns = "Full Name,Age,Personality Traits,External ID,Pet\n"
    file.write_text(columns + 'Kim,200,"curious, kind, warm",7,cat\nAda,30,,8,\nBo,31,,8,\n')
    done = cli.run("import", file, *place.options, "--refused", refused)
    assert (done.code, done.out) == (1, "1 imported, 2 refused.\n")
    mended = refused.read_text().replace('"200"', '"20"').replace('"8"', '"9"')
    (tmp_path / "mended.jsonl").write_text(mended)
    done = cli.run("import", tmp_path / "mended.jsonl", *place.options, "--refused", refused)
    assert (done.code, done.out) == (0, "2 imported, 0 refused.\n")
    found = {one.external_id: one for one in client.list_personas(*place.ids)}
    assert list(found["7"].personality_traits) == ["curious", "kind", "warm"]
    assert dict(found["7"].attributes) == {"Pet": "cat"}
    assert (found["7"].age.value, found["9"].full_name) == (20, "Bo")

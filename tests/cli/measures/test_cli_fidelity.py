"""`persona fidelity`: a file of reference answers recorded, and measured as tables and pictures."""

import codecs
import json
import uuid
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient, RatingAnswer, Response

SVG = "{http://www.w3.org/2000/svg}"


def line(persona_id: str, key: str, rating: int, retest: int | None = None) -> dict[str, Any]:
    question = {"key": key, "kind": "QUESTION_KIND_RATING", "min": 1, "max": 5}
    given: dict[str, Any] = {"persona_id": persona_id, "question": question}
    given["answer"] = {"rating": rating}
    return given if retest is None else {**given, "retest": {"rating": retest}}


@pytest.fixture
def people(client: PersonaClient, place: Place) -> list[str]:
    """Three personas of which two gave two answers."""
    made = client.batch_create_personas(
        *place.ids, [Persona(full_name=name) for name in ("Ada", "Ben", "Cem")]
    )
    rating = RatingAnswer(value=4, min=1, max=5)
    client.record_responses(
        str(uuid.uuid4()),
        [
            Response(persona_id=one.id, question_key=key, rating=rating, model="m")
            for one in made[:2]
            for key in ("nps", "fair")
        ],
    )
    return [one.id for one in made]


@pytest.fixture
def file(people: list[str], tmp_path: Path) -> Path:
    """Reference answers of the first two: three of four are hits."""
    ada, ben, _ = people
    given = [
        line(ada, "nps", 4, 4),
        line(ada, "fair", 4, 4),
        line(ben, "nps", 4),
        line(ben, "fair", 1, 2),
    ]
    path = tmp_path / "people.jsonl"
    path.write_text("\n".join(map(json.dumps, given)) + "\n")
    return path


def test_a_file_is_recorded_and_the_group_measured(cli: Cli, place: Place, file: Path) -> None:
    asked = ("fidelity", *place.options)
    file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())  # as editors of Windows save it
    done = cli.run(*asked, "--references", file)
    assert done.err == "Recorded 4 of 4; the others were there.\n"
    table = [row.split() for row in done.out.splitlines()]
    assert table[0][:4] == ["QUESTION", "SCALE", "N", "ACCURACY"]
    assert table[1][:6] == ["nps", "rating", "1", "to", "5", "2"]
    assert table[1][6:10] == ["1", "(0.158", "to", "1)"]
    assert table[2][6] == "0.5"
    nps, fair = cli.run(*asked, "--references", file, "--json").lines()
    assert (nps["accuracy"]["equal_count"], fair["accuracy"]["equal_count"]) == (2, 1)
    assert fair["consistency"]["share"] == 0.5
    assert nps["normalized_accuracy"] is None
    assert nps["comparison"]["other_shares"] == [0, 0, 0, 1, 0]
    nobody = cli.run(*asked, "--model", "another", "--json")
    assert nobody == (0, "", "Nothing to measure: no answers have reference answers.\n")


def test_a_row_for_each_persona(cli: Cli, place: Place, people: list[str], file: Path) -> None:
    asked = ("fidelity", *place.options)
    cli.run(*asked, "--references", file)
    done = cli.run(*asked, "--each").out.splitlines()
    assert [row.split()[0] for row in done[1:3]] == people[:2]
    assert done[1].split()[1:4] == ["2", "2", "1"]
    assert done[1].split()[-4:] == ["1", "(1", "to", "1)"]
    assert done[3] == ("mean accuracy 0.75 (n = 2), mean normalised accuracy 1 (n = 1)")
    (one,) = cli.run(*asked, people[2], "--json").lines()
    assert (one["persona_id"], one["reference_count"]) == (people[2], 0)
    assert one["accuracy"] is None
    (one,) = cli.run(*asked, people[1], "--json").lines()
    assert [each["retest"] for each in one["outcomes"]] == [None, {"rating": 2, "options": []}]


@pytest.mark.parametrize(("options", "labels"), [((), {"nps", "fair"}), (("--each",), set())])
def test_it_is_drawn_as_a_forest(
    cli: Cli,
    place: Place,
    people: list[str],
    file: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    labels: set[str],
) -> None:
    target = tmp_path / "forest.svg"
    asked: tuple[str | Path, ...] = ("fidelity", *place.options, *options, "--plot", target)
    nothing = cli.run(*asked)
    assert (nothing.code, target.exists()) == (1, False)
    assert cli.run(*asked, "--references", file).err.endswith(f"Wrote {target}.\n")
    picture = ET.fromstring(target.read_bytes())  # noqa: S314
    said = {"".join(text.itertext()) for text in picture.iter(f"{SVG}text")}
    assert labels <= said
    assert place.group in said
    if not labels:
        assert {text for text in said if text.rstrip("…") in people[0]}


def test_what_is_no_reference_answer_is_named_by_its_line(
    cli: Cli, place: Place, people: list[str], file: Path
) -> None:
    good = file.read_text()
    for wrong, why in (
        (line(people[0], "nps", 9), "answer.rating must be 1 to 5, is 9"),
        ({"persona": 1}, "has fields that a reference answer does not have: persona"),
        (line("x", "nps", 1), "persona_id must be a UUID"),
        (line(people[0].upper(), "nps", 1), "is of the same persona and question as a line before"),
    ):
        file.write_text(good + json.dumps(wrong))
        done = cli.run("fidelity", *place.options, "--references", file)
        assert done.code == 1
        assert f"{file}:5: {why}" in done.err
    assert cli.run("fidelity", *place.options, "--json").lines() == []
    assert cli.run("fidelity", *place.options, people[0], "--each").code == 2

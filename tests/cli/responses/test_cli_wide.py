"""`persona responses record --codebook`: a survey as its export has it, joined and resumed."""

import uuid
from pathlib import Path

import pytest
from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient

BOOK = """respondent = "who"
[questions.stars]
kind = "rating"
scale = "1-5"
[questions.why]
kind = "text"
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.toml"
    path.write_text(BOOK)
    return path


def test_respondents_are_joined_by_external_id(
    cli: Cli, client: PersonaClient, place: Place, book: Path, tmp_path: Path
) -> None:
    people = [Persona(full_name=f"{i}", external_id=f"r-{i}") for i in range(2)]
    made = client.batch_create_personas(*place.ids, people)
    file, simulation = tmp_path / "wide.csv", str(uuid.uuid4())
    file.write_text("\ufeffwho,stars,why\r\nr-1,4,It lasts.\r\nr-0,,No\r\nr-9,1,x\r\n")
    options = ("-s", simulation, *place.options, "--codebook", str(book))
    done = cli.run("responses", "record", file, *options)
    assert (done.code, done.out) == (1, "3 recorded, 2 refused, 1 skipped.\n")
    title, *refused = done.err.splitlines()
    assert title == f"{file}: CSV, a row for each respondent, 2 questions."
    assert [line.split(": ")[0] for line in refused] == [f"{file}:4"] * 2
    found = {
        (one.persona_id, one.question_key): one.rating.value or one.text
        for one in client.list_responses(simulation_id=simulation)
    }
    assert found == {
        (made[1].id, "stars"): 4, (made[1].id, "why"): "It lasts.", (made[0].id, "why"): "No",
    }  # fmt: skip
    [counts] = cli.run("responses", "record", file, *options, "--json").lines()
    assert counts == {
        "recorded": 0, "already_recorded": 3, "refused": 2, "warned": 0, "skipped": 1,
    }  # fmt: skip


def test_a_codebook_is_drafted_without_a_service(cli: Cli, tmp_path: Path) -> None:
    file, book = tmp_path / "wide.csv", tmp_path / "drafted.toml"
    file.write_text("respondent,stars\nr-1,4\n")
    done = cli.run("responses", "record", file, "--draft-codebook", "--address", "localhost:1")
    assert done.code == 0
    assert done.out.splitlines()[1:5] == [
        'respondent = "respondent"',
        "",
        '[questions."stars"]',
        'kind = "rating"',
    ]
    book.write_text(done.out)
    file.write_text("")
    assert cli.run("responses", "record", file, "--draft-codebook").code == 1


def test_external_ids_need_a_group_to_be_looked_up_in(cli: Cli, book: Path, tmp_path: Path) -> None:
    file = tmp_path / "wide.csv"
    file.write_text("who,stars,why\nr-1,4,It lasts.\n")
    done = cli.run("responses", "record", file, "-s", str(uuid.uuid4()), "--codebook", book)
    assert (done.code, done.out) == (1, "")
    assert "--project and --group" in done.err

"""`persona responses export`: answers as files, long and wide, with their personas beside them."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow
import pytest
from cli.conftest import Cli, Place
from pyarrow import parquet

from persona_client import (
    ChoiceAnswer,
    ChoicesAnswer,
    Persona,
    PersonaClient,
    RatingAnswer,
    Response,
)
from support.data import at, persona, uid

NOON = 1_700_000_000_000_000


class Study(NamedTuple):
    """Two personas, and what they answered."""

    maria: Persona
    deleted: Persona
    waves: list[str]
    answers: list[Response]


def answered(by: Persona, key: str, minute: int, **more: Any) -> Response:
    when = at(NOON + minute * 60_000_000)
    return Response(persona_id=by.id, question_key=key, occurred_at=when, **more)


def rating(value: int) -> RatingAnswer:
    return RatingAnswer(value=value, min=1, max=5)


@pytest.fixture
def study(client: PersonaClient, place: Place) -> Study:
    """Return one of whose personas is deleted; an answer is void, and one was given twice."""
    waves = sorted([uid(), uid()])
    maria, deleted = client.batch_create_personas(
        *place.ids,
        [
            persona(age=34, external_id="row-1", attributes={"state": "AR"}),
            persona(full_name="Kim", personality_traits=["kind", "shy", "odd"]),
        ],
    )
    first = client.record_responses(
        waves[0],
        [
            answered(maria, "nps", 0, rating=rating(2)),
            answered(maria, "nps", 9, rating=rating(4), model="m"),
            answered(maria, "brews", 1, choice=ChoiceAnswer(value="home", options=["home", "out"])),
            answered(maria, "why", 2, text="", themes=["price", "a|b"], quote='So "much".\nYes.'),
            answered(maria, "price", 3, sentiment=-0.25),
            answered(deleted, "brands", 4, choices=ChoicesAnswer(options=["a", "=b"])),
            answered(deleted, "persona_id", 5, text="void"),
        ],
    )
    second = client.record_responses(
        waves[1],
        [
            answered(maria, "brands", 20, choices=ChoicesAnswer(values=["=b"], options=["=b"])),
            answered(maria, "persona_id", 21, text="=1"),
            answered(maria, "why", 22, sentiment=0.5),
        ],
    )
    client.void_responses([first[6].id], "a mistake")
    client.delete_persona(*place.ids, deleted.id)
    return Study(maria, deleted, waves, [*first, *second])


def csv_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


@pytest.mark.parametrize("beside", [(), ("--personas",)])
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_long_file_is_recorded_again_as_what_it_was(
    cli: Cli, place: Place, study: Study, tmp_path: Path, form: str, beside: tuple[str, ...]
) -> None:
    target = tmp_path / f"answers.{form}"
    done = cli.run("responses", "export", *place.options, *beside, "-o", target)
    assert (done.code, done.out, done.err) == (0, "", "Exported 10 answers.\n")
    again = cli.run("responses", "record", target)
    assert again.out == "0 recorded, 9 were there already, 0 refused; warnings about 1.\n"
    assert "void where it was exported, and left out: 1 answer.\n" in again.err


def test_a_long_table_has_a_row_for_each_answer(
    cli: Cli, place: Place, study: Study, tmp_path: Path
) -> None:
    cli.run("responses", "export", *place.options, "-o", tmp_path / "long.csv")
    rows = csv_of(tmp_path / "long.csv")
    assert list(rows[0]) == [
        "id", "simulation_id", "persona_id", "project_id", "group_id", "library_persona_id",
        "question_key", "question_text", "kind", "value", "options", "min", "max", "themes",
        "quote", "model", "prompt_version", "occurred_at", "recorded_at", "persona_deleted",
        "supersedes", "voided_at", "void_reason",
    ]  # fmt: skip
    found = {row["id"]: row for row in rows}
    nps, _, _, why, price, brands, void, *_ = (found[one.id] for one in study.answers)
    assert [nps[name] for name in ("kind", "value", "min", "max")] == ["rating", "2", "1", "5"]
    assert nps["occurred_at"] == "2023-11-14T22:13:20Z"
    assert (why["value"], why["themes"]) == ("", '["price","a|b"]')
    assert why["quote"] == 'So "much".\nYes.'
    assert (price["kind"], price["value"], price["persona_deleted"]) == (
        "sentiment", "-0.25", "false",
    )  # fmt: skip
    assert (brands["value"], brands["options"], brands["persona_deleted"]) == (
        "[]", '["a","=b"]', "true",
    )  # fmt: skip
    assert (void["void_reason"], nps["voided_at"]) == ("a mistake", "")


def test_personas_stand_beside_their_answers(
    cli: Cli, place: Place, study: Study, tmp_path: Path
) -> None:
    target = tmp_path / "long.parquet"
    cli.run("responses", "export", *place.options, "--personas", "-o", target)
    table = parquet.read_table(target)
    assert table.schema.field("occurred_at").type == pyarrow.timestamp("us", "UTC")
    assert table.schema.field("persona.age").type == pyarrow.int32()
    first, *_, last = table.to_pylist()
    assert (first["persona.age"], first["persona.attributes.state"]) == (34, "AR")
    assert (first["min"], first["themes"], first["model"]) == (1, None, None)
    assert first["occurred_at"] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert last["persona.external_id"] == "row-1"
    named = {row["persona_id"]: row["persona.full_name"] for row in table.to_pylist()}
    assert named == {study.maria.id: "Maria Santos", study.deleted.id: "Kim"}
    lines = cli.run("responses", "export", "--simulation", study.waves[0], "--personas").lines()
    assert len(lines) == 7
    assert [line["persona"]["id"] for line in lines] == [line["persona_id"] for line in lines]


def test_a_wide_table_has_a_row_for_each_persona_and_simulation(
    cli: Cli, place: Place, study: Study, tmp_path: Path
) -> None:
    target = tmp_path / "wide.parquet"
    options = (*place.options, "--wide")
    done = cli.run("responses", "export", *options, "--personas", "-o", target)
    assert done.err == (
        "Exported 9 answers in 3 rows, without 1 that is void; "
        "1 gave way to an earlier one to the same question.\n"
    )
    table = parquet.read_table(target)
    types = {field.name: field.type for field in table.schema}
    questions = ["brands", "brews", "nps", "question.persona_id", "price", "why"]
    assert list(types)[:8] == ["simulation_id", "persona_id", *questions]
    assert (types["nps"], types["price"]) == (pyarrow.int32(), pyarrow.float64())
    assert (types["brands"], types["why"]) == (pyarrow.list_(pyarrow.string()), pyarrow.string())
    rows = {(row["simulation_id"], row["persona_id"]): row for row in table.to_pylist()}
    assert list(rows) == sorted(rows)
    first, second = (rows[wave, study.maria.id] for wave in study.waves)
    kim = rows[study.waves[0], study.deleted.id]
    assert [first[name] for name in questions] == [None, "home", 2, None, -0.25, ""]
    assert [kim[name] for name in questions] == [[], *5 * [None]]
    assert [second[name] for name in questions] == [["=b"], None, None, "=1", None, "0.5"]
    assert (kim["persona.full_name"], first["persona.age"]) == ("Kim", 34)


def test_a_wide_table_as_csv_and_lines(cli: Cli, study: Study, tmp_path: Path) -> None:
    target = tmp_path / "wide.csv"
    wave = study.waves[1]
    options = ("--simulation", wave, "--wide")
    assert cli.run("responses", "export", *options, "--excel", "-o", target).code == 0
    assert target.read_bytes().decode() == (
        "\ufeffsimulation_id,persona_id,brands,question.persona_id,why\r\n"
        f'{wave},{study.maria.id},"[""=b""]",\'=1,0.5\r\n'
    )
    (line,) = cli.run("responses", "export", *options).out.splitlines()
    assert json.loads(line) == {
        "simulation_id": wave,
        "persona_id": study.maria.id,
        "brands": ["=b"],
        "question.persona_id": "=1",
        "why": 0.5,
    }


def test_filters_are_those_of_the_list(cli: Cli, place: Place, study: Study) -> None:
    done = cli.run("responses", "export", *place.options, "--question", "nps")
    assert [line["rating"]["value"] for line in done.lines()] == [2, 4]
    listed = cli.run("responses", "list", *place.options, "--question", "nps", "--json")
    assert listed.out == done.out
    done = cli.run("responses", "export", "--simulation", uid(), "--format", "csv")
    assert (len(done.out.splitlines()), done.err) == (1, "Exported 0 answers.\n")
    done = cli.run("responses", "export", "--since", "2026-01-01")
    assert (done.code, done.err[:29]) == (2, "persona: Give --simulation, -")


def test_more_questions_than_columns_are_refused(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    one = client.create_persona(*place.ids, persona())
    many = [answered(one, f"q{i}", 0, text="x") for i in range(10_001)]
    client.record_responses(uid(), many)
    target = tmp_path / "wide.csv"
    done = cli.run("responses", "export", *place.options, "--wide", "-o", target)
    assert (done.code, target.exists()) == (1, False)
    assert done.err == (
        "persona: The answers are to 10,001 questions, and a wide table has 10,000 at most: "
        "leave out --wide, or name a --question.\n"
    )

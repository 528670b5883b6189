"""`persona responses correct`: what differs takes the place of what stands, after it was shown."""

import json
import uuid
from pathlib import Path

import pytest
from cli.answers import as_csv, jsonl, rated
from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient
from support.service import Service

COLUMNS = ("persona_external_id", "question_key", "kind", "value", "min", "max", "occurred_at")


@pytest.fixture
def people(client: PersonaClient, place: Place) -> list[Persona]:
    made = [Persona(full_name=f"{i}", external_id=f"r-{i}") for i in range(2)]
    return client.batch_create_personas(*place.ids, made)


def row(who: int, key: str, value: int, when: str = "") -> dict[str, object]:
    return {
        "persona_external_id": f"r-{who}", "question_key": key, "kind": "rating", "value": value,
        "min": 1, "max": 5, "occurred_at": when,
    }  # fmt: skip


def standing(client: PersonaClient, simulation: str) -> dict[tuple[str, str], int]:
    return {
        (one.persona_id, one.question_key): one.rating.value
        for one in client.list_responses(simulation_id=simulation)
        if not one.HasField("voided_at")
    }


def test_what_differs_is_shown_and_then_superseded(
    cli: Cli, client: PersonaClient, place: Place, people: list[Persona], tmp_path: Path
) -> None:
    file, simulation = tmp_path / "answers.csv", str(uuid.uuid4())
    options = (str(file), "-s", simulation, *place.options)
    wrong = [row(0, "nps", 1, "2026-09-01"), row(0, "b", 2), row(1, "nps", 3)]
    file.write_text(as_csv(wrong, columns=COLUMNS))
    assert cli.run("responses", "record", *options).code == 0
    right = [row(0, "nps", 4, "2026-09-01"), row(0, "b", 2), row(1, "nps", 5), row(1, "new", 1)]
    file.write_text(as_csv(right, columns=COLUMNS))
    before = standing(client, simulation)
    for asked in (("--dry-run",), ()):
        done = cli.run("responses", "correct", *options, *asked)
        heading, first, second, *rest = done.out.splitlines()
        assert heading.split() == ["WHERE", "PERSONA", "QUESTION", "BEFORE", "AFTER"]
        shown = [[cell for cell in line.split("  ") if cell] for line in (first, second)]
        assert [[cell.strip() for cell in cells] for cells in shown] == [
            [f"{file}:2", people[0].id, "nps", "1 of 1 to 5", "4 of 1 to 5"],
            [f"{file}:4", people[1].id, "nps", "3 of 1 to 5", "5 of 1 to 5"],
        ]
        assert standing(client, simulation) == before
        if asked:
            assert rest == ["2 would be corrected, 1 unchanged, 0 refused, 1 not recorded yet."]
            assert done.code == 0
        else:
            assert done.code == 2  # nobody is there to ask
    done = cli.run("responses", "correct", *options, "--yes", "--json")
    assert done.lines() == [{"corrected": 2, "unchanged": 1, "missing": 1, "refused": 0}]
    corrected = {(people[0].id, "nps"): 4, (people[0].id, "b"): 2, (people[1].id, "nps"): 5}
    assert standing(client, simulation) == corrected
    done = cli.run("responses", "correct", *options, "--yes", "--json")
    assert done.lines() == [{"corrected": 0, "unchanged": 3, "missing": 1, "refused": 0}]
    # Back to what it was: what was void once can be said again.
    file.write_text(as_csv(wrong, columns=COLUMNS))
    assert cli.run("responses", "correct", *options, "-y").out.endswith(
        "2 corrected, 1 unchanged, 0 refused.\n"
    )
    assert standing(client, simulation) == before


def test_a_list_that_was_edited_corrects_by_its_content(
    cli: Cli, client: PersonaClient, people: list[Persona], tmp_path: Path
) -> None:
    file, simulation = tmp_path / "answers.jsonl", str(uuid.uuid4())
    file.write_text(jsonl(rated(one.id, quote="a") for one in people))
    assert cli.run("responses", "record", file, "-s", simulation).code == 0
    listed = cli.run("responses", "list", "-s", simulation, "--json").lines()
    listed[0]["quote"] = "b"
    file.write_text(jsonl(listed))
    done = cli.run("responses", "correct", file, "--yes")
    assert (done.code, done.out.splitlines()[-1]) == (0, "1 corrected, 1 unchanged, 0 refused.")
    assert "quote: a  quote: b" in done.out
    found = list(client.list_responses(simulation_id=simulation))
    new = next(one for one in found if one.supersedes)
    assert (new.quote, new.supersedes) == ("b", listed[0]["id"])
    assert new.occurred_at.ToJsonString() == listed[0]["occurred_at"]
    assert [one.id for one in found if one.HasField("voided_at")] == [listed[0]["id"]]


def test_two_answers_of_a_file_to_one_question_are_no_correction(
    cli: Cli, client: PersonaClient, people: list[Persona], tmp_path: Path
) -> None:
    file, simulation = tmp_path / "answers.json", str(uuid.uuid4())
    file.write_text(json.dumps([rated(people[0].id, value=1)]))
    assert cli.run("responses", "record", file, "-s", simulation).code == 0
    twice = [rated(people[0].id, value=2), rated(people[0].id, value=3)]
    file.write_text(json.dumps(twice))
    done = cli.run("responses", "correct", file, "-s", simulation, "--yes")
    assert (done.code, done.out.splitlines()[-1]) == (1, "1 corrected, 0 unchanged, 1 refused.")
    assert f"{file}, item 2: answers what an answer of this file does" in done.err
    assert list(standing(client, simulation).values()) == [2]


def test_recording_a_second_answer_names_the_way_to_correct(
    cli: Cli, people: list[Persona], tmp_path: Path
) -> None:
    file, simulation = tmp_path / "answers.jsonl", str(uuid.uuid4())
    file.write_text(jsonl([rated(people[0].id, value=1)]))
    assert cli.run("responses", "record", file, "-s", simulation).err == ""
    file.write_text(jsonl([rated(people[0].id, value=2)]))
    done = cli.run("responses", "record", file, "-s", simulation)
    warning, hint = done.err.splitlines()
    assert warning.startswith(f"{file}:1: warning: ")
    assert "`persona responses correct`" in hint


def test_what_was_corrected_is_recorded_no_second_time(
    cli: Cli, client: PersonaClient, place: Place, people: list[Persona], tmp_path: Path
) -> None:
    """A corrected file has new answers too, which `record` is for."""
    file, simulation = tmp_path / "answers.csv", str(uuid.uuid4())
    options = (str(file), "-s", simulation, *place.options)
    file.write_text(as_csv([row(0, "nps", 4)], columns=COLUMNS))
    assert cli.run("responses", "record", *options).code == 0
    file.write_text(as_csv([row(0, "nps", 1), row(1, "nps", 3)], columns=COLUMNS))
    assert "1 corrected" in cli.run("responses", "correct", *options, "-y").out
    for said in ("1 recorded, 1 were there already", "0 recorded, 2 were there already"):
        done = cli.run("responses", "record", *options)
        assert (done.code, done.out, done.err) == (0, f"{said}, 0 refused.\n", "")
    assert standing(client, simulation) == {(people[0].id, "nps"): 1, (people[1].id, "nps"): 3}


def test_what_would_count_in_place_of_a_correction_is_named(
    cli: Cli, client: PersonaClient, place: Place, people: list[Persona], tmp_path: Path
) -> None:
    file, simulation = tmp_path / "answers.csv", str(uuid.uuid4())
    options = (str(file), "-s", simulation, *place.options)
    for value, when in ((4, "2026-03-01"), (5, "2026-03-02")):
        file.write_text(as_csv([row(0, "nps", value, when)], columns=COLUMNS))
        cli.run("responses", "record", *options)
    second = next(
        one.id for one in client.list_responses(simulation_id=simulation) if one.rating.value == 5
    )
    file.write_text(as_csv([row(0, "nps", 1, "2026-03-03")], columns=COLUMNS))
    done = cli.run("responses", "correct", *options, "-y")
    assert (done.code, done.out.splitlines()[-1]) == (1, "0 corrected, 0 unchanged, 1 refused.")
    assert f"`persona responses void` ({second})" in done.err
    assert cli.run("responses", "void", second, "--reason", "twice").code == 0
    assert "1 corrected" in cli.run("responses", "correct", *options, "-y").out
    assert standing(client, simulation) == {(people[0].id, "nps"): 1}


def test_answers_move_to_another_service_without_what_is_void(
    service: Service,
    cli: Cli,
    client: PersonaClient,
    place: Place,
    people: list[Persona],
    tmp_path: Path,
) -> None:
    file, simulation = tmp_path / "answers.csv", str(uuid.uuid4())
    options = (str(file), "-s", simulation, *place.options)
    wrong = [row(0, "nps", 4, "2026-03-01"), row(1, "nps", 1, "2026-03-01")]
    file.write_text(as_csv(wrong, columns=COLUMNS))
    assert cli.run("responses", "record", *options).code == 0
    file.write_text(as_csv([row(0, "nps", 5, "2026-03-01")], columns=COLUMNS))
    assert "1 corrected" in cli.run("responses", "correct", *options, "-y").out
    mistaken = next(
        one.id for one in client.list_responses(simulation_id=simulation) if one.rating.value == 1
    )
    assert cli.run("responses", "void", mistaken, "--reason", "a mistake").code == 0
    group = ("--project", f"Moved {uuid.uuid4()}", "--group", "everyone")
    exported = tmp_path / "people.jsonl"
    assert cli.run("export", *place.options, "-o", exported).code == 0
    for kind in ("jsonl", "csv"):
        moved = tmp_path / f"moved.{kind}"
        assert cli.run("responses", "export", "-s", simulation, "-o", moved).code == 0
        again = cli.run("responses", "record", moved)
        assert (again.code, again.out) == (0, "0 recorded, 1 were there already, 0 refused.\n")
        assert again.err == "void where it was exported, and left out: 2 answers.\n"
        token = service.token(f"moved-{uuid.uuid4()}")
        other = Cli(service.grpc, token, tmp_path / kind)
        assert other.run("import", exported, *group).code == 0
        for said in ("1 recorded", "0 recorded, 1 were there already"):
            done = other.run("responses", "record", moved)
            assert (done.code, done.out) == (0, f"{said}, 0 refused.\n")
        with PersonaClient(service.grpc, token) as theirs:
            assert standing(theirs, simulation) == {(people[0].id, "nps"): 5}

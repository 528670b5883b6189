"""`persona simulations`: made, named, shown, changed; their questions; warnings about answers."""

import uuid
from pathlib import Path

from cli.answers import jsonl, rated
from cli.conftest import Cli, Place

from persona_client import ChoiceAnswer, Persona, PersonaClient, Response, Simulation


def test_simulations_are_created_listed_and_changed(cli: Cli, place: Place) -> None:
    in_project = ("--project", place.project)
    mine = str(uuid.uuid4())
    made = cli.run("simulations", "create", "Wave 1", *in_project, "--id", mine.upper(),
                   "--model", "m", "--json").lines()[0]  # fmt: skip
    assert (made["id"], made["name"], made["model"]) == (mine, "Wave 1", "m")
    assert made["first_answer_at"] is None
    cli.run("simulations", "create", "Wave 2", *in_project)
    table = cli.run("simulations", *in_project).out.splitlines()
    assert table[0].split()[:4] == ["ID", "NAME", "RESPONSES", "INDIVIDUALS"]
    assert [row.split()[1:3] for row in table[1:]] == [["Wave", "2"], ["Wave", "1"]]
    changed = cli.run("simulations", "update", "Wave 1", *in_project, "--name", "First",
                      "--model", "", "--json").lines()[0]  # fmt: skip
    assert changed == made | {"name": "First", "model": "", "updated_at": changed["updated_at"]}
    assert cli.run("simulations", "show", "First", *in_project, "--json").lines() == [changed]
    assert cli.run("simulations", "show", mine, *in_project).out.split()[:2] == ["id", mine]
    assert cli.run("simulations", "update", "First", *in_project).code == 2
    assert cli.run("simulations", "create", "X", *in_project, "--id", "x").code == 2
    missing = cli.run("simulations", "show", "Wave 1", *in_project)
    assert (missing.code, "no simulation named" in missing.err) == (1, True)
    taken = cli.run("simulations", "create", "First", *in_project)
    assert (taken.code, "[ALREADY_EXISTS]" in taken.err) == (1, True)


def test_questions_are_listed_in_their_declared_order(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    persona = client.create_persona(*place.ids, Persona(full_name="Maria"))
    choice = ChoiceAnswer(value="weak", options=["weak", "strong"])
    asked = Response(persona_id=persona.id, question_key="brew", choice=choice)
    client.record_responses(str(uuid.uuid4()), [asked])
    simulation = client.create_simulation(place.project_id, Simulation(name="Wave 2")).id
    client.record_responses(simulation, [asked])
    in_project = ("--project", place.project)
    table = cli.run("simulations", "questions", *in_project).out.splitlines()
    assert table[1].split()[:7] == ["brew", "choice", "of", "2", "weak,", "strong", "2"]
    assert cli.run("questions", *in_project).out.splitlines() == table
    (found,) = cli.run("questions", *in_project, "-s", "Wave 2", "--json").lines()
    assert (found["response_count"], found["individual_count"]) == (1, 1)
    assert found["question"]["options"] == ["weak", "strong"]


def test_a_second_answer_is_told_by_its_line(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    persona = client.create_persona(*place.ids, Persona(full_name="Maria"))
    file, simulation = tmp_path / "answers.jsonl", str(uuid.uuid4())
    file.write_text(jsonl([rated(persona.id, "q", 1), rated(persona.id, "q", 2)]))
    done = cli.run("responses", "record", file, "-s", simulation)
    assert (done.code, done.out) == (0, "2 recorded, 0 refused; warnings about 1.\n")
    assert done.err.startswith(f"{file}:2: warning: ")
    again = cli.run("responses", "record", file, "-s", simulation, "--json")
    assert again.lines() == [{"recorded": 0, "already_recorded": 2, "refused": 0, "warned": 1}]

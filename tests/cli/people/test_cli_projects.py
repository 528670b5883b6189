"""`persona projects` and `persona groups`."""

import uuid
from pathlib import Path

import pytest
from cli.conftest import Cli, Place

from persona_client import PersonaClient, PersonaGroup, Project, ProjectNotFound


def test_projects_are_listed_with_and_without_the_word(cli: Cli, place: Place) -> None:
    for words in (["projects"], ["projects", "list"]):
        done = cli.run(*words)
        assert done.code == 0
        assert place.project_id in done.out
        assert place.project in done.out
        listed = cli.run(*words, "--json").lines()
        assert {p["name"]: p["persona_group_count"] for p in listed}[place.project] == 1


def test_a_project_is_created_shown_and_deleted(cli: Cli, client: PersonaClient) -> None:
    name = f"Made {uuid.uuid4()}"
    [made] = cli.run("projects", "create", name, "--description", "text", "--json").lines()
    assert (made["name"], made["description"]) == (name, "text")
    assert made["created_at"].endswith("Z")
    for how in (name, made["id"], made["id"].upper()):
        assert cli.run("projects", "show", how, "--json").lines() == [made]
    assert "text" in cli.run("projects", "show", name).out
    done = cli.run("projects", "delete", name, "--yes")
    assert (done.code, done.out) == (0, "")
    with pytest.raises(ProjectNotFound):
        client.get_project(made["id"])


def test_nothing_is_deleted_unasked(cli: Cli, client: PersonaClient, place: Place) -> None:
    for words in (
        ("projects", "delete", place.project),
        ("groups", "delete", place.group, "--project", place.project),
        ("delete", "--all", *place.options),
    ):
        done = cli.run(*words)
        assert done.code == 2
        assert "--yes" in done.err
    assert client.get_persona_group(*place.ids).name == place.group


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, 1), ("y\n", 0, 0)])
def test_an_answer_decides(
    cli: Cli,
    client: PersonaClient,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    left: int,
) -> None:
    monkeypatch.setattr("persona_cli.terminal.failures.is_interactive", lambda: True)
    words = ("groups", "delete", place.group, "--project", place.project)
    done = cli.run(*words, stdin=answer)
    assert done.code == code
    assert place.group in done.err
    assert client.get_project(place.project_id).persona_group_count == left


def test_groups_of_one_project_or_of_all(cli: Cli, place: Place) -> None:
    [only] = cli.run("groups", "--project", place.project, "--json").lines()
    assert (only["id"], only["persona_count"]) == (place.group_id, 0)
    everywhere = cli.run("groups", "--json").lines()
    assert only in everywhere
    table = cli.run("groups").out
    assert any(place.group_id in row and place.project in row for row in table.splitlines())


def test_a_group_is_created_with_its_definition(cli: Cli, place: Place) -> None:
    done = cli.run(
        "groups", "create", "Commuters", "--project", place.project, "--age-min", "18",
        "--age-max", "65", "--gender", "All", "--location", "Lisbon", "--occupation", "Nurse",
        "--income-level", "Low", "--description", "text", "--json",
    )  # fmt: skip
    [made] = done.lines()
    expected = {
        "name": "Commuters", "project_id": place.project_id, "age_min": 18, "age_max": 65,
        "gender": "All", "location": "Lisbon", "occupation": "Nurse", "income_level": "Low",
        "description": "text", "persona_count": 0,
    }  # fmt: skip
    assert {key: made[key] for key in expected} == expected
    shown = cli.run("groups", "show", "Commuters", "--project", place.project, "--json")
    assert shown.lines() == [made]


def test_names_are_changed_and_what_has_them_stays(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    name = f"Renamed {uuid.uuid4()}"
    [project] = cli.run("projects", "rename", place.project, name, "--json").lines()
    assert (project["id"], project["name"]) == (place.project_id, name)
    assert project["persona_group_count"] == 1
    done = cli.run("groups", "rename", place.group, "nobody", "--project", name)
    assert (done.code, place.group_id in done.out) == (0, True)
    assert client.get_persona_group(*place.ids).name == "nobody"
    assert cli.run("projects", "rename", place.project, name).code == 1
    refused = cli.run("groups", "rename", "nobody", "", "--project", name)
    assert (refused.code, "[INVALID_FIELD]" in refused.err) == (1, True)


def test_what_is_deleted_is_told_as_json(cli: Cli, place: Place) -> None:
    group = cli.run("groups", "delete", place.group, "-p", place.project, "--yes", "--json")
    assert ([one["id"] for one in group.lines()], group.err) == ([place.group_id], "")
    project = cli.run("projects", "delete", place.project, "--yes", "--json")
    assert ([one["id"] for one in project.lines()], project.err) == ([place.project_id], "")


def test_an_import_that_fails_leaves_nothing_behind(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "personas.jsonl"
    file.write_text("{bad\n")
    for wrong in (file, tmp_path):
        done = cli.run("import", wrong, "--project", f"{file}", "--group", "x")
        assert done.code == 1
        assert cli.run("projects", "show", f"{file}").code == 1
        assert cli.run("import", wrong, "--project", place.project, "--group", "x").code == 1
        assert [g.name for g in client.list_persona_groups(place.project_id)] == [place.group]
    assert cli.run("import", file, *place.options).code == 1
    assert client.get_persona_group(*place.ids).name == place.group
    file.write_text('{"full_name": "a"}\n{bad\n')
    assert cli.run("import", file, "--project", place.project, "--group", "x").code == 1
    assert [line["name"] for line in cli.run("groups", "-p", place.project, "--json").lines()] == [
        "x",
        place.group,
    ]


def test_an_ambiguous_name_is_refused_with_its_ids(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    twin = client.create_project(Project(name=place.project))
    done = cli.run("groups", "--project", place.project)
    assert done.code == 1
    assert place.project_id in done.err
    assert twin.id in done.err
    assert cli.run("groups", "--project", twin.id, "--json").lines() == []
    client.delete_project(twin.id)
    group = client.create_persona_group(place.project_id, PersonaGroup(name=place.group))
    done = cli.run("list", *place.options)
    assert done.code == 1
    assert place.group_id in done.err
    assert group.id in done.err


def test_a_missing_name_is_said(cli: Cli, place: Place) -> None:
    done = cli.run("list", "--project", "no such", "--group", "x")
    assert (done.code, done.out) == (1, "")
    assert done.err == 'persona: There is no project named "no such".\n'
    done = cli.run("list", "--project", place.project, "--group", "no such")
    assert (done.code, done.err) == (1, 'persona: There is no persona group named "no such".\n')

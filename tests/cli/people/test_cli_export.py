"""`persona export`: what it writes imports elsewhere."""

import json
from pathlib import Path

from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient
from support.data import persona, rich_persona


def test_an_export_imports_elsewhere(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    made = client.batch_create_personas(
        *place.ids, [rich_persona(), *(Persona(full_name=f"{i}") for i in range(300))]
    )
    target = tmp_path / "group.jsonl"
    done = cli.run("export", *place.options, "-o", target)
    assert (done.code, done.out, done.err) == (0, "", "Exported 301 personas.\n")
    assert cli.run("export", *place.options).out == target.read_text()

    elsewhere = ("--project", place.project, "--group", "copy")
    assert cli.run("import", target, *elsewhere, "--new-ids").code == 0
    copies = [json.loads(line) for line in cli.run("export", *elsewhere).out.splitlines()]
    originals = [json.loads(line) for line in target.read_text().splitlines()]
    assert [p["id"] for p in originals] == [p.id for p in made]
    assert not {p["id"] for p in copies} & {p["id"] for p in originals}
    for one in (*copies, *originals):
        del one["id"], one["group_id"]
    assert sorted(copies, key=json.dumps) == sorted(originals, key=json.dumps)


def test_an_emptied_group_gets_its_personas_back_with_their_ids(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    made = client.batch_create_personas(
        *place.ids, [rich_persona(), *(Persona(full_name=f"{i}") for i in range(9))]
    )
    target = tmp_path / "group.jsonl"
    cli.run("export", *place.options, "--output", target)
    client.delete_all_personas(*place.ids)
    done = cli.run("import", target, *place.options)
    assert (done.code, done.out) == (0, "10 imported, 0 refused.\n")
    assert list(client.list_personas(*place.ids)) == made


def test_filters_choose(cli: Cli, client: PersonaClient, place: Place) -> None:
    client.batch_create_personas(*place.ids, [persona(full_name="a", age=3), rich_persona()])
    done = cli.run("export", *place.options, "--location", "são paulo", "--age-min", "30")
    assert [json.loads(line)["full_name"] for line in done.out.splitlines()] == ["Maria Santos"]


def test_a_file_is_what_its_name_says(cli: Cli, place: Place, tmp_path: Path) -> None:
    for name in ("people.xlsx", "people.csv.gz"):
        target = tmp_path / name
        assert cli.run("export", *place.options, "-o", target).code == 2
        assert not target.exists()
        assert cli.run("export", *place.options, "-o", target, "--format", "csv").code == 0
        assert target.read_text().startswith("id,")


def test_a_failed_export_leaves_the_file_as_it_was(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    target = tmp_path / "group.jsonl"
    target.write_text("before")
    cli.run("groups", "delete", place.group_id, "--project", place.project_id, "--yes")
    ids = ("--project", place.project_id, "--group", place.group_id)
    done = cli.run("export", *ids, "-o", target)
    assert done.code == 1
    assert "[PERSONA_GROUP_NOT_FOUND]" in done.err
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["group.jsonl"]


def test_a_place_that_cannot_be_written_is_one_line(cli: Cli, place: Place) -> None:
    done = cli.run("export", *place.options, "-o", "/no/such/folder/file")
    assert done.code == 1
    assert "No such file or directory" in done.err
    assert len(done.err.splitlines()) == 1

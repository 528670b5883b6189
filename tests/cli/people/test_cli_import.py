"""`persona import`: what goes in, what is refused, and what is said."""

import json
import os
import threading
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import Cli, Place

from persona_cli.files.json_lines import MAX_LINE
from persona_cli.runs import import_run
from persona_client import Persona, PersonaClient, PersonaGroup


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def names(client: PersonaClient, place: Place) -> list[str]:
    return [persona.full_name for persona in client.list_personas(*place.ids)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "personas.jsonl"


def test_project_and_group_are_made_when_missing_and_found_later(
    cli: Cli, client: PersonaClient, file: Path
) -> None:
    file.write_bytes(lines({"full_name": "a"}))
    project = f"Imported {uuid.uuid4()}"
    for again in ((), ("--again",)):
        done = cli.run("import", file, "--project", project, "--group", "all", *again)
        assert (done.code, done.out, done.err) == (0, "1 imported, 0 refused.\n", "")
    [made] = [p for p in client.list_projects() if p.name == project]
    [group] = client.list_persona_groups(made.id)
    assert (group.name, group.persona_count) == ("all", 2)
    assert not any(cli.journals.iterdir())


def test_own_ids_are_kept_or_dropped(
    cli: Cli, client: PersonaClient, place: Place, file: Path
) -> None:
    own = str(uuid.uuid4())
    file.write_bytes(lines({"full_name": "a", "id": own.upper(), "group_id": "ignored"}))
    cli.run("import", file, *place.options)
    assert [p.id for p in client.list_personas(*place.ids)] == [own]
    # The same id with the same content is there already.
    assert cli.run("import", file, *place.options).code == 0
    assert names(client, place) == ["a"]
    cli.run("import", file, *place.options, "--new-ids")
    assert names(client, place) == ["a", "a"]


def test_a_dry_run_lists_what_would_be_refused_and_imports_nothing(
    cli: Cli, client: PersonaClient, place: Place, file: Path
) -> None:
    taken = client.create_persona(*place.ids, Persona(full_name="taken"))
    people: list[dict[str, Any]] = [{"full_name": "a"}, {"full_name": "b", "age": 200}]
    file.write_bytes(lines(*people, {"full_name": "another", "id": taken.id}))
    done = cli.run("import", file, "--dry-run", *place.options)
    assert (done.code, done.out) == (1, "1 would be imported, 2 refused.\n")
    assert [line.split(":")[1] for line in done.err.splitlines()] == ["2", "3"]
    assert names(client, place) == ["taken"]
    assert not cli.journals.exists() or not any(cli.journals.iterdir())


def test_a_dry_run_makes_no_group(cli: Cli, client: PersonaClient, file: Path) -> None:
    file.write_bytes(lines({"full_name": "a"}))
    project = f"Imported {uuid.uuid4()}"
    done = cli.run("import", file, "--dry-run", "--project", project, "--group", "all")
    assert done.code == 1
    assert f'There is no project named "{project}".' in done.err
    assert project not in [found.name for found in client.list_projects()]


def test_the_agents_file_is_found_by_itself(
    cli: Cli, client: PersonaClient, place: Place, file: Path
) -> None:
    agents = [
        {"agent_id": f"{i}", "first_name": f"A{i}", "last_name": "B", "age": 30, "sex": "Male"}
        for i in range(3)
    ]
    file.write_bytes(b"\n  \n" + lines(*agents))
    for option in ((), ("--format", "genagents")):
        assert cli.run("import", file, *place.options, *option).code == 0
    # An agent's id is the external id, so that the second time nothing is new.
    found = list(client.list_personas(*place.ids))
    assert [p.full_name for p in found] == ["A0 B", "A1 B", "A2 B"]
    assert [(p.external_id, p.attributes["agent_id"]) for p in found] == [
        (f"{i}", f"{i}") for i in range(3)
    ]
    refused = cli.run("import", file, *place.options, "--format", "jsonl")
    assert (refused.code, refused.out) == (1, "0 imported, 3 refused.\n")


def test_refused_lines_are_listed_and_the_rest_goes_in(
    cli: Cli, client: PersonaClient, place: Place, file: Path
) -> None:
    own = str(uuid.uuid4())
    bad = [
        lines({"full_name": ""}),
        b"{bad\n",
        b'{"full_name": "\xff"}\n',
        lines({"full_name": "again", "id": own.upper()}),
        lines({"full_name": "x" * (MAX_LINE + 1)}),
        lines({"full_name": "large", "attributes": {"a": "x" * 40_000}}),
    ]
    good = lines({"full_name": "first", "id": own})
    last = b'{"full_name": "last, without an end"}'
    file.write_bytes(b"\xef\xbb\xbf" + good + b"\r\n".join([b"", b"".join(bad), last]))
    done = cli.run("import", file, *place.options)
    assert (done.code, done.out) == (1, f"2 imported, {len(bad)} refused.\n")
    told = done.err.splitlines()
    assert [line.split(": ")[0] for line in told] == [f"{file}:{n}" for n in range(3, 9)]
    for text, why in zip(
        told,
        ["full_name", "not JSON", "not UTF-8", f"{file}:1", "too long", "attributes"],
        strict=True,
    ):
        assert why in text
    assert names(client, place) == ["first", "last, without an end"]
    counts = {"imported": 1, "refused": len(bad), "already_there": 1}  # one has an id
    ids = {"project_id": place.project_id, "group_id": place.group_id}
    repeated = cli.run("import", file, *place.options, "--again", "--json")
    assert repeated.lines() == [ids | counts]


def test_an_id_repeats_across_files(cli: Cli, place: Place, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for path in (first, second):
        path.write_bytes(lines({"full_name": "x", "id": "0190b5a4-0000-7000-8000-00000000000a"}))
    done = cli.run("import", first, second, *place.options, "--new-ids")
    assert (done.code, done.out) == (0, "2 imported, 0 refused.\n")
    done = cli.run("import", first, second, *place.options)
    assert (done.code, done.out) == (1, "1 imported, 1 refused.\n")
    assert done.err.startswith(f"{second}:1: repeats the id")
    assert done.err.endswith(f"of {first}:1\n")


def test_ids_taken_elsewhere_are_listed_and_the_rest_goes_in(
    cli: Cli, client: PersonaClient, place: Place, file: Path
) -> None:
    taken = client.create_persona(*place.ids, Persona(full_name="here"))
    file.write_bytes(
        lines({"full_name": "a"}, {"full_name": "other", "id": taken.id}, {"full_name": "b"})
    )
    done = cli.run("import", file, *place.options)
    assert (done.code, done.out) == (1, "2 imported, 1 refused.\n")
    assert done.err.startswith(f"{file}:2: id: the id {taken.id} is taken by a visible persona")
    assert names(client, place) == ["here", "a", "b"]
    assert not any(cli.journals.iterdir())


def test_many_that_are_taken_in_the_group_do_not_stop_an_import(
    cli: Cli, client: PersonaClient, place: Place, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_run, "MAX_REFUSED_BY_SERVICE", 15)
    rows = [{"full_name": f"{i}", "external_id": f"r-{i}", "age": 30} for i in range(3000)]
    file.write_bytes(lines(*rows[:2000]))
    assert cli.run("import", file, *place.options).code == 0
    others = [one.id for one in client.list_personas(*place.ids, page_size=1000)][:2]
    rows = [row | {"age": 30 + i % 2} for i, row in enumerate(rows)]
    rows[10]["id"], rows[2500]["id"] = others
    file.write_bytes(lines(*rows))
    refused = file.with_name("refused.jsonl")
    for options in (("--dry-run",), ()):
        done = cli.run("import", file, *place.options, "--refused", refused, "--json", *options)
        [counts] = done.lines()
        assert (done.code, counts["refused"]) == (1, 1002)
        assert counts["imported"] == 999
        taken = {json.loads(line)["external_id"] for line in refused.read_text().splitlines()}
        assert taken == {f"r-{i}" for i in range(2000) if i % 2} | {"r-10", "r-2500"}
        assert len(done.err.splitlines()) == 1002
    ages = Counter(one.age.value for one in client.list_personas(*place.ids))
    assert ages == {30: 2499, 31: 500}


@pytest.mark.parametrize(
    ("options", "said"), [((), "0 are imported"), (("--dry-run",), "0 would be imported")]
)
def test_an_import_of_nothing_but_taken_ids_stops_soon(
    cli: Cli,
    client: PersonaClient,
    place: Place,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setattr(import_run, "MAX_REFUSED_BY_SERVICE", 3)
    elsewhere = client.create_persona_group(place.project_id, PersonaGroup(name="others")).id
    made = client.batch_create_personas(place.project_id, elsewhere, [Persona(full_name="x")] * 9)
    file.write_bytes(lines(*({"full_name": "other", "id": p.id} for p in made)))
    done = cli.run("import", file, *place.options, *options)
    assert done.code == 1
    *listed, last = done.err.splitlines()
    assert len(listed) == 3
    assert said in last
    assert "--new-ids" in last


def test_standard_input_is_read_and_said_not_to_resume(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    done = cli.run("import", "-", *place.options, stdin=lines({"full_name": "a"}, {}))
    assert done.code == 1
    note, refused = done.err.splitlines()
    assert "can't be resumed" in note
    assert refused.startswith("<stdin>:2: full_name ")
    assert names(client, place) == ["a"]
    assert not cli.journals.exists()


def test_a_pipe_is_read_once(cli: Cli, client: PersonaClient, place: Place, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(lines({"full_name": "a"}),))
    writer.start()
    done = cli.run("import", pipe, *place.options)
    writer.join()
    assert done.code == 0
    assert "can't be resumed" in done.err
    assert names(client, place) == ["a"]


def test_an_empty_file_imports_nothing(cli: Cli, place: Place, file: Path) -> None:
    file.write_bytes(b"\n")
    done = cli.run("import", file, *place.options)
    assert (done.code, done.out) == (0, "0 imported, 0 refused.\n")


def test_a_missing_file_is_one_line_and_nothing_is_made(
    cli: Cli, client: PersonaClient, file: Path
) -> None:
    project = f"Never {uuid.uuid4()}"
    done = cli.run("import", file, "--project", project, "--group", "g")
    assert (done.code, done.err) == (1, f"persona: {file}: No such file or directory\n")
    assert project not in {p.name for p in client.list_projects()}


def test_an_id_that_is_not_there_makes_nothing(cli: Cli, place: Place, file: Path) -> None:
    file.write_bytes(lines({"full_name": "a"}))
    nobody = str(uuid.uuid4())
    done = cli.run("import", file, "--project", nobody, "--group", nobody)
    assert done.code == 1
    assert "[PROJECT_NOT_FOUND]" in done.err
    done = cli.run("import", file, "--project", place.project, "--group", nobody)
    assert done.code == 1
    assert "[PERSONA_GROUP_NOT_FOUND]" in done.err

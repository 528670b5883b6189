"""`persona import` of other people's files: keys, repeats, folders, refused rows, --explain."""

import gzip
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import Cli, Place
from files import people

from persona_client import Persona, PersonaClient

SHEET = "name;nr;job\nMira Sandberg;row-1;Baker\nJon Ek;row-2;\n;row-3;Nurse\n"
NAMED = ("--map", "full_name=name", "--map", "external_id=nr")
SIMULATION = "01920000-0000-7000-8000-000000000001"


def group_of(client: PersonaClient, place: Place) -> dict[str, Persona]:
    return {one.external_id or one.full_name: one for one in client.list_personas(*place.ids)}


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(SHEET)
    return path


def test_the_source_s_own_key_is_the_external_id_and_changes_nothing_twice(
    cli: Cli, client: PersonaClient, place: Place, sheet: Path
) -> None:
    done = cli.run("import", sheet, *place.options, *NAMED)
    assert (done.code, done.out) == (1, "2 imported, 1 refused.\n")
    assert done.err.splitlines() == [
        f"{sheet}: CSV (; between cells), columns by name.",
        f"{sheet}:4: full_name is required: 1 to 255 characters that are not all spaces",
    ]
    before = group_of(client, place)
    assert before.keys() == {"row-1", "row-2"}
    assert dict(before["row-1"].attributes) == {"job": "Baker"}
    done = cli.run("import", sheet, *place.options, *NAMED)
    assert done.out == "0 imported, 1 refused, 2 were there already.\nNothing has changed.\n"
    assert group_of(client, place) == before
    sheet.write_text(SHEET + "Eva Lind;row-4;\n")
    [counts] = cli.run("import", sheet, *place.options, *NAMED, "--json").lines()
    assert (counts["imported"], counts["refused"], counts["already_there"]) == (1, 1, 2)
    shown = cli.run("get", *place.options, "--external-id", "row-4", "--json")
    assert [one["full_name"] for one in shown.lines()] == ["Eva Lind"]


def test_a_dry_run_says_what_is_there_already(cli: Cli, place: Place, sheet: Path) -> None:
    words: tuple[str | Path, ...] = ("import", sheet, *place.options, *NAMED)
    assert cli.run(*words, "--dry-run").out == "2 would be imported, 1 refused.\n"
    cli.run(*words)
    again = cli.run(*words, "--dry-run")
    assert again.out == "0 would be imported, 1 refused, 2 were there already.\n"


def test_without_ids_only_those_that_have_one_are_told_as_there(
    cli: Cli, place: Place, tmp_path: Path
) -> None:
    path = tmp_path / "mixed.jsonl"
    path.write_text('{"full_name": "Ada", "external_id": "a"}\n{"full_name": "Kim"}\n')
    words: tuple[str | Path, ...] = ("import", path, *place.options)
    assert cli.run(*words).out == "2 imported, 0 refused.\n"
    assert "--again" in cli.run(*words).err
    done = cli.run(*words, "--again")
    assert done.out == "1 imported, 0 refused, 1 was there already.\n"


def test_a_key_that_repeats_or_is_somebody_else_s_is_refused(
    cli: Cli, client: PersonaClient, place: Place, sheet: Path
) -> None:
    client.create_persona(*place.ids, Persona(full_name="Somebody", external_id="row-2"))
    sheet.write_text(SHEET.replace("row-3", "row-1").replace(";row-1;Nurse", "Eva;row-1;Nurse"))
    done = cli.run("import", sheet, *place.options, *NAMED)
    assert (done.code, done.out) == (1, "1 imported, 2 refused.\n")
    assert f"{sheet}:4: repeats the id row-1 of {sheet}:2" in done.err
    assert f"{sheet}:3: external_id: the external id row-2 is taken" in done.err


def test_the_same_content_without_keys_is_not_doubled_unasked(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "people.json"
    file.write_text(json.dumps([{"full_name": "A"}, {"full_name": "B"}]))
    assert cli.run("import", file, *place.options).out == "2 imported, 0 refused.\n"
    copy = tmp_path / "copy.json"
    copy.write_bytes(file.read_bytes())
    done = cli.run("import", copy, *place.options)
    assert (done.code, done.out) == (1, "")
    assert "2 personas of the same content came into this group by an import before" in done.err
    assert "--again" in done.err
    assert not any(cli.journals.iterdir())
    assert cli.run("import", copy, *place.options, "--again").out == "2 imported, 0 refused.\n"
    client.delete_all_personas(*place.ids)
    for _ in range(2):  # what is no longer there is imported as if it had never been
        done = cli.run("import", file, *place.options)
        assert done.out == "2 imported, 0 refused.\n", done.err
        client.delete_all_personas(*place.ids)


def test_the_same_people_in_another_file_are_not_doubled_unasked(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    lines = b'{"full_name": "A"}\n{"full_name": "B"}\n'
    file, packed, grown = (tmp_path / name for name in ("a.jsonl", "a.jsonl.gz", "more.jsonl"))
    file.write_bytes(lines)
    packed.write_bytes(gzip.compress(lines))
    grown.write_bytes(lines + b'{"full_name": "C"}\n')
    assert cli.run("import", file, *place.options).out == "2 imported, 0 refused.\n"
    for again in (packed, grown, grown):
        done = cli.run("import", again, *place.options)
        assert (done.code, done.out) == (1, "")
        assert '"A", who comes first and has no id, is in this group already' in done.err
    assert not any(cli.journals.iterdir())
    assert client.get_persona_group(*place.ids).persona_count == 2
    done = cli.run("import", grown, *place.options, "--again")
    assert done.out == "3 imported, 0 refused.\n"


def test_a_folder_is_imported_file_by_file(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    for name in ("a7", "b8"):
        agent = bank / name
        agent.mkdir(parents=True)
        (agent / "scratch.json").write_text(json.dumps(people.GENAGENTS, indent=1))
        (agent / "nodes.json").write_text("[]")
    (bank / "Mira.agent.json").write_text(json.dumps({"full_name": "Mira"}, indent=1))
    (bank / "damaged.json.gz").write_bytes(gzip.compress(b'{"full_name":')[:-9])
    (bank / "notes.txt").write_text("nobody")
    done = cli.run("import", bank, *place.options)
    assert (done.code, done.out) == (1, "3 imported, 1 refused.\n")
    assert group_of(client, place).keys() == {"Mira", "a7", "b8"}
    assert f"{bank}/damaged.json.gz: is damaged" in done.err
    assert f"{bank}/a7/scratch.json and 1 more: JSON, genagents agents." in done.err
    done = cli.run("import", f"{bank}/*/scratch.json", *place.options)
    assert done.out == "0 imported, 0 refused, 2 were there already.\nNothing has changed.\n"


def test_a_file_that_is_named_more_than_once_is_read_once(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    for name in ("Mira", "Jon"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"full_name": name}) + "\n")
    (tmp_path / "link").symlink_to(tmp_path)
    names = (tmp_path, f"{tmp_path}/*.jsonl", f"{tmp_path}/link/../{tmp_path.name}/Mira.jsonl")
    done = cli.run("import", *names, *place.options)
    assert (done.code, done.out) == (0, "2 imported, 0 refused.\n")
    assert done.err == f"{tmp_path}/Jon.jsonl and 2 more: named more than once, and read once.\n"
    assert group_of(client, place).keys() == {"Mira", "Jon"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"%PDF-1.7", "is a PDF document"),
        (b"colour,size\nred,1\nblue,2\n", "has a layout that is not known (colour, size)"),
        (b"{bad\n{worse\n{worst\n", "has no row that can be read"),
        (b"PK\x03\x04", "is an archive or workbook that can"),
    ],
)
def test_a_file_of_another_kind_is_one_line_and_nothing_is_made(
    cli: Cli, client: PersonaClient, tmp_path: Path, content: bytes, why: str
) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    project = f"Never {uuid.uuid4()}"
    done = cli.run("import", file, "--project", project, "--group", "g")
    assert (done.code, done.out) == (1, "")
    [line] = done.err.splitlines()
    assert line.startswith(f"persona: {file} {why}")
    assert project not in {p.name for p in client.list_projects()}


def test_refused_rows_can_be_mended_and_imported(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    client.create_persona(*place.ids, Persona(full_name="Somebody", external_id="taken"))
    rows: list[Any] = [
        {"full_name": "A", "id": "taken"}, {"full_name": "B", "age": 200}, {"full_name": "C"},
    ]  # fmt: skip
    file, refused = tmp_path / "people.jsonl", tmp_path / "refused.jsonl"
    file.write_text("\n".join([*map(json.dumps, rows), '{"full_name": "D",}']))
    done = cli.run("import", file, *place.options, "--refused", refused)
    assert done.out == "1 imported, 3 refused.\n"
    listed = [json.loads(line) for line in refused.read_text().splitlines()]
    assert all(one.pop("_refused").startswith(f"{file}:") for one in listed)
    assert sorted(listed, key=str) == sorted([*rows[:2], {"_raw": '{"full_name": "D",}'}], key=str)
    again = cli.run("import", refused, *place.options)
    assert again.out == "0 imported, 3 refused.\n"
    assert "put its fields in place of _raw" in again.err
    text = refused.read_text().replace("200", "20").replace('"taken"', '"free"')
    refused.write_text(text.replace('"_raw":"{\\"full_name\\": \\"D\\",}"', '"full_name":"D"'))
    assert cli.run("import", refused, *place.options).out == "3 imported, 0 refused.\n"
    assert group_of(client, place).keys() == {"taken", "C", "free", "B", "D"}


def test_explain_drafts_a_mapping_that_imports(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    sheet = tmp_path / "leute.csv"
    sheet.write_bytes(
        "Name;Alter;Einkommen;Ort\nGroß;47;mittel;Köln\nEk;300;;Ulm\n".encode("cp1252")
    )
    done = cli.run("import", "--explain", sheet)
    assert (done.code, done.err) == (0, "")
    assert '"mittel" = "Middle"' in done.out
    assert "read as cp1252" in done.out
    assert "To attributes go: Alter, Einkommen." in done.out
    assert '"full_name": "Groß"' in done.out
    assert client.count_personas(*place.ids) == 0
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(done.out.replace('# "mittel"', '"mittel"'))
    done = cli.run("import", sheet, "--mapping", mapping, *place.options)
    assert done.out == "2 imported, 0 refused.\n"
    assert "age must be 1 to 130" in done.err
    found = group_of(client, place)
    assert (found["Groß"].age.value, found["Groß"].income_level) == (47, "Middle")
    assert (found["Groß"].location, found["Ek"].attributes["Alter"]) == ("Köln", "300")


def test_explain_says_of_a_known_layout_what_it_does(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "agent.json"
    file.write_text(json.dumps(people.TINY, indent=1))
    done = cli.run("import", "--explain", file)
    assert 'layout = "tinytroupe"' in done.out
    assert '# occupation = ["{occupation.title}", "{occupation}"]' in done.out
    assert "personality.big_five.openness" in done.out


@pytest.mark.parametrize("columns", ["id,full_name,age", "id,name,age", "id,nick,Age"])
def test_explain_says_what_a_user_said_so_that_it_imports_the_same(
    cli: Cli, tmp_path: Path, columns: str
) -> None:
    sheet, mapping = tmp_path / "people.csv", tmp_path / "mapping.toml"
    sheet.write_text(f"{columns},job\nrow-17,Mira,47,nurse\n")
    name = columns.split(",")[1]
    said = ("--map", f"full_name={name}", "--map", "external_id=", "--map", "age=", "--drop", "job")
    drafted = cli.run("import", "--explain", sheet, *said).out
    assert '"external_id": ' not in drafted
    assert '"age": ' not in drafted.replace('"age": "47"', "")  # which is the attribute
    mapping.write_text(drafted)
    assert cli.run("import", "--explain", sheet, "--mapping", mapping).out == drafted


def test_the_words_of_incomes_that_explain_drafts_are_taken_as_they_are(
    cli: Cli, tmp_path: Path
) -> None:
    sheet, mapping = tmp_path / "people.csv", tmp_path / "mapping.toml"
    sheet.write_text('name,income\nMira,"$20,000 to $39,999"\n')
    word = '"$20,000 to $39,999" = "Middle"'
    drafted = cli.run("import", "--explain", sheet).out
    assert f"# {word}\n" in drafted
    mapping.write_text(drafted.replace(f"# {word}", f'{word}\n"<30KEUR" = "High"'))
    again = cli.run("import", "--explain", sheet, "--mapping", mapping).out
    assert f'\n{word}\n"<30KEUR" = "High"\n' in again
    assert '"income_level": "Middle"' in again


def test_an_income_that_is_no_text_is_explained_as_it_is(cli: Cli) -> None:
    incomes = [{"amount": 5}, ["a"], None, "", 7]
    lines = "".join(json.dumps({"name": "A", "income": income}) + "\n" for income in incomes)
    done = cli.run("import", "--explain", "-", stdin=lines)
    assert (done.code, done.err) == (0, "")
    words = [r'"{\"amount\":5}"', r'"[\"a\"]"', '"7"']
    assert [line for line in done.out.splitlines() if line.endswith('= "Middle"')] == [
        f'# {word} = "Middle"' for word in words
    ]


def test_a_pipe_is_looked_at_and_read_in_one_go(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    done = cli.run("import", "-", *place.options, *NAMED, stdin=SHEET)
    assert done.out == "2 imported, 1 refused.\n"
    packed = gzip.compress(json.dumps([people.NEMOTRON]).encode())
    done = cli.run("import", "-", *place.options, stdin=packed)
    assert done.out == "1 imported, 0 refused.\n", done.err
    assert people.NEMOTRON["uuid"] in group_of(client, place)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--map", "name"), "--map takes FIELD=TEMPLATE"),
        (("--map", "name=x"), "no field 'name'"),
        (("--timezone", "Nowhere/City"), "no time zone 'Nowhere/City'"),
        (("--mapping", "missing.toml"), "missing.toml: No such file"),
        (("--encoding", "utf-99"), "utf-99"),
    ],
)
def test_options_that_are_wrong_are_said(
    cli: Cli, place: Place, sheet: Path, options: tuple[str, ...], why: str
) -> None:
    done = cli.run("import", sheet, *place.options, *options)
    assert (done.code, done.out) == (1, "")
    assert why in done.err


def test_where_to_is_asked_for(cli: Cli, sheet: Path) -> None:
    done = cli.run("import", sheet)
    assert (done.code, "--project" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("command", "row"),
    [
        (("import",), {"full_name": "Ada"}),
        (
            ("responses", "record", "-s", SIMULATION),
            {"persona_id": SIMULATION, "question_key": "q", "text": "Yes."},
        ),
    ],
)
def test_the_list_of_refused_rows_takes_the_place_of_no_input(
    cli: Cli, place: Place, tmp_path: Path, command: tuple[str, ...], row: dict[str, str]
) -> None:
    file, other = tmp_path / "rows.jsonl", tmp_path / "other.jsonl"
    file.write_text(json.dumps(row))
    other.symlink_to(file)
    done = cli.run(*command, file, *place.options, "--refused", other)
    assert (done.code, done.out) == (2, "")
    assert "is a file that is read: name another one" in done.err
    assert file.read_text() == json.dumps(row)


def test_a_list_of_refused_rows_that_cannot_be_written_is_told_before_anything_is_imported(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    file, refused = tmp_path / "people.jsonl", tmp_path / "nowhere" / "refused.jsonl"
    file.write_text('{"full_name": "Ada"}\n')
    done = cli.run("import", file, *place.options, "--refused", refused)
    assert (done.code, done.err) == (1, f"persona: {refused}: No such file or directory\n")
    assert not list(client.list_personas(*place.ids))


def test_a_column_that_is_mistyped_is_told_and_nothing_is_imported(
    cli: Cli, client: PersonaClient, place: Place, sheet: Path
) -> None:
    for options in (("--map", "age=jahr"), ("--drop", "Nr")):
        done = cli.run("import", sheet, *place.options, *NAMED, *options)
        assert done.code == 1
        assert f"has no column {options[1].removeprefix('age=')}" in done.err
        assert "there are name, nr, job" in done.err
    assert not list(client.list_personas(*place.ids))


def test_a_pipe_is_explained_as_a_file_is(cli: Cli, sheet: Path) -> None:
    told = [
        cli.run("import", name, "--explain", *NAMED, stdin=given)
        for name, given in ((str(sheet), None), ("-", sheet.read_text()))
    ]
    assert told[0].out.count("Jon Ek") == told[1].out.count("Jon Ek") > 0
    assert told[0].code == told[1].code

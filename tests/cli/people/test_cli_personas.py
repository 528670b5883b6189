"""`persona list`, `get` and `delete`, and how every command fails."""

import json
import subprocess
import uuid

import pytest
from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient, PersonaGroup
from support.data import persona, rich_persona
from support.service import Service


def test_a_list_is_a_table_or_json_lines(cli: Cli, client: PersonaClient, place: Place) -> None:
    made = client.create_persona(*place.ids, rich_persona(full_name="Zoë [bold]Ní Bhriain"))
    table = cli.run("list", *place.options)
    assert table.code == 0
    row = next(row for row in table.out.splitlines() if made.id in row)
    assert "Zoë [bold]Ní Bhriain" in row
    assert "São Paulo, Brazil" in row
    [listed] = cli.run("list", *place.options, "--json").lines()
    assert listed["full_name"] == "Zoë [bold]Ní Bhriain"
    assert listed["age"] == 34
    assert listed["library_persona_id"] is None
    assert listed["created_at"] == "2023-11-14T22:13:20.123456Z"


def test_json_is_what_rest_answers(
    cli: Cli, client: PersonaClient, place: Place, service: Service
) -> None:
    full = client.create_persona(*place.ids, rich_persona())
    bare = client.create_persona(*place.ids, Persona(full_name="bare"))
    path = f"{service.rest}/api/v1/projects/{place.project_id}/persona-groups/{place.group_id}"
    for made in (full, bare):
        [got] = cli.run("get", made.id, *place.options, "--json").lines()
        rest = subprocess.run(
            ["curl", "-sSH", f"authorization: Bearer {service.token()}",
             f"{path}/personas/{made.id}"],
            check=True, capture_output=True,
        )  # fmt: skip
        assert got == json.loads(rest.stdout)
        assert list(got) == [field.name for field in Persona.DESCRIPTOR.fields]


def test_an_unknown_age_is_shown_as_nothing(cli: Cli, client: PersonaClient, place: Place) -> None:
    """And not as 0, which a wrapper that is unset has for a value."""
    made = client.create_persona(*place.ids, persona(occupation="Nurse"))
    [row] = [line for line in cli.run("list", *place.options).out.splitlines() if made.id in line]
    assert row.removeprefix(made.id).split() == ["Maria", "Santos", "Nurse"]
    shown = cli.run("get", made.id, *place.options).out.splitlines()
    assert ["age"] in [line.split() for line in shown]
    [listed] = cli.run("list", *place.options, "--json").lines()
    assert listed["age"] is None


def test_filters_and_limit(cli: Cli, client: PersonaClient, place: Place) -> None:
    client.batch_create_personas(
        *place.ids,
        (persona(full_name=f"{i}", age=i, gender="ab"[i % 2]) for i in range(1, 121)),
    )

    def names(*options: str) -> list[str]:
        return [p["full_name"] for p in cli.run("list", *place.options, *options, "--json").lines()]

    assert names("--age-min", "119") == ["119", "120"]
    assert names("--gender", "B", "--limit", "2") == ["1", "3"]
    assert len(names()) == len(names("--limit", "0")) == 120
    table = cli.run("list", *place.options)
    assert len(table.out.splitlines()) == 101
    assert "--limit 0" in table.err
    assert len(cli.run("list", *place.options, "--limit", "0").out.splitlines()) == 121


def test_a_persona_is_found_by_its_external_id(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    made = client.create_persona(*place.ids, Persona(full_name="Ana", external_id="crm-7"))
    client.create_persona(*place.ids, Persona(full_name="Bob"))
    for command in (("get",), ("list",), ("export",)):
        as_json = () if command == ("export",) else ("--json",)
        done = cli.run(*command, *place.options, "--external-id", "crm-7", *as_json)
        assert [one["id"] for one in done.lines()] == [made.id]
    missing = cli.run("get", *place.options, "--external-id", "crm-8")
    assert (missing.code, missing.out) == (1, "")
    assert 'external id "crm-8"' in missing.err
    for wrong in ((), (made.id, "--external-id", "crm-7")):
        assert cli.run("get", *wrong, *place.options).code == 2


def test_personas_are_found_by_their_attributes(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    for name, state, party in (("Ana", "AR", "left"), ("Bob", "AR", "=x"), ("Cem", "NE", "left")):
        given = Persona(full_name=name, attributes={"state": state, "party": party})
        client.create_persona(*place.ids, given)

    def names(*options: str) -> list[str]:
        listed = cli.run("list", *place.options, *options, "--json").lines()
        exported = cli.run("export", *place.options, *options).lines()
        assert listed == exported
        return [one["full_name"] for one in listed]

    assert names("--attribute", "state=AR") == ["Ana", "Bob"]
    assert names("--attribute", "state=AR", "--attribute", "party=left") == ["Ana"]
    assert names("--attribute", "party==x") == ["Bob"]
    assert cli.run("library", "list", "--attribute", f"state={uuid.uuid4()}", "--json").out == ""
    for wrong in (("state",), ("a=1", "--attribute", "a=2")):
        assert cli.run("list", *place.options, "--attribute", *wrong).code == 2


def test_personas_are_counted_and_listed_over_all_groups(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    other = client.create_persona_group(place.project_id, PersonaGroup(name="others"))
    for ids in (place.ids, (place.project_id, other.id)):
        client.batch_create_personas(*ids, [Persona(full_name="Ana"), Persona(full_name="Bob")])
    assert cli.run("count", *place.options).out == "2\n"
    counted = cli.run("count", *place.options, "--full-name", "ANA", "--json")
    assert counted.lines() == [{"count": 1}]
    everywhere = ("list", "--project", place.project, "--group", "-", "--json")
    listed = cli.run(*everywhere).lines()
    assert [one["full_name"] for one in listed] == ["Ana", "Bob", "Ana", "Bob"]
    named = cli.run(*everywhere, "--full-name", "bob").lines()
    assert [one["group_id"] for one in named] == [place.group_id, other.id]


def test_a_persona_is_shown_with_all_it_has(cli: Cli, client: PersonaClient, place: Place) -> None:
    made = client.create_persona(*place.ids, rich_persona(attributes={"note": "a\x1b[31mb\nc"}))
    shown = cli.run("get", made.id, *place.options).out
    for text in ("Maria Santos", "curious, careful, warm", "Natura", "2023-11-14T22:13:20.123456Z"):
        assert text in shown
    # What a persona holds can't steer the terminal.
    assert "\x1b" not in shown
    assert r"a\x1b[31mb" in shown


def test_one_or_all_are_deleted(cli: Cli, client: PersonaClient, place: Place) -> None:
    first, *_ = client.batch_create_personas(
        *place.ids, (Persona(full_name=f"{i}") for i in range(5))
    )
    assert cli.run("delete", first.id, *place.options).out == "Deleted 1 persona.\n"
    done = cli.run("delete", first.id, *place.options)
    assert done.code == 1
    assert "[PERSONA_NOT_FOUND]" in done.err
    done = cli.run("delete", "--all", "--yes", *place.options, "--json")
    assert done.lines() == [{"deleted_count": 4}]
    assert client.get_persona_group(*place.ids).persona_count == 0


@pytest.mark.parametrize(
    "words",
    [("delete",), ("delete", str(uuid.uuid4()), "--all", "--yes"), ("list", "--age-min", "x")],
)
def test_a_wrong_use_is_exit_code_2(cli: Cli, place: Place, words: tuple[str, ...]) -> None:
    done = cli.run(*words, *place.options)
    assert (done.code, done.out) == (2, "")


def test_violations_are_listed(cli: Cli, place: Place) -> None:
    done = cli.run(
        "groups", "create", "", "--project", place.project, "--age-min", "9", "--age-max", "3",
        "--gender", "x" * 65,
    )  # fmt: skip
    assert (done.code, done.out) == (1, "")
    first, *rest = done.err.splitlines()
    assert first.startswith("persona: persona_group.name: ")
    assert first.endswith("[INVALID_FIELD]")
    assert [line.split(":")[0] for line in rest] == [
        "  persona_group.name", "  persona_group.age_min", "  persona_group.gender",
    ]  # fmt: skip


def test_a_bad_token_is_one_line(cli: Cli) -> None:
    for token, reason in (("", "UNAUTHENTICATED"), ("none", "UNAUTHENTICATED")):
        cli.environment["PERSONA_TOKEN"] = token
        done = cli.run("projects")
        assert (done.code, len(done.err.splitlines())) == (1, 1)
        assert f"[{reason}]" in done.err


def test_a_missing_scope_is_named(cli: Cli, service: Service, place: Place) -> None:
    cli.environment["PERSONA_TOKEN"] = service.token(scopes="personas:read")
    done = cli.run("projects", "create", "x")
    assert done.code == 1
    assert "[PERMISSION_DENIED]" in done.err
    assert "projects:write" in done.err
    # Ids need no look-up, and so no other scope.
    ids = ("--project", place.project_id, "--group", place.group_id)
    assert cli.run("list", *ids, "--json").code == 0


def test_an_option_stands_over_the_environment(cli: Cli, service: Service) -> None:
    cli.environment["PERSONA_TOKEN"] = "none"
    cli.environment["PERSONA_ADDRESS"] = "127.0.0.1:1"
    words = ("projects", "--address", service.grpc, "--token", service.token())
    assert cli.run(*words).code == 0


def test_no_server_is_one_line_that_says_where(cli: Cli) -> None:
    cli.environment["PERSONA_ADDRESS"] = "127.0.0.1:1"
    done = cli.run("projects")
    assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert "127.0.0.1:1" in done.err


def test_a_reader_that_leaves_is_no_error(cli: Cli, client: PersonaClient, place: Place) -> None:
    personas = (Persona(full_name=f"{i}", digital_habits="x" * 2000) for i in range(1000))
    client.batch_create_personas(*place.ids, personas)
    for command in ("list", "export"):
        options = ("--json",) if command == "list" else ()
        process = cli.start(command, *place.options, *options)
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["full_name"] == "0"
        process.stdout.close()
        assert process.stderr.read() == ""
        process.wait()

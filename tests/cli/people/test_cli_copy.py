"""`persona copy`: personas of one group into another."""

import json
import uuid

from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient, PersonaGroup, Project
from support.data import persona, rich_persona


def names(client: PersonaClient, *ids: str) -> list[str]:
    return [persona.full_name for persona in client.list_personas(*ids)]


def test_a_whole_group_beyond_one_call(cli: Cli, client: PersonaClient, place: Place) -> None:
    client.batch_create_personas(*place.ids, [Persona(full_name=f"{i}") for i in range(1201)])
    other = client.create_persona_group(place.project_id, PersonaGroup(name="others"))
    into = ("--project", place.project, "--group", "others")
    done = cli.run("copy", *into, "--from-group", place.group)
    assert (done.code, done.out, done.err) == (0, "Copied 1201 personas.\n", "")
    assert names(client, place.project_id, other.id) == names(client, *place.ids)


def test_what_filters_match_and_what_is_named(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    """Into a group of another project; --json prints the copies."""
    people = [rich_persona(full_name="a"), persona(full_name="b", age=20), Persona(full_name="c")]
    made = client.batch_create_personas(*place.ids, people)
    project = client.create_project(Project(name=f"Project {uuid.uuid4()}"))
    group = client.create_persona_group(project.id, PersonaGroup(name="copies"))
    into = ("--project", project.id, "--group", group.id)
    origin = ("--from-project", place.project, "--from-group", place.group)
    assert cli.run("copy", *into, *origin, "--age-min", "30").out == "Copied 1 persona.\n"
    done = cli.run("copy", *into, *origin, "--json", made[2].id, made[1].id)
    copies = [json.loads(line) for line in done.out.splitlines()]
    assert [copy["copied_from"] for copy in copies] == [made[2].id, made[1].id]
    assert names(client, project.id, group.id) == ["a", "c", "b"]


def test_what_is_refused(cli: Cli, client: PersonaClient, place: Place) -> None:
    same = cli.run("copy", *place.options, "--from-group", place.group, str(uuid.uuid4()))
    assert (same.code, "source_group_id" in same.err) == (1, True)
    options = (*place.options, "--from-group", place.group, "--age-min", "3")
    assert cli.run("copy", *options, str(uuid.uuid4())).code == 2

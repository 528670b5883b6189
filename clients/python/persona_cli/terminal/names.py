"""Projects and persona groups by name or id."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TypeVar

from persona.v1.project_pb2 import PersonaGroup, Project
from persona.v1.simulation_pb2 import Simulation
from persona_cli.terminal.failures import CommandError, usage_error
from persona_client import PersonaClient, PersonaError
from persona_server.validation.fields import ALL_GROUPS, UUID

Named = TypeVar("Named", Project, PersonaGroup, Simulation)


def project_id(client: PersonaClient, text: str) -> str:
    """Return the id of the project that a name or id means; an id is not looked up.

    Raises CommandError for a name that no project or more than one has.
    """
    if UUID.fullmatch(text):
        return text.lower()
    return _require_named("project", text, client.list_projects(name=text)).id


def group_ids(client: PersonaClient, project: str, group: str) -> tuple[str, str]:
    """Return the ids of a project and of a persona group in it, each by name or id.

    ALL_GROUPS stands for itself.
    """
    parent = project_id(client, project)
    if group == ALL_GROUPS or UUID.fullmatch(group):
        return parent, group.lower()
    held = client.list_persona_groups(parent, name=group)
    return parent, _require_named("persona group", group, held).id


def simulation_ids(client: PersonaClient, project: str, simulation: str) -> tuple[str, str]:
    """Return the ids of a project and of a simulation in it, each by name or id."""
    parent = project_id(client, project)
    if UUID.fullmatch(simulation):
        return parent, simulation.lower()
    named = client.list_simulations(parent, name=simulation)
    return parent, _require_named("simulation", simulation, named).id


def simulation_id(client: PersonaClient, project: str, simulation: str) -> str:
    """Return the id of a simulation by its id, or by its name in a project; "" for "".

    Ends the command for a name without a project; raises CommandError for one that is not there.
    """
    if not simulation or UUID.fullmatch(simulation):
        return simulation.lower()
    if not project:
        raise usage_error(
            f"--simulation must be a UUID, or a name in --project; got {simulation!r}."
        )
    return simulation_ids(client, project, simulation)[1]


@contextmanager
def ensured_group(client: PersonaClient, project: str, group: str) -> Iterator[tuple[str, str]]:
    """Like `group_ids`, but makes a project or group whose name is not there, for a block.

    If that fails and nothing came into what was made, it is deleted again.
    """
    with ExitStack() as undo:
        parent = _ensured_project(client, project, undo)
        ids = parent, _ensured_group(client, parent, group, undo)
        try:
            yield ids
        except BaseException:
            with suppress(PersonaError):
                if not client.get_persona_group(*ids).persona_count:
                    undo.close()
            raise
        finally:
            undo.pop_all()


def _ensured_project(client: PersonaClient, project: str, undo: ExitStack) -> str:
    if UUID.fullmatch(project):
        return project.lower()
    found = _find_named("project", project, client.list_projects(name=project))
    if found is None:
        found = client.create_project(Project(name=project))
        undo.callback(client.delete_project, found.id)
    return found.id


def _ensured_group(client: PersonaClient, parent: str, group: str, undo: ExitStack) -> str:
    if UUID.fullmatch(group):
        return group.lower()
    held = _find_named("persona group", group, client.list_persona_groups(parent, name=group))
    if held is None:
        held = client.create_persona_group(parent, PersonaGroup(name=group))
        undo.callback(client.delete_persona_group, parent, held.id)
    return held.id


def _require_named(kind: str, name: str, resources: Iterable[Named]) -> Named:
    found = _find_named(kind, name, resources)
    if found is None:
        raise CommandError(f'There is no {kind} named "{name}".')
    return found


def _find_named(kind: str, name: str, resources: Iterable[Named]) -> Named | None:
    """Return the one that has a name, and not only in another case; None if none has it."""
    found = [resource for resource in resources if resource.name == name]
    if len(found) > 1:
        ids = ", ".join(resource.id for resource in found)
        raise CommandError(f'{len(found)} {kind}s are named "{name}": name one by its id: {ids}')
    return found[0] if found else None

"""A tenant's export while the tenant goes on, and what it has of what is deleted."""

import uuid

from persona_server.storage.keys import id_text
from persona_server.storage.store import Store
from persona_server.tenant_export import TenantExport
from support.answering.looks import say
from support.answers import answer
from support.data import persona
from support.stored import EMPTY, TENANT, StoredGroup

NOW = 1_900_000_000_000_000


def test_what_is_deleted_since_it_was_listed_is_left_out(store: Store) -> None:
    first, second = StoredGroup(store), StoredGroup(store)  # each in a project of its own
    third = uuid.uuid4().bytes
    with store.writing(TENANT, None) as repositories:
        repositories.groups.insert(third, second.project, EMPTY, repositories.now)
    first.add(persona())
    second.add(persona(), persona())
    found = TenantExport(store, TENANT).contents()["personas"]
    (begun,) = {id_text(second.group)} & {next(found).group_id}  # the newest project first
    with store.writing(TENANT, None) as repositories:
        for group in (first, second):
            repositories.projects.mark_deleted(group.project, NOW)
            repositories.groups.mark_all_deleted(group.project, NOW)
    assert {one.group_id for one in found} <= {begun}


def test_simulations_of_deleted_projects_are_there(store: Store) -> None:
    group, simulation = StoredGroup(store), str(uuid.uuid4())
    (one,) = group.add(persona())
    say(group, answer(id_text(one)), simulation=simulation)
    with store.writing(TENANT, None) as repositories:
        repositories.projects.mark_deleted(group.project, NOW)
        repositories.groups.mark_all_deleted(group.project, NOW)
    contents = TenantExport(store, TENANT).contents()
    assert [each.id for each in contents["simulations"]] == [simulation]
    assert [each.simulation_id for each in contents["responses"]] == [simulation]
    assert list(contents["projects"]) == list(contents["personas"]) == []

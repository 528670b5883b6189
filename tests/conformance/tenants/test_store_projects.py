"""Projects and groups as every engine must keep them."""

import uuid

import pytest

from persona_server.services.paging import NEWEST
from persona_server.storage import keys
from persona_server.storage.repositories.groups import Head
from persona_server.storage.store import Store
from support.probe import Probe
from support.stored import EMPTY, StoredGroup, read


def ordered_ids(count: int) -> list[bytes]:
    return sorted(uuid.uuid4().bytes for _ in range(count))


def missing(head: Head) -> str:
    """Return which parent a head found missing, outermost first."""
    if not head.project:
        return "project"
    return "group" if head.set_id is None else ""


def test_project_is_found_as_inserted(store: Store) -> None:
    project = uuid.uuid4().bytes
    with store.writing("acme", None) as change:
        change.projects.insert(project, "Name", "Text", 77)
    stored = read(store)
    found = stored.projects.find(project)
    assert found is not None
    assert found == (project, "Name", "Text", 77, 77, None, 0)
    assert stored.projects.exists(project)


def test_projects_come_newest_first_and_ties_by_id_descending(store: Store) -> None:
    low, middle, high = ordered_ids(3)
    with store.writing("acme", None) as change:
        for project, now in ((middle, 5), (high, 4), (low, 5)):
            change.projects.insert(project, "Name", "", now)
    stored = read(store)
    page = stored.projects.page(NEWEST, 10)
    assert [row.id for row in page] == [middle, low, high]
    rest = stored.projects.page(keys.position(5, middle), 10)
    assert [row.id for row in rest] == [low, high]
    assert [row.id for row in stored.projects.page(NEWEST, 2)] == [middle, low]


def test_groups_come_newest_first_and_ties_by_id_descending(store: Store) -> None:
    project = uuid.uuid4().bytes
    low, middle, high = ordered_ids(3)
    with store.writing("acme", None) as change:
        change.projects.insert(project, "Name", "", 1)
        for group, now in ((middle, 5), (high, 4), (low, 5)):
            change.groups.insert(group, project, EMPTY, now)
    stored = read(store)
    page = stored.groups.page(project, NEWEST, 10)
    assert [row.id for row in page] == [middle, low, high]
    rest = stored.groups.page(project, keys.position(5, low), 10)
    assert [row.id for row in rest] == [high]


def test_deleted_project_stays_but_is_not_shown(store: Store, group: StoredGroup) -> None:
    with store.writing("acme", None) as change:
        assert change.projects.mark_deleted(group.project, 9)
        assert not change.projects.mark_deleted(group.project, 10)
        change.projects.update(group.project, "Other", "", 11)
    stored = read(store)
    assert not stored.projects.exists(group.project)
    assert stored.projects.page(NEWEST, 10) == []
    found = stored.projects.find(group.project)
    assert found is not None
    assert (found.name, found.deleted_at) == ("Project", 9)


def test_project_counts_the_groups_that_it_shows(store: Store, group: StoredGroup) -> None:
    other = uuid.uuid4().bytes
    with store.writing("acme", None) as change:
        change.groups.insert(other, group.project, EMPTY, 1)
    stored = read(store)
    found = stored.projects.find(group.project)
    assert found is not None
    assert found.group_count == 2
    with store.writing("acme", None) as change:
        locked = change.groups.lock(group.project, other)
        assert locked is not None
        change.groups.mark_deleted(other, locked.set_id, 3)
        change.groups.mark_deleted(other, locked.set_id, 4)  # changes nothing
    stored = read(store)
    found = stored.projects.find(group.project)
    assert found is not None
    assert found.group_count == 1
    with store.writing("acme", None) as change:
        change.groups.mark_all_deleted(group.project, 5)
    found = read(store).projects.find(group.project)
    assert found is not None
    assert found.group_count == 0


def test_head_names_the_outermost_missing_parent(store: Store, group: StoredGroup) -> None:
    unknown = uuid.uuid4().bytes
    stored = read(store)
    groups = stored.groups
    assert missing(groups.head(unknown, group.group)) == "project"
    assert missing(groups.head(group.project, unknown)) == "group"
    assert groups.head(group.project, group.group).set_id is not None
    assert groups.lock(unknown, group.group) is None
    assert groups.lock(group.project, unknown) is None


def test_group_of_another_project_is_not_found_under_this_one(store: Store) -> None:
    one, other = StoredGroup(store), StoredGroup(store)
    stored = read(store)
    assert missing(stored.groups.head(one.project, other.group)) == "group"
    assert stored.groups.lock(one.project, other.group) is None


def test_deleting_a_group_marks_it_and_its_set_alone(store: Store, group: StoredGroup) -> None:
    other = StoredGroup(store)
    set_id = group.set_id
    with store.writing("acme", None) as change:
        change.groups.mark_deleted(group.group, set_id, 9)
    assert missing(group.head()) == "group"
    assert other.head().set_id is not None
    stored = read(store)
    found = stored.groups.find(group.group)
    assert found is not None
    assert found.deleted_at == 9
    marks = Probe(store).rows("persona_set", "id", "dropped_at")
    assert [mark for mark in marks if mark[1] is not None] == [(set_id, 9)]


def test_deleting_a_project_marks_its_groups_and_their_sets(store: Store) -> None:
    one, other = StoredGroup(store), StoredGroup(store)
    second = uuid.uuid4().bytes
    with store.writing("acme", None) as change:
        change.groups.insert(second, one.project, EMPTY, 1)
        change.projects.mark_deleted(one.project, 9)
        assert change.groups.mark_all_deleted(one.project, 9) == 0
    stored = read(store)
    assert stored.groups.page(one.project, NEWEST, 10) == []
    assert len(stored.groups.page(other.project, NEWEST, 10)) == 1
    assert Probe(store).count("persona_set", dropped_at=9) == 2


@pytest.mark.parametrize("text", ["a\tb\n", "Ünï 𝒞 🙂", "x" * 4096])
def test_texts_come_back_as_they_went_in(store: Store, text: str) -> None:
    project = uuid.uuid4().bytes
    with store.writing("acme", None) as change:
        change.projects.insert(project, "Name", text, 1)
    stored = read(store)
    found = stored.projects.find(project)
    assert found is not None
    assert found.description == text


def test_times_are_64_bit_and_may_be_of_the_year_9999(store: Store) -> None:
    project, last = uuid.uuid4().bytes, 253_402_300_799_999_999
    with store.writing("acme", None) as change:
        change.projects.insert(project, "Name", "", last)
    stored = read(store)
    assert [row.created_at for row in stored.projects.page(NEWEST, 1)] == [last]

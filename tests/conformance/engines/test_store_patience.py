"""Statements end when nobody waits for them: what they were part of is absent, and all goes on."""

from collections.abc import Iterator

import pytest

from persona_server import patience
from persona_server.errors import ServiceError
from persona_server.storage.store import Store
from support.data import persona
from support.probe import Probe
from support.stored import StoredGroup

FOR_AGES = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) "
    "SELECT COUNT(*) FROM n"
)


@pytest.fixture(autouse=True)
def nobody_afterwards() -> Iterator[None]:
    yield
    patience.end()


def leave() -> None:
    patience.begin(None, lambda: True)


def leave_and_query(store: Store) -> None:
    leave()
    store.database.execute_sql(FOR_AGES).fetchall()


def test_a_read_ends(store: Store) -> None:
    with pytest.raises(ServiceError) as ended, store.reading("acme"):
        leave_and_query(store)
    assert ended.value.reason_name == "DEADLINE_EXCEEDED"


def test_a_snapshot_ends_and_the_next_one_is_new(store: Store, group: StoredGroup) -> None:
    with pytest.raises(ServiceError) as ended, store.snapshot(group.tenant):
        leave_and_query(store)
    assert ended.value.reason_name == "DEADLINE_EXCEEDED"
    group.add(persona())
    with store.snapshot(group.tenant):
        assert group.count() == 1


def test_a_write_is_absent(store: Store, group: StoredGroup) -> None:
    def write() -> None:
        with store.writing(group.tenant, None) as repositories:
            group.add_in(repositories, persona())
            leave_and_query(store)

    with pytest.raises(ServiceError) as ended:
        write()
    assert ended.value.reason_name == "DEADLINE_EXCEEDED"
    assert group.count() == Probe(store).count("persona") == 0
    group.add(persona())
    assert group.count() == 1


def test_a_writer_whose_caller_left_while_it_waited_does_nothing(store: Store) -> None:
    entered = False
    leave()
    with pytest.raises(ServiceError) as ended, store.writing("acme", None):
        entered = True
    assert ended.value.reason_name == "DEADLINE_EXCEEDED"
    assert not entered

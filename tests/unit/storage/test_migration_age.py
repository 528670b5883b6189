"""0009: ages that were numbers, 0 for unknown, become what this version would have stored."""

from pathlib import Path
from typing import Any

import apsw
import peewee
import pytest

from persona_server.storage.store import Store, open_store
from support.data import persona, rich_persona
from support.databases.older import insert_rows, marked, older_database, older_row, shelve
from support.stored import StoredGroup, rows

BEFORE = "0008_library_orders"
TABLES = (
    "tenant", "project", "persona_group", "persona_set", "persona", "library_persona",
    "idempotency", "tenant_usage",
)  # fmt: skip
AGES = (None, 1, 34, 127, 128, 130)
CHUNK = 500


def filled(store: Store) -> StoredGroup:
    """Store personas of every age and of lengths around those at which a length grows."""
    group = StoredGroup(store)
    people = [rich_persona(age=age) for age in AGES]
    people += [persona(age=34, psychographic_notes="x" * n) for n in (*range(30), *range(120))]
    people += [persona(age=130, attributes={"k": "x" * n}) for n in range(16_230, 16_260)]
    group.add(*people)
    for _ in range(2):  # more than a chunk
        group.add(*[persona(age=1 + i % 130) for i in range(CHUNK)])
    assert group.hide(group.add(persona(age=7))[0])
    shelve(group, rich_persona(age=34))
    shelve(group, rich_persona(age=None))
    return group


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    return {table: rows(store, f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608


def test_what_the_version_before_stored_is_what_this_one_would_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row, the longest of a group and the bytes of a tenant included; guards hold again."""
    new = open_store(tmp_path / "new")
    filled(new)
    expected = everything(new)
    new.close()
    database = older_database(tmp_path / "old", BEFORE, monkeypatch)
    for table, found in expected.items():
        insert_rows(database, table, [older_row(table, row) for row in found])
    database.execute_sql(
        "UPDATE tenant_usage SET stored_bytes = (SELECT sum(length(framed)) FROM persona)"
    )
    database.execute_sql(
        "UPDATE persona_group SET max_framed = (SELECT max(length(framed)) FROM persona)"
    )
    database.close_all()
    store = open_store(tmp_path / "old")
    try:
        assert everything(store) == {
            table: [marked(table, row) for row in found] for table, found in expected.items()
        }
        for sql in ("UPDATE persona SET framed = x''", "UPDATE library_persona SET body = x''"):
            with pytest.raises((apsw.Error, peewee.PeeweeException)):
                store.database.execute_sql(sql)
    finally:
        store.close()


def test_bytes_of_an_age_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = older_database(tmp_path / "old", BEFORE, monkeypatch)
    one = bytes(16)
    for sql, values in (
        ("INSERT INTO tenant VALUES (7, 'acme', 1)", ()),
        ("INSERT INTO project VALUES (7, ?, 'P', '', 1, 1, NULL, 1)", (one,)),
        ("INSERT INTO persona_group VALUES (7, ?, ?, 1, 2, 0, 1, 9, x'', 1, 1, NULL)", (one, one)),
        ("INSERT INTO persona_set VALUES (7, 1, ?, NULL, NULL)", (one,)),
        (
            "INSERT INTO persona VALUES (7, 1, 130, ?, ?, '', '', '', '', ?, NULL, NULL)",
            (bytes(24), one, b"\x0a\x08\x22\x03Ada\x28\x82\x01"),
        ),
    ):
        database.execute_sql(sql, values)
    database.close_all()
    store = open_store(tmp_path / "old")
    try:
        (found,) = rows(store, "SELECT framed, age FROM persona")
        assert found == (b"\x0a\x0a\x22\x03Ada\x2a\x03\x08\x82\x01", 130)
        assert rows(store, "SELECT max_framed FROM persona_group") == [(12,)]
    finally:
        store.close()

"""0010: library personas of the version before become what this version would have stored."""

from pathlib import Path
from typing import Any

import apsw
import peewee
import pytest

from persona.v1.library_pb2 import LibraryPersona
from persona.v1.library_service_pb2 import PromotePersonaResponse
from persona_server.services.framing import ELEMENT, frame
from persona_server.storage.store import Store, open_store
from support.data import rich_persona
from support.databases.older import (
    insert_rows,
    marked,
    older_database,
    older_library_persona,
    shelve,
)
from support.stored import StoredGroup, rows

BEFORE = "0009_age"
TABLES = (
    "tenant", "project", "persona_group", "persona_set", "persona", "library_persona",
    "idempotency",
)  # fmt: skip


def older(library: LibraryPersona) -> bytes:
    profile = library.profile.SerializeToString(deterministic=True)
    return older_library_persona(library, profile)


def older_row(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row as the version before wrote it."""
    if table == "library_persona":
        return (*row[:11], older(LibraryPersona.FromString(row[11])), *row[12:])
    if table == "idempotency" and row[1] != "CreatePersona":
        held = PromotePersonaResponse.FromString(row[4]).library_persona
        return (*row[:4], frame(ELEMENT, older(held)), *row[5:])
    return row


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    return {table: rows(store, f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608


def test_what_the_version_before_stored_is_what_this_one_would_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the persona that was promoted is there or was deleted; guards hold again."""
    new = open_store(tmp_path / "new")
    group = StoredGroup(new)
    for number in (*range(15_540, 15_545), *range(501)):
        origin = shelve(group, rich_persona(attributes={"k": "x" * number}))
        if number % 2:
            assert group.hide(origin)
    expected = everything(new)
    new.close()
    database = older_database(tmp_path / "old", BEFORE, monkeypatch)
    for table, found in expected.items():
        insert_rows(database, table, [older_row(table, row) for row in found])
    database.close_all()
    store = open_store(tmp_path / "old")
    try:
        assert everything(store) == {
            table: [marked(table, row) for row in found] for table, found in expected.items()
        }
        with pytest.raises((apsw.Error, peewee.PeeweeException)):
            store.database.execute_sql("UPDATE library_persona SET body = x''")
    finally:
        store.close()

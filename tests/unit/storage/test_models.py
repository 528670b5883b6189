"""The Peewee models, from which statements are built, against the schema that migrations make."""

from collections.abc import Iterator
from typing import Any

import peewee
import pytest

from persona_server.storage import tables
from persona_server.storage.store import Store, open_store
from support.stored import rows

MODELS: list[Any] = list(tables.ALL)
KINDS = {
    peewee.BigIntegerField: "INTEGER",
    peewee.IntegerField: "INTEGER",
    peewee.TextField: "TEXT",
    peewee.BlobField: "BLOB",
    peewee.FloatField: "REAL",
}
# Such a table may have no second index, or SQLite searches it by the tenant alone.
WITHOUT_ROWID = {
    "answered",
    "asked",
    "import_batch",
    "library_term",
    "persona_term",
    "piece",
    "promotion",
    "response_void",
    "series",
    "simulation_void",
    "sums",
    "tally",
    "voiding",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A database as the migrations make it."""
    opened = open_store(tmp_path_factory.mktemp("schema") / "data")
    yield opened
    opened.close()


def live_tables(store: Store) -> dict[str, str]:
    found = rows(store, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
    return {name: sql for name, sql in found if not name.startswith("sqlite_")}


def history_table(store: Store) -> str:
    """Return the name of the migration runner's own table."""
    (name,) = set(live_tables(store)) - {model._meta.table_name for model in MODELS}
    return name


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.__name__))
def test_model_has_the_columns_of_its_table(store: Store, model: Any) -> None:
    name = model._meta.table_name
    live = {
        column: (kind, bool(required) or bool(key), key)
        for _, column, kind, required, _, key in rows(store, f"PRAGMA table_info({name})")
    }
    keys = [field.column_name for field in model._meta.get_primary_keys()]
    modelled = {
        field.column_name: (
            KINDS[type(field)],
            not field.null,
            keys.index(field.column_name) + 1 if field.column_name in keys else 0,
        )
        for field in model._meta.sorted_fields
    }
    # An INTEGER PRIMARY KEY is the rowid, and BigAutoField's only difference is the name.
    assert modelled == live


def test_every_table_has_a_model(store: Store) -> None:
    names = {model._meta.table_name for model in MODELS}
    assert len(set(live_tables(store)) - names) == 1  # the migration history
    assert names <= set(live_tables(store))


def test_the_tenants_key_leads_every_key_and_every_index(store: Store) -> None:
    history = history_table(store)
    for table in live_tables(store):
        if table in ("tenant", "secret", history):
            continue
        for _, index, *_ in rows(store, f"PRAGMA index_list({table})"):
            first = rows(store, f"PRAGMA index_info({index})")[0]
            assert first[2] == "tenant_id", index


def test_foreign_keys_carry_the_tenant(store: Store) -> None:
    for table in live_tables(store):
        keys: dict[int, list[tuple[str, str]]] = {}
        for number, _, parent, column, *_ in rows(store, f"PRAGMA foreign_key_list({table})"):
            keys.setdefault(number, []).append((parent, column))
        for columns in keys.values():
            assert "tenant_id" in [column for _, column in columns], (table, columns)


def test_foreign_keys_never_set_null(store: Store) -> None:
    for table in live_tables(store):
        for key in rows(store, f"PRAGMA foreign_key_list({table})"):
            assert key[5] == "NO ACTION"
            assert key[6] in ("NO ACTION", "CASCADE")


def test_tables_are_strict(store: Store) -> None:
    """An id stored as text would silently never equal the same bytes."""
    history = history_table(store)
    strict = {
        name: bool(flag) for _, name, kind, _, _, flag in rows(store, "PRAGMA table_list") if kind
    }
    assert all(strict[table] for table in live_tables(store) if table != history)


def test_only_a_table_without_a_second_index_is_without_rowid(store: Store) -> None:
    found = {
        name for _, name, _, _, without, _ in rows(store, "PRAGMA table_list") if without
    } & set(live_tables(store))
    assert found == WITHOUT_ROWID
    for table in found:
        origins = [row[3] for row in rows(store, f"PRAGMA index_list({table})")]
        assert origins == ["pk"]


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("page_size", 8192),
        ("encoding", "UTF-8"),
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("recursive_triggers", 1),
        ("wal_autocheckpoint", 1000),
        ("journal_size_limit", 16 << 20),
        ("mmap_size", 0),
        ("auto_vacuum", 2),
    ],
)
def test_setting_of_the_database(store: Store, pragma: str, value: object) -> None:
    assert rows(store, f"PRAGMA {pragma}") == [(value,)]

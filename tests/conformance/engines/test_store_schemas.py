"""Both engines have the same tables, so what one migrates the other does."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from persona_server.storage.migrate import MIGRATIONS
from persona_server.storage.store import Store, open_store
from support.postgresql import Cluster
from support.probe import Probe

# What a type of SQLite is in PostgreSQL.
TYPES = {"INTEGER": "bigint", "BLOB": "bytea", "TEXT": "text", "REAL": "double precision"}
HISTORY = "schema_migration"  # Peewee's own
BASELINE = 18  # the number of the migration up to which PostgreSQL's tables are made at once

_COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
    "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
)
_CONSTRAINTS = (
    "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace"
)
_INDEXES = (
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' "
    "AND indexname NOT IN (SELECT conname FROM pg_constraint)"
)
_GUARDS = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"


class Column(NamedTuple):
    """A column as both engines have it."""

    name: str
    type: str
    nullable: bool


class Reference(NamedTuple):
    """A foreign key."""

    columns: tuple[str, ...]
    table: str
    others: tuple[str, ...]


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    store = open_store(tmp_path_factory.mktemp("schema") / "data")
    yield Probe(store)
    store.close()


@pytest.fixture(scope="module")
def postgresql(cluster: Cluster) -> Iterator[Probe]:
    store: Store = open_store(cluster.migrated())
    yield Probe(store)
    store.close()


def tables(sqlite: Probe) -> list[str]:
    found = sqlite.ask("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return [name for (name,) in found if name != HISTORY and not name.startswith("sqlite_")]


def test_tables_have_the_same_columns_in_the_same_order(sqlite: Probe, postgresql: Probe) -> None:
    expected = {
        table: [
            Column(name, TYPES[kind], not required and not key)
            for _, name, kind, required, _, key in sqlite.ask(f"PRAGMA table_info({table})")
        ]
        for table in tables(sqlite)
    }
    found: dict[str, list[Column]] = {}
    for table, name, kind, nullable in postgresql.ask(_COLUMNS):
        found.setdefault(table, []).append(Column(name, kind, nullable == "YES"))
    del found[HISTORY]
    assert found == expected


def test_keys_and_references_are_the_same(sqlite: Probe, postgresql: Probe) -> None:
    keys, references = {}, set()
    for table in tables(sqlite):
        columns = sqlite.ask(f"PRAGMA table_info({table})")
        keys[table] = tuple(row[1] for row in sorted(columns, key=lambda row: row[5]) if row[5])
        named: dict[int, list[tuple[str, ...]]] = {}
        for number, _, other, here, there, *_ in sqlite.ask(f"PRAGMA foreign_key_list({table})"):
            named.setdefault(number, []).append((other, here, there))
        for pairs in named.values():
            here, there = (tuple(pair[i] for pair in pairs) for i in (1, 2))
            references.add((table, Reference(here, pairs[0][0], there)))
    found = postgresql.ask(_CONSTRAINTS)
    primary = {t: listed(d) for t, d in found if d.startswith("PRIMARY KEY") and t != HISTORY}
    assert primary == keys
    assert {(t, reference(d)) for t, d in found if d.startswith("FOREIGN KEY")} == references


def test_indexes_are_the_same_but_for_what_they_carry_along(
    sqlite: Probe, postgresql: Probe
) -> None:
    """An index of SQLite has as keys what one of PostgreSQL includes behind them."""
    sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
    expected = {name: (listed(text), where(text)) for name, text in sqlite.ask(sql)}
    found = {}
    for table, text in postgresql.ask(_INDEXES):
        if table != HISTORY:
            name = text.split(" INDEX ")[1].split(" ")[0]
            keys, _, carried = text.partition(" INCLUDE ")
            found[name] = (listed(keys) + (listed(carried) if carried else ()), where(text))
    expected = {name: each for name, each in expected.items() if not name.startswith(HISTORY)}
    assert found == expected


def test_what_sqlite_guards_is_guarded(sqlite: Probe, postgresql: Probe) -> None:
    """A replace is an upsert here, which an update's guard refuses; and a table can be emptied."""
    names = {n for (n,) in sqlite.ask("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    guarded = {name for name in names if not name.endswith("_replace")}
    found = {name for (name,) in postgresql.ask(_GUARDS)}
    assert found >= guarded
    assert {name for name in found if not name.endswith("_truncate")} == guarded


def test_later_migrations_are_written_for_both() -> None:
    def later(folder: Path) -> set[str]:
        names = {path.stem for path in folder.glob("[0-9]*.py")}
        return {name for name in names if int(name[:4]) > BASELINE}

    assert later(MIGRATIONS) == later(MIGRATIONS / "postgresql")


def listed(text: str) -> tuple[str, ...]:
    """Return the names in the first parentheses."""
    found = re.search(r"\(([^)]*)\)", text)
    assert found is not None
    return tuple(name.strip().strip('"') for name in found[1].split(","))


def where(text: str) -> str:
    """Return the condition of an index, without what each engine adds to it."""
    _, _, condition = text.partition(" WHERE ")
    return re.sub(r"::\w+|[()]", "", " ".join(condition.split()))


def reference(text: str) -> Reference:
    """Return a foreign key as it is written."""
    here, _, there = text.partition(" REFERENCES ")
    return Reference(listed(here), there.split("(")[0], listed(there))

"""R17: a migration killed at any step leaves the old schema or the new one, with every row."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from persona_server.storage import migrate
from persona_server.storage.copying.tables import parents_first
from persona_server.storage.engine.postgresql.database import PostgresqlDatabase
from persona_server.storage.migrate import FIRST
from persona_server.storage.store import open_store
from support.answering.erasing import everywhere
from support.databases.migrant import AT_COMMIT, MIGRANTS
from support.databases.migrating import migrant
from support.databases.older import FIRST_TABLES, older_database, populate_first
from support.dbfile import connection
from support.postgresql import Cluster
from support.service import PERSONA
from support.waiting import LIMIT

BEFORE = 18  # the number of the migration that the oldest released database has
STRIDE = 15  # of the steps that are many
NEVER = 1_000_000  # a step that none comes to
SCHEMA = (
    "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
    "WHERE table_schema = 'public'",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace",
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT name FROM schema_migration",
)


Rows = dict[str, list[tuple[object, ...]]]


def schema(url: str) -> list[list[tuple[object, ...]]]:
    """Return all that a database's tables are, if it has any."""
    with psycopg.connect(url) as beside:
        if beside.execute("SELECT to_regclass('schema_migration')").fetchone() == (None,):
            return []
        return [sorted(beside.execute(sql.encode()).fetchall(), key=repr) for sql in SCHEMA]


class Older(NamedTuple):
    """A database with rows, of the version before; `columns` are those of its tables."""

    url: str
    columns: dict[str, str]

    def rows(self, url: str) -> Rows:
        """Return what a database has in the columns that there were before."""
        with psycopg.connect(url) as beside:
            asked = {t: f"SELECT {names} FROM {t}" for t, names in self.columns.items()}  # noqa: S608 (ours)
            return {t: sorted(beside.execute(s.encode()), key=repr) for t, s in asked.items()}


@pytest.fixture(scope="module")
def older(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Older:
    """A database as the version of `BEFORE` had it, with rows in most of its tables."""
    url, current = cluster.database(), cluster.migrated()
    folder = tmp_path_factory.mktemp("older")
    (folder / "postgresql").mkdir()
    for path in (migrate.MIGRATIONS / "postgresql").glob("[0-9]*.py"):
        if int(path.name[:4]) <= BEFORE:
            (folder / "postgresql" / path.name).write_text(path.read_text())
    database = PostgresqlDatabase(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "MIGRATIONS", folder)
        migrate.migrate(database)
    order = [model._meta.table_name for model in parents_first(database)]
    database.close_all()
    with closing(open_store(current)) as store:
        everywhere(store)
    return Older(url, copied(current, url, order))


def copied(source: str, target: str, tables: list[str]) -> dict[str, str]:
    """Copy the rows of tables, as far as the target has their columns; return these."""
    columns = {}
    with psycopg.connect(source) as there, psycopg.connect(target) as here:
        for table in tables:
            known = here.execute(
                "SELECT string_agg(column_name, ', '), string_agg('%%s', ', ') "
                "FROM information_schema.columns WHERE table_name = %s",
                (table,),
            ).fetchone()
            if known is None or known[0] is None:  # it came later
                continue
            columns[table], marks = known
            select = f"SELECT {known[0]} FROM {table}"  # noqa: S608 (ours)
            rows = there.execute(select.encode()).fetchall()
            insert = f"INSERT INTO {table} ({known[0]}) VALUES ({marks})"  # noqa: S608 (ours)
            here.cursor().executemany(insert.encode(), rows)
    return columns


@pytest.fixture
def populated(cluster: Cluster, older: Older) -> Iterator[str]:
    """Where a copy of it is."""
    url = cluster.database(template=older.url)
    yield url
    cluster.drop(url)


@pytest.fixture(scope="module")
def new(cluster: Cluster) -> list[list[tuple[object, ...]]]:
    """The schema of this version, as it is made at once."""
    return schema(cluster.migrated())


def test_killed_at_any_step_it_leaves_all_as_it_was(
    older: Older, populated: str, new: list[list[tuple[object, ...]]]
) -> None:
    before, rows = schema(populated), older.rows(populated)
    assert sum(1 for found in rows.values() if found) > 20
    with migrant(populated) as process:
        for step in count():
            if process.tell(step) == [0]:
                break
            assert (schema(populated), older.rows(populated)) == (before, rows)
    assert step > 5
    assert schema(populated) == new != before
    assert older.rows(populated) == rows


def test_killed_at_its_end_it_leaves_the_old_or_the_new(
    older: Older, populated: str, new: list[list[tuple[object, ...]]]
) -> None:
    before, rows = schema(populated), older.rows(populated)
    with migrant(populated) as process:
        assert process.tell(AT_COMMIT) == [9]
        assert schema(populated) in (before, new)
        assert older.rows(populated) == rows
        assert process.tell(NEVER) == [0]
    assert schema(populated) == new
    assert older.rows(populated) == rows


def test_killed_while_it_makes_the_tables_it_leaves_none(
    cluster: Cluster, new: list[list[tuple[object, ...]]], rounds: Callable[[int, int], int]
) -> None:
    url = cluster.database()
    with migrant(url) as process:
        for step in count(0, rounds(STRIDE, 1)):
            if process.tell(step) == [0]:
                break
            assert schema(url) == []
    assert step > 100
    assert schema(url) == new


def test_of_ten_that_migrate_at_once_one_does(
    older: Older, populated: str, new: list[list[tuple[object, ...]]]
) -> None:
    rows = older.rows(populated)
    with migrant(populated) as process:
        assert process.tell("all") == [0] * MIGRANTS
    assert schema(populated) == new
    assert older.rows(populated) == rows


def test_none_migrates_beneath_a_server(
    older: Older, populated: str, new: list[list[tuple[object, ...]]]
) -> None:
    """Which would go on by the schema of before."""
    before = schema(populated)
    assert before != new
    server = PostgresqlDatabase(populated)
    server.rows("SELECT 1", ())  # it keeps the connection
    refused = persona_migrate(populated)
    assert (refused.returncode, schema(populated)) == (1, before)
    assert "A server or another command is using" in refused.stderr
    server.close_all()
    assert persona_migrate(populated).returncode == 0
    assert schema(populated) == new


def persona_migrate(url: str) -> "subprocess.CompletedProcess[str]":
    """Run the command on a database."""
    command = [str(PERSONA), "migrate", "--database", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)


def test_a_file_killed_at_any_step_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: Callable[[int, int], int]
) -> None:
    """From the first version on, through all that came since."""
    data = tmp_path / "data"
    database = older_database(data, FIRST, monkeypatch)
    populate_first(database)
    database.close_all()
    before, rows = file_schema(data), file_rows(data)
    with migrant(data) as process:
        for step in count(0, rounds(STRIDE, 1)):
            if process.tell(step) == [0]:
                break
            assert (file_schema(data), file_rows(data)) == (before, rows)
    assert step > 100
    open_store(tmp_path / "new").close()
    assert file_schema(data) == file_schema(tmp_path / "new") != before
    for table, kept in file_rows(data).items():
        widths = [len(row) for row in rows[table]]
        assert [row[:width] for row, width in zip(kept, widths, strict=True)] == rows[table]


def file_schema(data: Path) -> list[tuple[object, ...]]:
    """Return all that a file's tables are, but for the order of what is added to one."""
    with connection(data) as beside:
        objects = list(beside.execute("SELECT type, name FROM sqlite_schema ORDER BY name"))
        columns = beside.execute(
            'SELECT t.name, c.name, c.type, c."notnull", c.pk FROM sqlite_schema t '
            "JOIN pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.cid"
        )
        return [*objects, *columns]


def file_rows(data: Path) -> Rows:
    """Return the rows of the tables that every version has."""
    with connection(data) as beside:
        return {
            table: sorted(beside.execute(f"SELECT * FROM {table}"), key=repr)  # noqa: S608 (ours)
            for table in FIRST_TABLES
        }

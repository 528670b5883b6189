"""Read, and where a test says so damage, the database of a service from outside of it.

It is a file, or where the tests are asked for PostgreSQL, a database of that.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import psycopg

from persona_server.storage.engine.folder import FILE_NAME
from persona_server.storage.keys import id_bytes, id_text
from support.service import where


class AuditRow(NamedTuple):
    """One row of the audit trail, its ids as text ("" where there is none)."""

    id: int
    at: int
    actor: str
    method: str
    project_id: str
    group_id: str
    persona_id: str
    persona_count: int | None
    request_id: str
    simulation_id: str
    response_count: int | None
    library_persona_id: str
    peer: str | None


_AUDIT = ", ".join(AuditRow._fields)
_IDS = (
    "project_id",
    "group_id",
    "persona_id",
    "request_id",
    "simulation_id",
    "library_persona_id",
)


@contextmanager
def connection(data: Path) -> Iterator[Any]:
    """Open the database beside the service for a block, to `execute` what it understands."""
    place = where(data)
    if not isinstance(place, Path):
        with psycopg.connect(place, autocommit=True) as served:
            yield served
        return
    opened = apsw.Connection(str(data / FILE_NAME), flags=apsw.SQLITE_OPEN_READWRITE)
    opened.set_busy_timeout(10_000)
    try:
        yield opened
    finally:
        opened.close()


class DatabaseFile:
    """What is in the file, read through one connection."""

    _ORDERS: int | None = 3  # columns that order the rows of any table
    _VERSION = "SELECT data_version, total_changes() FROM pragma_data_version"
    _COLUMNS = (
        "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c "
        "WHERE t.type = 'table' ORDER BY t.name, c.cid"
    )

    def __init__(self, opened: Any) -> None:
        self._opened = opened
        self._columns: dict[str, list[str]] = {}
        for table, column in self.rows(self._COLUMNS):
            self._columns.setdefault(table, []).append(column)
        self._all = sorted(self._columns)
        self.tables = sorted(n for n, columns in self._columns.items() if "tenant_id" in columns)
        self._hashed: dict[tuple[str, tuple[str, ...]], tuple[Any, str]] = {}

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return list(self._opened.execute(sql, values))

    def is_sound(self) -> bool:
        """Return whether nothing in the file is damaged, and rows refer to what is there."""
        return self.rows("PRAGMA integrity_check") == [("ok",)] and not self.rows(
            "PRAGMA foreign_key_check"
        )

    def value(self, sql: str, *values: Any) -> Any:
        return self.rows(sql, *values)[0][0]

    def tenant(self, name: str) -> int:
        """Return a tenant's key, 0 if it has none yet."""
        found = self.rows("SELECT id FROM tenant WHERE name = ?", name)
        return found[0][0] if found else 0

    def audit(self, tenant: str, request_id: str = "") -> list[AuditRow]:
        """Return a tenant's audit trail in its order, all of it or that of one request_id."""
        sql = f"SELECT {_AUDIT} FROM audit WHERE tenant_id = ?"  # noqa: S608 (ours)
        values: list[Any] = [self.tenant(tenant)]
        if request_id:
            sql, values = f"{sql} AND request_id = ?", [*values, id_bytes(request_id)]
        return [_audit_row(AuditRow(*row)) for row in self.rows(f"{sql} ORDER BY id", *values)]

    def fingerprint(self, tenant: str, without: tuple[str, ...] = ()) -> str:
        """Return a hash over every row that a tenant has, but for some tables.

        Nothing is read again as long as nobody has written.
        """
        version = self.rows(self._VERSION)
        if (tenant, without) not in self._hashed or self._hashed[tenant, without][0] != version:
            self._hashed[tenant, without] = version, self._hash(tenant, without)
        return self._hashed[tenant, without][1]

    def _hash(self, tenant: str, without: tuple[str, ...]) -> str:
        key, digest = self.tenant(tenant), hashlib.sha256()
        for table in self.tables:
            if table not in without:
                columns = self._columns[table]
                everything, first = ", ".join(columns), ", ".join(columns[: self._ORDERS])
                order = f"SELECT {everything} FROM {table} WHERE tenant_id = ? ORDER BY {first}"  # noqa: S608 (ours)
                digest.update(repr((table, self.rows(order, key))).encode())
        return digest.hexdigest()

    def content(self) -> dict[str, str]:
        """Return a hash over all rows of each table, those of every tenant."""
        rows = {table: self.rows(f"SELECT * FROM {table}") for table in self._all}  # noqa: S608
        return {
            t: hashlib.sha256(repr(sorted(r, key=repr)).encode()).hexdigest()
            for t, r in rows.items()
        }

    def counts(self, tenant: str) -> dict[str, int]:
        """Return how many rows a tenant has in each table, and the sum of its groups' versions."""
        key = self.tenant(tenant)
        found: dict[str, int] = {
            table: self.value(f"SELECT count(*) FROM {table} WHERE tenant_id = ?", key)  # noqa: S608 (ours)
            for table in self.tables
        }
        versions = "SELECT coalesce(sum(version), 0) FROM persona_group WHERE tenant_id = ?"
        return found | {"versions": self.value(versions, key)}

    def visible(self, tenant: str) -> int:
        """Return how many personas of a tenant can be seen, counted one by one."""
        return int(
            self.value(
                "SELECT count(*) FROM persona p JOIN persona_group g ON g.tenant_id = p.tenant_id "
                "AND g.set_id = p.set_id WHERE p.tenant_id = ? AND g.deleted_at IS NULL",
                self.tenant(tenant),
            )
        )


class ServedDatabase(DatabaseFile):
    """The same of a database of PostgreSQL."""

    _ORDERS = None  # all: no other order than that of what is asked for
    _VERSION = "SELECT pg_current_wal_insert_lsn()"
    _COLUMNS = (
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
    )

    def is_sound(self) -> bool:
        """Return whether rows refer to what is there: what is damaged ends the server itself."""
        sql = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated"
        return bool(self.value(sql) == 0)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return list(self._opened.execute(sql.replace("?", "%s"), values or None))


@contextmanager
def reading(data: Path) -> Iterator[DatabaseFile]:
    """Read the database of a service for a block, whether it runs or not."""
    with connection(data) as opened:
        yield (DatabaseFile if where(data) == data else ServedDatabase)(opened)


def _audit_row(row: AuditRow) -> AuditRow:
    ids: dict[str, Any] = {name: getattr(row, name) for name in _IDS}
    texts: dict[str, Any] = {name: id_text(raw) if raw else "" for name, raw in ids.items()}
    return row._replace(**texts)

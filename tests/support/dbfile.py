"""Read, and where a test says so damage, the database file of a service from outside of it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from persona_server.storage.engine.folder import FILE_NAME
from persona_server.storage.keys import id_bytes, id_text


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
def connection(data: Path) -> Iterator[apsw.Connection]:
    """Open the database beside the service, for a block."""
    opened = apsw.Connection(str(data / FILE_NAME), flags=apsw.SQLITE_OPEN_READWRITE)
    opened.set_busy_timeout(10_000)
    try:
        yield opened
    finally:
        opened.close()


class DatabaseFile:
    """What is in the file, read through one connection."""

    def __init__(self, opened: apsw.Connection) -> None:
        self._opened = opened
        tables = self.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
        self._columns = {
            name: [row[1] for row in self.rows(f"PRAGMA table_info({name})")] for (name,) in tables
        }
        self._all = sorted(name for (name,) in tables)
        self.tables = sorted(n for n, columns in self._columns.items() if "tenant_id" in columns)
        self._hashed: dict[tuple[str, tuple[str, ...]], tuple[tuple[int, int], str]] = {}

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return list(self._opened.execute(sql, values))

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
        version = self.value("PRAGMA data_version"), self._opened.total_changes()
        if (tenant, without) not in self._hashed or self._hashed[tenant, without][0] != version:
            self._hashed[tenant, without] = version, self._hash(tenant, without)
        return self._hashed[tenant, without][1]

    def _hash(self, tenant: str, without: tuple[str, ...]) -> str:
        key, digest = self.tenant(tenant), hashlib.sha256()
        for table in self.tables:
            if table not in without:
                columns = self._columns[table]
                everything, first = ", ".join(columns), ", ".join(columns[:3])
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


@contextmanager
def reading(data: Path) -> Iterator[DatabaseFile]:
    """Read the file of a service for a block, whether it runs or not."""
    with connection(data) as opened:
        yield DatabaseFile(opened)


def _audit_row(row: AuditRow) -> AuditRow:
    ids: dict[str, Any] = {name: getattr(row, name) for name in _IDS}
    texts: dict[str, Any] = {name: id_text(raw) if raw else "" for name, raw in ids.items()}
    return row._replace(**texts)

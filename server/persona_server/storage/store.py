"""The store: what services open to read or write one tenant's data."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from persona_server import errors
from persona_server.storage import keys
from persona_server.storage.database import (
    FILE_NAME,
    LOCK_TIMEOUT,
    DatabaseError,
    SqliteDatabase,
    make_private,
    translated,
)
from persona_server.storage.groups import Groups, GroupStatements
from persona_server.storage.ledger import AuditTrail, Imports, LedgerStatements, Retries
from persona_server.storage.migrate import FIRST, migrate
from persona_server.storage.personas import Personas, PersonaStatements
from persona_server.storage.projects import Projects, ProjectStatements
from persona_server.storage.sweeper import Sweeper
from persona_server.storage.tenants import Secrets, Tenants

__all__ = ["DatabaseError", "Repositories", "Store", "open_store"]


class Repositories:
    """Everything that one tenant has. There is no query without a tenant.

    `now` is the time of the transaction's start, `written` how many personas it made visible.
    """

    __slots__ = (
        "audit",
        "groups",
        "imports",
        "now",
        "personas",
        "projects",
        "retries",
        "tenant",
        "written",
    )

    def __init__(self, store: "Store", tenant: int, now: int) -> None:
        self.tenant = tenant
        self.now = now
        self.written = 0
        self.projects = Projects(store.project_statements, tenant)
        self.groups = Groups(store.group_statements, tenant, store.serial)
        self.personas = Personas(store.persona_statements, tenant)
        self.retries = Retries(store.ledger_statements, tenant)
        self.imports = Imports(store.ledger_statements, tenant)
        self.audit = AuditTrail(store.ledger_statements, tenant, store.serial)


class Store:
    """One database with its statements compiled.

    `on_written` is told how many personas each commit made visible.
    """

    def __init__(self, database: SqliteDatabase, *, created: bool = False) -> None:
        self.database = database
        self.created = created  # whether opening it made the database
        self.on_written: Callable[[int], object] = _ignore
        self.serial = keys.Serial()
        self.tenants = Tenants(database)
        self.secrets = Secrets(database)
        self.project_statements = ProjectStatements(database)
        self.group_statements = GroupStatements(database)
        self.persona_statements = PersonaStatements(database)
        self.ledger_statements = LedgerStatements(database)
        self.sweeper = Sweeper(database, self.tenants)

    @contextmanager
    def reading(self, tenant: str) -> Iterator[Repositories]:
        """Read one tenant's data, each statement on its own snapshot.

        A tenant without a row finds nothing, and none is made for it. Raises ServiceError
        DATABASE_UNAVAILABLE.
        """
        with translated():
            yield Repositories(self, self.tenants.key(tenant), keys.now())

    @contextmanager
    def writing(self, tenant: str, timeout: float | None) -> Iterator[Repositories]:
        """Change one tenant's data in one transaction, on disk when the block ends.

        `timeout` is how many seconds the caller still waits, None without a deadline. Raises
        ServiceError DATABASE_UNAVAILABLE or DEADLINE_EXCEEDED; any error rolls everything back.
        """
        wait = LOCK_TIMEOUT if timeout is None else timeout
        if wait <= 0:
            raise errors.deadline_exceeded()
        with translated():
            self.tenants.key(tenant)  # remembered now, outside of the transaction
            with self.database.write(min(wait, LOCK_TIMEOUT)):
                now = keys.now()
                repositories = Repositories(
                    self, self.tenants.ensure(tenant, self.serial, now), now
                )
                yield repositories
        if repositories.written:
            self.on_written(repositories.written)

    def answers(self) -> bool:
        """Return whether the database answers a query."""
        try:
            self.tenants.all()
        except Exception:  # noqa: BLE001 (whatever it is, it does not answer)
            return False
        return True

    def close(self) -> None:
        """Close every connection."""
        self.database.close_all()


def _ignore(_count: int) -> None:
    pass


def open_store(folder: Path, *, make: bool = True) -> Store:
    """Open the database in a folder and bring it to this schema, making it if `make`.

    Raises DatabaseError if it can't be used: not there, made by a newer version, unreadable.
    """
    if make:
        make_private(folder)
    elif not (folder / FILE_NAME).exists():
        raise DatabaseError(f"There is no database in {folder}. Name its folder with --data.")
    database = SqliteDatabase(folder / FILE_NAME)
    applied = migrate(database)
    return Store(database, created=FIRST in applied)

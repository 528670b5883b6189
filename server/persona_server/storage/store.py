"""The store: what services open to read or write one tenant's data."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from persona_server import errors
from persona_server.storage import keys
from persona_server.storage.copying.progress import require_finished
from persona_server.storage.derived.rebuild import Rebuild
from persona_server.storage.derived.repository import DerivedTables
from persona_server.storage.derived.selections import Selections
from persona_server.storage.derived.statements import DerivedStatements
from persona_server.storage.engine.database import (
    LOCK_TIMEOUT,
    Database,
    DatabasePlace,
    open_database,
    shown,
)
from persona_server.storage.engine.errors import (
    DatabaseError,
    driver_errors_translated,
    refusing_to_open,
)
from persona_server.storage.engine.traced import traced
from persona_server.storage.migrate import is_new, migrate, require_current
from persona_server.storage.repositories.audit import AuditStatements, AuditTrail
from persona_server.storage.repositories.credentials import (
    Credentials,
    CredentialsOfAll,
    CredentialStatements,
)
from persona_server.storage.repositories.groups import Groups, GroupStatements
from persona_server.storage.repositories.idempotency import Idempotency, IdempotencyStatements
from persona_server.storage.repositories.imports import Imports, ImportStatements
from persona_server.storage.repositories.library import Library, LibraryStatements
from persona_server.storage.repositories.links import Links, LinkStatements
from persona_server.storage.repositories.personas import Personas, PersonaStatements
from persona_server.storage.repositories.projects import Projects, ProjectStatements
from persona_server.storage.repositories.promotions import Promotions, PromotionStatements
from persona_server.storage.repositories.quotas import Quotas, QuotaStatements
from persona_server.storage.repositories.references import References, ReferenceStatements
from persona_server.storage.repositories.responses import Responses, ResponseStatements
from persona_server.storage.repositories.shown_groups import ShownGroups, ShownGroupStatements
from persona_server.storage.repositories.simulations import Simulations, SimulationStatements
from persona_server.storage.repositories.tenants import MOST_KNOWN, NO_TENANT, Secrets, Tenants
from persona_server.storage.repositories.terms import Terms, TermStatements
from persona_server.storage.sweeper import Sweeper
from persona_server.storage.tables import ALL, APPEND_ONLY, names_of
from persona_server.storage.upgrade import Watched, unwatched

__all__ = ["DatabaseError", "Repositories", "Store", "Transaction", "open_store"]


class Repositories:
    """Everything that one tenant has. There is no query without a tenant."""

    def __init__(self, store: "Store", tenant: int) -> None:
        self.tenant = tenant
        self.projects = Projects(store.project_statements, tenant)
        self.groups = Groups(store.group_statements, tenant, store.id_generator)
        self.shown_groups = ShownGroups(store.shown_group_statements, tenant)
        self.personas = Personas(store.persona_statements, tenant)
        self.terms = Terms(store.term_statements, tenant)
        self.responses = Responses(store.response_statements, tenant)
        self.simulations = Simulations(store.simulation_statements, tenant)
        self.references = References(store.reference_statements, tenant)
        self.library = Library(store.library_statements, tenant)
        self.links = Links(store.link_statements, tenant, store.id_generator)
        self.promotions = Promotions(store.promotion_statements, tenant)
        self.derived = DerivedTables(store.derived_statements, tenant, store.id_generator)
        self.selections = Selections(store.derived_statements, tenant)
        self.idempotency = Idempotency(store.idempotency_statements, tenant)
        self.imports = Imports(store.import_statements, tenant)
        self.quotas = Quotas(store.quota_statements, tenant)
        self.credentials = Credentials(store.credential_statements, tenant)
        self.audit = AuditTrail(store.audit_statements, tenant, store.id_generator)


class TenantReader(Repositories):
    """The same to read, each statement on its own snapshot: `with store.reading(tenant) as …`."""

    def __enter__(self) -> "TenantReader":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            driver_errors_translated().__exit__(kind, error, trace)


class Transaction(Repositories):
    """The same within one write transaction.

    `now` is the time of its start in microseconds, `written` how many personas it made visible,
    `stored` how many bytes it added, `made` the ids that it made for resources.
    """

    def __init__(self, store: "Store", tenant: int, now: int, most_stored: int) -> None:
        super().__init__(store, tenant)
        self._most_stored = most_stored
        self.now = now
        self.written = 0
        self.stored = 0
        self.made: set[str] = set()

    def new_id(self) -> str:
        """Return an id for a resource that comes without one."""
        return self.new_ids(1)[0]

    def new_ids(self, count: int) -> list[str]:
        """Return ids for so many resources that come without one."""
        made = keys.new_ids(self.now, count)
        self.made.update(made)
        return made

    def store_bytes(self, size: int) -> None:
        """Count bytes of rows that were added. Raises QUOTA_EXCEEDED for more than the tenant may.

        The sweeper gives them back when it removes the rows.
        """
        self.quotas.add_stored(size, self._most_stored)
        self.stored += size


class Store:
    """One database with its statements compiled."""

    def __init__(self, database: Database, place: DatabasePlace, *, created: bool = False) -> None:
        self.database = database
        self.place = place
        self.created = created  # whether opening it made the database
        self.id_generator = keys.IdGenerator()
        # How many bytes a tenant may store, by its name. Must not ask the database.
        self.most_stored: Callable[[str], int] = _any_number
        self.tenants = Tenants(database)
        self.secrets = Secrets(database)
        self.project_statements = ProjectStatements(database)
        self.group_statements = GroupStatements(database)
        self.shown_group_statements = ShownGroupStatements(database)
        self.persona_statements = PersonaStatements(database)
        self.term_statements = TermStatements(database)
        self.response_statements = ResponseStatements(database)
        self.simulation_statements = SimulationStatements(database)
        self.reference_statements = ReferenceStatements(database)
        self.library_statements = LibraryStatements(database)
        self.link_statements = LinkStatements(database)
        self.promotion_statements = PromotionStatements(database)
        self.derived_statements = DerivedStatements(database)
        self.idempotency_statements = IdempotencyStatements(database)
        self.import_statements = ImportStatements(database)
        self.audit_statements = AuditStatements(database)
        self.quota_statements = QuotaStatements(database)
        self.credential_statements = CredentialStatements(database)
        self.credentials = CredentialsOfAll(self.credential_statements)
        self.sweeper = Sweeper(database, self.tenants)
        self.rebuild = Rebuild(database, self.tenants, self.id_generator)
        self._readers: dict[str, TenantReader] = {}

    def promotes(self) -> None:
        """Let individuals that may be promoted wait for it: somebody looks after them."""
        self.promotion_statements.looked_after = True

    def reading(self, tenant: str) -> TenantReader:
        """Return one tenant's data to read, as a context manager.

        A tenant without a row finds nothing, and none is made for it. Raises ServiceError
        DATABASE_UNAVAILABLE.
        """
        return self._readers.get(tenant) or self._reader(tenant)

    def _reader(self, tenant: str) -> TenantReader:
        with driver_errors_translated():
            key = self.tenants.key(tenant)
        reader = TenantReader(self, key)
        if key != NO_TENANT:  # keys never change
            if len(self._readers) >= MOST_KNOWN:
                self._readers.clear()
            self._readers[tenant] = reader
        return reader

    @contextmanager
    def snapshot(self, tenant: str) -> Iterator[Repositories]:
        """Read one tenant's data with all statements at one moment, for as long as the block lasts.

        Keep it short: the log can't be checkpointed past it. Never within another transaction.
        Raises ServiceError DATABASE_UNAVAILABLE.
        """
        reader = self.reading(tenant)
        with driver_errors_translated(), self.database.snapshot():
            yield reader

    @contextmanager
    def writing(self, tenant: str, timeout: float | None) -> Iterator[Transaction]:
        """Change one tenant's data in one transaction, on disk when the block ends.

        `timeout` is how many seconds the caller still waits, None without a deadline. Raises
        ServiceError DATABASE_UNAVAILABLE or DEADLINE_EXCEEDED; any error rolls everything back.
        """
        wait = LOCK_TIMEOUT if timeout is None else timeout
        if wait <= 0:
            raise errors.deadline_exceeded()
        with driver_errors_translated(until_deadline=timeout is not None and wait <= LOCK_TIMEOUT):
            self.tenants.key(tenant)  # remembered now, outside of the transaction
            with self.database.write(min(wait, LOCK_TIMEOUT), tenant):
                key = self.tenants.ensure(tenant, self.id_generator, keys.now())
                reader = self._readers.get(tenant)
                if reader is not None and reader.tenant != key:
                    self._readers.pop(tenant, None)
                # Its time is that of its turn: what others have written meanwhile is older.
                yield Transaction(self, key, keys.now(), self.most_stored(tenant))

    @contextmanager
    def changing(self) -> Iterator[int]:
        """Change what belongs to no tenant in one transaction; give its time in microseconds.

        Raises as `writing` does.
        """
        with driver_errors_translated(), self.database.write(LOCK_TIMEOUT):
            yield keys.now()

    @contextmanager
    def trying(self, tenant: str, timeout: float | None) -> Iterator[Transaction]:
        """Do the same, in the same turn, and take it all back when the block ends.

        What the block raises is raised, as by `writing`.
        """
        with suppress(_TakenBackError), self.writing(tenant, timeout) as repositories:
            yield repositories
            raise _TakenBackError

    def own_quotas(self, tenant: str) -> dict[str, int]:
        """Return the quotas that a tenant has of its own. Raises DATABASE_UNAVAILABLE."""
        with self.reading(tenant) as repositories:
            return repositories.quotas.own()

    def ping(self) -> None:
        """Ask the database something small. Raises ServiceError."""
        with driver_errors_translated():
            self.tenants.key("")

    def try_disk(self) -> None:
        """Write something small that changes nothing of anybody's. Raises ServiceError."""
        with driver_errors_translated(), self.database.write(LOCK_TIMEOUT):
            self.database.touch()

    def close(self) -> None:
        """Close every connection."""
        self.database.close_all()


class _TakenBackError(Exception):
    """A transaction was only tried."""


def _any_number(_tenant: str) -> int:
    return sys.maxsize


def open_store(
    place: DatabasePlace,
    *,
    make: bool = True,
    pooler: bool = False,
    traces: bool = False,
    watched: Watched = unwatched,
    unserved: bool = False,
) -> Store:
    """Open the database at a place. If `make`, make it where it is missing, and migrate it.

    `pooler` is as in `open_database`; with `traces` what it does for calls is in their spans; an
    upgrade is made within what `watched` returns, and if `unserved` beneath no server. Raises
    DatabaseError if it can't be used: not there, damaged, unreadable, of another version, an
    unfinished copy.
    """
    with refusing_to_open(shown(place)):
        database = open_database(place, make=make, pooler=pooler)
        try:
            require_finished(database)
            applied = (
                migrate(database, watched, unserved=unserved) if make else require_current(database)
            )
            database.require_rights(names_of(ALL), kept=names_of(APPEND_ONLY))
        except BaseException:
            database.close_all()
            raise
        database = traced(database) if traces else database
        return Store(database, place, created=is_new(applied))

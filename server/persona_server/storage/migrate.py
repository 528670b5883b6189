"""Bring a database to the schema of this code. An empty file is made the same way."""

import threading
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

from persona_server.storage import keys
from persona_server.storage.derived.rebuild import Rebuild
from persona_server.storage.engine.database import Database, DatabasePlace, open_database
from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.history import MigrationRunner
from persona_server.storage.engine.sqlite.looking import looking_at, migrations
from persona_server.storage.repositories.tenants import Tenants
from persona_server.storage.tables import ALL, APPEND_ONLY, names_of
from persona_server.storage.upgrade import DERIVING, Upgrade, Watched, unwatched

# SQLite's; another engine has a folder in it. From 0019 on they have the same names.
MIGRATIONS = Path(__file__).parent / "migrations"
FIRST = "0001_initial"
_FIRSTS = {FIRST, "0016_tables"}  # of both engines
_one_at_a_time = threading.Lock()


def migrate(
    database: Database, watched: Watched = unwatched, *, unserved: bool = False
) -> list[str]:
    """Apply what is pending in one exclusive transaction; return the names of what was applied.

    The history is read again inside, so of several starters one migrates and the others find it
    done. `watched` is what an upgrade is made in, and waited for; an `unserved` one is refused
    where a server of PostgreSQL runs. Raises DatabaseError, also for a database that is newer than
    this code.
    """
    runner = runner_of(database)
    upgrade = _upgrade(runner)
    runner.begins = upgrade.begin
    around = watched(upgrade) if upgrade.is_due else nullcontext()
    with around, _one_at_a_time, database.migrating():
        _refuse_newer(database, runner)
        database.mark()
        if not _pending(runner):  # who serves may have no right to change the schema
            return []
        if unserved and upgrade.is_due:
            database.require_unserved()
        applied = list(runner.up())
        # Once all are applied, since this code fills the tables. A new database has no answers.
        if not is_new(applied) and _derives(runner, applied):
            _derive(database, upgrade)
        return applied


def _upgrade(runner: MigrationRunner) -> Upgrade:
    had: list[str] = []
    pending: list[str] = []
    for migration in runner.status():
        (pending if migration.applied is None else had).append(migration.name)
    return Upgrade(had, pending)


def _derive(database: Database, upgrade: Upgrade) -> None:
    upgrade.begin(DERIVING)
    rebuild = Rebuild(database, Tenants(database), keys.IdGenerator())
    upgrade.of = rebuild.size()
    rebuild.within(keys.now(), upgrade.count)


def require_current(database: Database) -> list[str]:
    """Refuse a database of another version, which only a server's start may change.

    Returns that nothing was applied. Raises DatabaseError.
    """
    runner = runner_of(database)
    _refuse_newer(database, runner)
    if not any(migration.applied for migration in runner.status()):
        raise DatabaseError(
            f"{database.place} has no tables yet, or none that can be seen. Start the server on it "
            "once, or let its owner say `persona migrate`."
        )
    if _pending(runner):
        raise DatabaseError(
            f"{database.place} was made by an older version. Start the server on it once."
        )
    return []


def grant(database: Database, role: str) -> None:
    """Give a role the rights of a server, which can neither change tables nor what is kept.

    Raises DatabaseError where there are no roles.
    """
    from persona_server.storage.engine.postgresql.database import PostgresqlDatabase

    if not isinstance(database, PostgresqlDatabase):
        raise DatabaseError(f"{database.place} is a file: it has no roles.")
    database.grant(role, names_of(ALL), kept=names_of(APPEND_ONLY))


def is_made(place: DatabasePlace, *, pooler: bool) -> bool:
    """Return whether a database has tables of ours, of whichever version. Raises DatabaseError."""
    database = open_database(place, make=False, pooler=pooler)
    try:
        return any(migration.applied for migration in runner_of(database).status())
    finally:
        database.close_all()


def is_new(applied: Iterable[str]) -> bool:
    """Return whether these migrations, which were just applied, have made the database."""
    return not _FIRSTS.isdisjoint(applied)


def runner_of(database: Database) -> MigrationRunner:
    """Return what applies the migrations of a database's engine."""
    own = "" if database.engine == "sqlite" else database.engine
    return MigrationRunner(database, MIGRATIONS / own)


def _pending(runner: MigrationRunner) -> bool:
    return any(migration.applied is None for migration in runner.status())


def require_known(path: Path) -> None:
    """Raise DatabaseError for a database file that is newer than this code."""
    known = {each.stem for each in MIGRATIONS.glob("[0-9]*.py")}
    with looking_at(path, alone=True) as connection:
        if unknown := [name for name in migrations(connection) if name not in known]:
            raise DatabaseError(
                f"The database was made by a newer version (it has {unknown[-1]}). "
                "Upgrade persona-service."
            )


def _derives(runner: MigrationRunner, applied: Iterable[str]) -> bool:
    """Return whether one of these migrations says that it leaves derived tables to be filled."""
    return any(m.load().DERIVES for m in runner.migrations() if m.name in applied)


def _refuse_newer(database: Database, runner: MigrationRunner) -> None:
    unknown = [m.name for m in runner.status() if m.path is None]
    if unknown:
        raise DatabaseError(
            f"{database.place} was made by a newer version (it has {unknown[-1]}). "
            "Upgrade persona-service, or use another database."
        )

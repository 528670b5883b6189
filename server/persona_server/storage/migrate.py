"""Bring a database to the schema of this code. An empty file is made the same way."""

import threading
from collections.abc import Iterable
from pathlib import Path

from persona_server.storage import keys
from persona_server.storage.derived.rebuild import Rebuild
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.history import MigrationRunner
from persona_server.storage.engine.sqlite.looking import looking_at, migrations
from persona_server.storage.repositories.tenants import Tenants

MIGRATIONS = Path(__file__).parent / "migrations"
FIRST = "0001_initial"
_one_at_a_time = threading.Lock()


def migrate(database: Database) -> list[str]:
    """Apply what is pending in one exclusive transaction; return the names of what was applied.

    The history is read again inside, so of several starters one migrates and the others find it
    done. Raises DatabaseError for a database that is newer than this code.
    """
    with _one_at_a_time, database.migrating():
        runner = MigrationRunner(database, MIGRATIONS)
        _refuse_newer(database, runner)
        applied = list(runner.up())
        database.mark()
        # Once all are applied, since this code fills the tables. A new database has no answers.
        if FIRST not in applied and _derives(runner, applied):
            Rebuild(database, Tenants(database), keys.IdGenerator()).within(keys.now())
        return applied


def require_current(database: Database) -> list[str]:
    """Refuse a database of another version, which only a server's start may change.

    Returns that nothing was applied. Raises DatabaseError.
    """
    runner = MigrationRunner(database, MIGRATIONS)
    _refuse_newer(database, runner)
    if any(migration.applied is None for migration in runner.status()):
        raise DatabaseError(
            f"{database.path} was made by an older version. Start the server on it once."
        )
    return []


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
            f"{database.path} was made by a newer version (it has {unknown[-1]}). "
            "Upgrade persona-service, or name another --data."
        )

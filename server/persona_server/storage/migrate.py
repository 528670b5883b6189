"""Bring a database to the schema of this code. An empty file is made the same way."""

import datetime
import threading
from pathlib import Path

from playhouse import apsw_ext
from playhouse.migrations import Runner

from persona_server.storage import keys
from persona_server.storage.derived.rebuild import Rebuild
from persona_server.storage.engine.sqlite import DatabaseError, SqliteDatabase
from persona_server.storage.repositories.tenants import Tenants

MIGRATIONS = Path(__file__).parent / "migrations"
FIRST = "0001_initial"
# Those that leave derived tables to be filled. Once all are applied, since this code fills them.
DERIVE = {"0003_measured"}
_one_at_a_time = threading.Lock()


def migrate(database: SqliteDatabase) -> list[str]:
    """Apply what is pending in one exclusive transaction; return the names of what was applied.

    The history is read again inside, so of several starters one migrates and the others find it
    done. Raises DatabaseError for a database that is newer than this code.
    """
    with _one_at_a_time, database.atomic("EXCLUSIVE"):
        runner = _runner(database)
        _refuse_newer(database, runner)
        applied = list(runner.up())
        if DERIVE & set(applied) and FIRST not in applied:
            Rebuild(database, Tenants(database), keys.Serial()).within(keys.now())
        return applied


def require_current(database: SqliteDatabase) -> list[str]:
    """Refuse a database of another version, which only a server's start may change.

    Returns that nothing was applied. Raises DatabaseError.
    """
    runner = _runner(database)
    _refuse_newer(database, runner)
    if any(migration.applied is None for migration in runner.status()):
        raise DatabaseError(
            f"{database.path} was made by an older version. Start the server on it once."
        )
    return []


def _runner(database: SqliteDatabase) -> Runner:
    runner = Runner(database, str(MIGRATIONS))
    # Peewee's own field hands a datetime to apsw, which can't bind one.
    applied = apsw_ext.DateTimeField(default=datetime.datetime.now)
    runner.History._meta.add_field("applied", applied)
    return runner


def _refuse_newer(database: SqliteDatabase, runner: Runner) -> None:
    unknown = [m.name for m in runner.status() if m.path is None]
    if unknown:
        raise DatabaseError(
            f"{database.path} was made by a newer version (it has {unknown[-1]}). "
            "Upgrade persona-service, or name another --data."
        )

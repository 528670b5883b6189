"""The room of what was purged, given back to the disk."""

import time
from pathlib import Path

from persona_server.storage.engine.database import LOCK_TIMEOUT
from persona_server.storage.engine.errors import DatabaseError, driver_errors_translated
from persona_server.storage.engine.folder import FILE_NAME, InUseError, lock_file
from persona_server.storage.engine.sqlite.database import SqliteDatabase
from persona_server.storage.engine.sqlite.looking import looking_at, sizes
from persona_server.storage.pace import COMMANDS_REST, Pace
from persona_server.storage.store import open_store
from persona_server.storage.upkeep.files import require_room


def shrink(folder: Path) -> tuple[int, int]:
    """Give back the room of what was purged; return a database's bytes before and after.

    Where a server uses it, a little at a time; else it is written anew, which gives back more.
    Raises DatabaseError or ServiceError, with nothing lost.
    """
    store = open_store(folder, make=False)
    try:
        before = _size(folder)
        assert isinstance(store.database, SqliteDatabase)  # it is in a folder
        with driver_errors_translated():
            try:
                with lock_file(folder):
                    _rewrite(store.database, folder, before)
            except InUseError:
                _shrink_beside(store.database)
        return before, _size(folder)
    finally:
        store.close()


def _rewrite(database: SqliteDatabase, folder: Path, size: int) -> None:
    require_room(folder, 2 * size)  # the new one, and the log that it goes through
    database.rewrite()


def _shrink_beside(database: SqliteDatabase) -> None:
    """Give back what is free while a server writes too, in transactions that it hardly notices."""
    if not database.can_shrink():
        raise DatabaseError(
            f"A server is using {database.place}, which was made by an older version: stop it once "
            "for this. From then on room is given back while it runs."
        )
    pace, is_more = Pace(COMMANDS_REST), True
    while is_more:
        with database.write(LOCK_TIMEOUT):
            began = time.monotonic()
            is_more = database.shrink(pace.rows)
        pace.held(time.monotonic() - began)
        pace.rest()
    database.checkpoint()


def _size(folder: Path) -> int:
    with looking_at(folder / FILE_NAME) as connection:
        return sizes(connection).whole

"""The room of what was purged, given back to the disk."""

from pathlib import Path

from persona_server.storage.engine.errors import driver_errors_translated
from persona_server.storage.engine.folder import FILE_NAME, lock_file
from persona_server.storage.engine.sqlite.looking import looking_at, sizes
from persona_server.storage.store import open_store
from persona_server.storage.upkeep.files import require_room


def shrink(folder: Path) -> tuple[int, int]:
    """Write a database anew that no server uses; return its bytes before and after.

    Raises DatabaseError or ServiceError, with nothing changed.
    """
    store = open_store(folder, make=False)
    try:
        with lock_file(folder):
            before = _size(folder)
            require_room(folder, 2 * before)  # the new one, and the log that it goes through
            with driver_errors_translated():
                store.database.rewrite()
            return before, _size(folder)
    finally:
        store.close()


def _size(folder: Path) -> int:
    with looking_at(folder / FILE_NAME) as connection:
        return sizes(connection).whole

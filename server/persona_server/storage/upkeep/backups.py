"""Backups of a database, and a database from a backup."""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.folder import (
    FILE_NAME,
    lock_file,
    make_folder,
    open_private,
    require_database,
)
from persona_server.storage.engine.sqlite.copying import copy_database
from persona_server.storage.engine.sqlite.looking import (
    looking_at,
    require_ours,
    require_whole,
    sizes,
)
from persona_server.storage.migrate import require_known
from persona_server.storage.upkeep.files import arriving, require_room
from persona_server.storage.upkeep.watching import note_backup


def back_up(folder: Path, target: Path) -> int:
    """Write the database of a folder, as it is now, into a new file; return its bytes.

    A server may use it meanwhile. The file has been looked through before it has its name. Raises
    DatabaseError, with nothing left of it.
    """
    begun = time.time()
    _write(folder, target)
    note_backup(folder, begun)
    return target.stat().st_size


def back_up_to(folder: Path, stream: BinaryIO) -> int:
    """Do the same to a stream, by way of a file among the temporary ones; return its bytes."""
    begun = time.time()
    with _temporary_folder() as made:
        file = Path(made) / "backup"
        _write(folder, file)
        with file.open("rb") as whole:
            shutil.copyfileobj(whole, stream, 1 << 20)
            stream.flush()
            size = whole.tell()
    note_backup(folder, begun)
    return size


def _temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    try:
        return tempfile.TemporaryDirectory(prefix="persona-backup-")
    except OSError as error:
        raise DatabaseError(
            "A backup that goes to a pipe is first made in a folder for temporary files, and none "
            "can be written: name one with TMPDIR."
        ) from error


def restore(source: BinaryIO, size: int, folder: Path) -> int:
    """Make a backup the database of a folder that has none; return its bytes.

    `size` is the backup's, 0 if it is not known. Raises DatabaseError, with the folder as before
    but for being there.
    """
    make_folder(folder)
    with lock_file(folder):
        _require_no_log(folder)
        require_room(folder, size)
        target = folder / FILE_NAME
        with arriving(target) as partial:
            with partial.open("r+b") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
            require_whole(partial, "The backup")
            require_known(partial)
        os.close(open_private(target))  # root gives it to whom the folder belongs
        return target.stat().st_size


def _write(folder: Path, target: Path) -> None:
    source = _usable(folder)
    require_room(target.parent, _room(source))
    with arriving(target) as partial:
        copy_database(source, partial)
        require_whole(partial, f"The copy of {source}")


def _usable(folder: Path) -> Path:
    """Return the path of a folder's database. Raises DatabaseError where it is none of ours."""
    require_database(folder)
    source = folder / FILE_NAME
    with looking_at(source) as connection:
        require_ours(connection, source)
    return source


def _room(source: Path) -> int:
    with looking_at(source) as connection:
        return sizes(connection).whole


def _require_no_log(folder: Path) -> None:
    """Refuse a folder with the log of another database: it would be read into the new one."""
    for ending in ("-wal", "-journal"):
        path = folder / f"{FILE_NAME}{ending}"
        if path.exists():
            raise DatabaseError(f"{path} is of another database; move it away first.")

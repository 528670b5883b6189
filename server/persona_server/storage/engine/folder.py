"""The folder of a database: private, and one server's at a time."""

import fcntl
import os
from pathlib import Path
from typing import IO, Any

from persona_server.storage.engine.errors import DatabaseError

FILE_NAME = "persona.sqlite3"


def lock_file(folder: Path) -> IO[Any]:
    """Claim a data folder for one server and return the open lock file.

    Never a lock on the database file: closing any descriptor of it would drop SQLite's own locks.
    Raises DatabaseError if another server has it.
    """
    path = folder / f"{FILE_NAME}.lock"
    try:
        path.touch(mode=0o600)
        handle = path.open("a+")
    except OSError as error:
        raise DatabaseError(f"{folder} can't be used for a database: {error.strerror}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        owner = handle.read().strip() or "unknown"
        handle.close()
        raise DatabaseError(
            f"Another server (process {owner}) is using {folder}. Stop it, or name another --data."
        ) from None
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle


def make_private(folder: Path) -> None:
    """Make a data folder that only its owner can read, and its database file likewise.

    Raises DatabaseError where that can't be.
    """
    make_folder(folder)
    try:
        path = folder / FILE_NAME
        path.touch(mode=0o600)
        path.chmod(0o600)
    except OSError as error:
        raise DatabaseError(f"{folder} can't be used for a database: {error.strerror}.") from error


def make_folder(folder: Path) -> None:
    """Make a data folder that only its owner can read.

    One that is there already keeps its mode: it may be an operator's, or a mounted volume. Raises
    DatabaseError where that can't be.
    """
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)  # another starter may have made it
    except OSError as error:
        raise DatabaseError(f"{folder} can't be used for a database: {error.strerror}.") from error


def has_database(folder: Path) -> bool:
    """Return whether a folder has a database; an empty file is none. Raises DatabaseError."""
    try:
        return (folder / FILE_NAME).stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise DatabaseError(f"{folder} can't be used for a database: {error.strerror}.") from error


def require_database(folder: Path) -> None:
    """Raise DatabaseError where a folder has no database."""
    if not has_database(folder):
        raise DatabaseError(
            f"There is no database in {folder}. Name its folder with --data, or make one "
            "there with --init."
        )

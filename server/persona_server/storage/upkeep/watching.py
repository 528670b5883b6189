"""What the files of a database take, and when they were last backed up."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from persona_server.storage.engine.folder import FILE_NAME, open_private

_MARK = f"{FILE_NAME}.backed-up"  # an empty file: its time is that of the last backup


def database_bytes(folder: Path) -> int:
    """Return the length of the database file. Raises OSError."""
    return (folder / FILE_NAME).stat().st_size


def log_bytes(folder: Path) -> int:
    """Return the length of the log; 0 where there is none."""
    with suppress(FileNotFoundError):
        return (folder / f"{FILE_NAME}-wal").stat().st_size
    return 0


def disk_bytes(folder: Path) -> int:
    """Return the size of a folder's disk. Raises OSError."""
    return shutil.disk_usage(folder).total


def free_bytes(folder: Path) -> int:
    """Return what is free of a folder's disk. Raises OSError."""
    return shutil.disk_usage(folder).free


def backed_up_at(folder: Path) -> float:
    """Return when the last good backup was begun, in seconds since 1970; 0 where none was."""
    with suppress(FileNotFoundError):
        return (folder / _MARK).stat().st_mtime
    return 0.0


def note_backup(folder: Path, begun: float) -> None:
    """Keep when a backup was begun that is good; where that can't be, it is good all the same."""
    with suppress(OSError):
        try:
            mark = open_private(folder / _MARK)
        except PermissionError:  # it is another's, who has backed up too
            (folder / _MARK).unlink()
            mark = open_private(folder / _MARK)
        os.utime(mark, (begun, begun))
        os.close(mark)

"""Files that are there whole or not at all, and whether there is room for them."""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from persona_server.storage.engine.errors import DatabaseError

SPARE = 16 << 20  # bytes that a disk should have left


@contextmanager
def arriving(target: Path) -> Iterator[Path]:
    """Yield the path of an empty file, for its owner alone, that becomes `target` after the block.

    Where the block fails nothing is left. Raises DatabaseError where `target` is there already, or
    can't be made.
    """
    partial = target.with_name(f".{target.name}.partial")
    try:
        _require_free(target)
        with _claimed(partial, target) as descriptor:
            yield partial
            _settle(descriptor, partial, target)
    except OSError as error:
        raise DatabaseError(f"{target} can't be written: {error.strerror}.") from error


def require_room(folder: Path, size: int) -> None:
    """Raise DatabaseError where a folder's disk has no room for so many bytes."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise DatabaseError(f"{folder} can't be written: {error.strerror}.") from error
    if free < size + SPARE:
        raise DatabaseError(
            f"The disk of {folder} has {free >> 20:,} MiB free, and "
            f"{-(-(size + SPARE) >> 20):,} are needed."
        )


def _require_free(target: Path) -> None:
    if target.is_dir():
        raise DatabaseError(f"{target} is a folder; name a file.")
    if target.exists():
        raise DatabaseError(f"{target} is there already.")


@contextmanager
def _claimed(partial: Path, target: Path) -> Iterator[int]:
    """Yield the descriptor of an empty file that is this process's alone, and gone afterwards."""
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        _take(descriptor, partial)
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)  # what a killed one has left
        yield descriptor
    except BlockingIOError:
        raise DatabaseError(f"{target} is being written by another process.") from None
    finally:
        # Taken again, since a signal may have come before it was.
        with suppress(OSError, DatabaseError):
            _take(descriptor, partial)
            partial.unlink()
        os.close(descriptor)


def _take(descriptor: int, partial: Path) -> None:
    """Keep other processes from a file. Raises BlockingIOError, DatabaseError if it is not ours."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    _require_own(descriptor, partial)


def _require_own(descriptor: int, partial: Path) -> None:
    """Raise DatabaseError where a file of this name may be another's, who would read or lose it."""
    found, named = os.fstat(descriptor), partial.lstat()
    own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink == 1
    if not own or not os.path.samestat(found, named):
        raise DatabaseError(f"{partial} is not a file of this process's own; remove it.")


def _settle(descriptor: int, partial: Path, target: Path) -> None:
    """Bring a file to the disk, then its name."""
    os.fsync(descriptor)
    _require_free(target)
    partial.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

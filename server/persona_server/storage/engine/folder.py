"""The folder of a database: private, and one server's at a time."""

import errno
import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeAlias

from persona_server.storage.engine.errors import DatabaseError

FILE_NAME = "persona.sqlite3"
FileIdentity: TypeAlias = tuple[int, int]  # its device and its inode


class InUseError(DatabaseError):
    """A server has the folder."""


class FolderLock:
    """A data folder that is one server's, for as long as it or one of its workers has this open."""

    def __init__(self, *descriptors: int) -> None:
        self.descriptors = descriptors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the folder back, unless a worker has it."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = ()


def lock_file(folder: Path) -> FolderLock:
    """Claim a data folder for one server, by a file in it and by itself, since files get removed.

    Never a lock on the database file: closing any descriptor of it would drop SQLite's own locks.
    Raises InUseError if another server has it, DatabaseError where it can't be used.
    """
    path = folder / f"{FILE_NAME}.lock"
    _refuse_link(folder)
    opened: list[int] = []
    try:
        opened.append(open_private(path))
        fcntl.flock(opened[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
        opened.append(os.open(folder, os.O_RDONLY))
        _lock_folder(opened[1])
        os.ftruncate(opened[0], 0)
        os.write(opened[0], f"{os.getpid()}\n".encode())
    except BlockingIOError:
        owner = os.read(opened[0], 20).decode(errors="replace").strip() or "unknown"
        FolderLock(*opened).close()
        raise InUseError(
            f"Another server (process {owner}) is using {folder}. Stop it, or name another folder."
        ) from None
    except OSError as error:
        FolderLock(*opened).close()
        raise _unusable(folder, error) from error
    return FolderLock(*opened)


def open_private(path: Path, flags: int = 0) -> int:
    """Open a file of a folder, made where it is missing for whom the folder belongs to.

    Root would else make files that the service could not open, as SQLite does not. Never through a
    link, by which it would be any file. Raises OSError.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)
    found, folder = os.fstat(descriptor), path.parent.stat()
    is_own = stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == 0
    if os.geteuid() == 0 and is_own and folder.st_uid != 0:
        with suppress(OSError):  # where even root may not, it is as before
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


def _unusable(folder: Path, error: OSError) -> DatabaseError:
    inside = f" ({Path(error.filename).name})" if error.filename else ""
    return DatabaseError(f"{folder} can't be used for a database: {error.strerror}{inside}.")


def _refuse_link(folder: Path) -> None:
    path = folder / FILE_NAME
    if path.is_symlink():  # whose own folder somebody else may have
        raise DatabaseError(f"{path} is a link. Name the folder of the file itself.")


def _lock_folder(descriptor: int) -> None:
    """Lock a folder where its file system can. Raises BlockingIOError."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EBADF, errno.EINVAL):
            raise


def make_private(folder: Path) -> None:
    """Make a data folder that only its owner can read, and its database file likewise.

    Raises DatabaseError where that can't be.
    """
    make_folder(folder)
    _refuse_link(folder)
    try:
        path = folder / FILE_NAME
        # One that is there is not opened: to close it would drop the locks of SQLite on it.
        with suppress(FileExistsError):
            os.close(open_private(path, os.O_EXCL))
        _hide_from_others(path)
    except OSError as error:
        raise _unusable(folder, error) from error


def _hide_from_others(path: Path) -> None:
    """Let only its owner read a file; fails for a link, by which root would change another's."""
    if not hasattr(os, "O_PATH"):  # outside of Linux, where this has no such flag
        path.chmod(0o600, follow_symlinks=False)
        return
    descriptor = os.open(path, os.O_NOFOLLOW | os.O_PATH)  # which opens no file: locks are kept
    try:
        Path(f"/proc/self/fd/{descriptor}").chmod(0o600)
    except OSError as error:
        error.filename = path  # not the number, which says nothing
        raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a data folder that only its owner can read.

    One that is there already keeps its mode: it may be an operator's, or a mounted volume. Raises
    DatabaseError where that can't be.
    """
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)  # another starter may have made it
    except FileExistsError as error:
        raise DatabaseError(f"{error.filename} is neither a folder nor a link to one.") from error
    except OSError as error:
        raise _unusable(folder, error) from error


def file_identity(path: Path) -> FileIdentity | None:
    """Return what tells a file from all others; None where there is none, or it can't be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def require_file(folder: Path, file: FileIdentity) -> None:
    """Raise DatabaseError where the database of a folder is not this file any more."""
    if file_identity(folder / FILE_NAME) != file:
        raise DatabaseError(
            f"{folder / FILE_NAME} is not the file that the service was started with. Put that "
            "back, or start the service again."
        )


def has_database(folder: Path) -> bool:
    """Return whether a folder has a database; an empty file is none. Raises DatabaseError."""
    try:
        return (folder / FILE_NAME).stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unusable(folder, error) from error


def require_database(folder: Path) -> None:
    """Raise DatabaseError where a folder has no database."""
    if not has_database(folder):
        raise DatabaseError(
            f"There is no database in {folder}. Name the folder of one, or make one "
            "there with `persona serve --init`."
        )

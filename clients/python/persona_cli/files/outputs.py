"""Where a command writes: standard output, or a file that appears only once it is complete."""

import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Names of what is open already: writing there must neither replace a file nor begin it anew.
_DESCRIPTOR = re.compile(r"/dev/(?:stdout|stderr|fd/(\d+))|/proc/self/fd/(\d+)")


@contextmanager
def atomic_output(output: str) -> Iterator[BinaryIO]:
    """Open the target; a regular file is replaced at the end, or left as it was.

    What fails about it is an OSError that names it.
    """
    if output in ("-", "/dev/stdout"):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()  # before anything is said to be written
        return
    try:
        with _opened(output) as stream:
            yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, output) from None


def require_writable(output: str) -> None:
    """Raise the OSError, which names the target, if a file could not be made in its place."""
    target = Path(output).resolve()
    if output == "-" or (target.exists() and not target.is_file()):
        return
    try:
        descriptor, name = _temporary(target)
    except OSError as error:
        raise OSError(error.errno, error.strerror, output) from None
    os.close(descriptor)
    Path(name).unlink()


@contextmanager
def _opened(output: str) -> Iterator[BinaryIO]:
    target = Path(output)
    if found := _DESCRIPTOR.fullmatch(output):
        descriptor = os.dup(int(found[1] or found[2] or 2))
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
    elif target.exists() and not stat.S_ISREG(target.stat().st_mode):  # a pipe, a device
        with target.open("wb") as stream:
            yield stream
    else:
        with _replacing(target.resolve()) as stream:
            yield stream


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """Give a file that takes the target's place when the block is over."""
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
    descriptor, name = _temporary(target)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            os.fchmod(stream.fileno(), mode)
            stream.flush()
            os.fsync(stream.fileno())
        _put(Path(name), target)
    finally:
        Path(name).unlink(missing_ok=True)


def _temporary(target: Path) -> tuple[int, str]:
    """Make a file beside the target, or elsewhere if only the target can be written there."""
    try:
        return tempfile.mkstemp(prefix=".persona-", dir=target.parent)
    except PermissionError:
        if not os.access(target, os.W_OK):
            raise
        return tempfile.mkstemp(prefix="persona-")


def _put(made: Path, target: Path) -> None:
    """Move a file to the target's place; into it where that is mounted, or the folder is not ours.

    Only then a break can leave a part of it.
    """
    with suppress(OSError):
        made.replace(target)
        return
    with made.open("rb") as source, target.open("wb") as stream:
        shutil.copyfileobj(source, stream)
        stream.flush()
        os.fsync(stream.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

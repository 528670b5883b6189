"""Small disks of a test's own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Make a folder a disk in memory for a block, by options of tmpfs such as "size=8m"."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("this user may mount nothing")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def hanging_disk(folder: Path) -> Iterator["HangingDisk"]:
    """Make a folder a disk of its own for a block, which can hang."""
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(64 << 20)
    folder.mkdir()
    for command in (["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, folder]):
        if not _done(*command):
            pytest.skip("this user may mount nothing")
    try:
        yield HangingDisk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


class HangingDisk:
    """A disk that can let whoever writes wait."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let nobody write for a block, whatever he does."""
        if not _done("fsfreeze", "--freeze", self.folder):
            pytest.skip("this user may freeze nothing")
        try:
            yield
        finally:
            subprocess.run(["fsfreeze", "--unfreeze", str(self.folder)], check=True)


def _done(*command: object) -> bool:
    """Return whether a command is here and does what it says."""
    words = [str(word) for word in command]
    if not shutil.which(words[0]):
        return False
    return not subprocess.run(words, capture_output=True, check=False).returncode

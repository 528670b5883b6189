"""Processes as the system shows them."""

from contextlib import suppress
from pathlib import Path


def children(parent: int) -> list[int]:
    """Return the processes that the threads of a process have begun."""
    found = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended since
            found += [int(child) for child in (task / "children").read_text().split()]
    return found

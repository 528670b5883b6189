"""The progress bar of long work: on a terminal alone, on stderr."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class ProgressBar:
    """Shows how much was read, of `total` bytes (None: unknown), and how many `things` are in."""

    def __init__(self, total: int | None, things: str) -> None:
        self._bar = Progress(
            BarColumn(),
            TaskProgressColumn(),
            TextColumn(f"{{task.fields[count]}} {things}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task(things, total=total, count=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def advance(self, count: int) -> None:
        """Add bytes that were read."""
        self._bar.advance(self._task, count)

    def set_count(self, count: int) -> None:
        """Set how many things are in."""
        self._bar.update(self._task, count=count)

"""A database that is migrated by processes which a test kills at any step, or by ten at once."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.waiting import LIMIT

TESTS = Path(__file__).parents[2]


class Migrant:
    """The process whose children migrate a database."""

    def __init__(self, place: Path | str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.databases.migrant", str(place)],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout

    def tell(self, word: object) -> list[int]:
        """Return how the children ended that a word is for (see migrant.py)."""
        print(word, file=self._to, flush=True)
        while not (line := self._from.readline()).replace(" ", "").strip().isdigit():
            assert line, "it has ended"
        return [int(code) for code in line.split()]

    def close(self) -> None:
        """Let it end."""
        self._to.close()
        self._process.wait(LIMIT)


@contextmanager
def migrant(place: Path | str) -> Iterator[Migrant]:
    """Run the process for a block."""
    running = Migrant(place)
    try:
        yield running
    finally:
        running.close()

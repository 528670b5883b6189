"""How fast the sweeper goes: others who write should hardly notice it."""

import time

HELD = 0.003  # seconds that a transaction should hold the turn to write
FIRST, FEWEST, MOST = 50, 10, 1000  # rows of a transaction
# How long the disk and the turn are left to others, in the time that they were used: nobody waits
# for what the sweeper does, but an operator for what a command does.
SWEEPERS_REST, COMMANDS_REST = 10.0, 1.0
LONGEST_REST = 0.5  # seconds; a stop waits for it


class Pace:
    """How many rows a transaction may take, by how long the last one has held the turn.

    A row costs some microseconds in memory, and some milliseconds where its pages are read from the
    disk.
    """

    def __init__(self, rests: float) -> None:
        self.rows = FIRST
        self._rests = rests
        self._began = time.monotonic()

    def held(self, seconds: float) -> None:
        """Take note how long a transaction of so many rows has held the turn."""
        wanted = int(self.rows * HELD / max(seconds, 1e-6))
        self.rows = max(FEWEST, min(wanted, 2 * self.rows, MOST))

    def rest(self) -> None:
        """Leave the disk and the turn to others, by how long it took since the last rest."""
        time.sleep(min((time.monotonic() - self._began) * self._rests, LONGEST_REST))
        self._began = time.monotonic()

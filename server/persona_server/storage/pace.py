"""How fast the sweeper goes: others who write should hardly notice it."""

import time

HELD = 0.003  # seconds that a transaction should hold the turn to write
FIRST, FEWEST, MOST = 50, 10, 1000  # rows of a transaction
RESTS = 1.0  # how long the disk and the turn are left to others, in the time that they were used
LONGEST_REST = 0.25  # seconds; a stop waits for it


class Pace:
    """How many rows a transaction may take, by how long the last one has held the turn.

    A row costs some microseconds in memory, and some milliseconds where its pages are read from the
    disk.
    """

    def __init__(self) -> None:
        self.rows = FIRST
        self._began = time.monotonic()

    def held(self, seconds: float) -> None:
        """Take note how long a transaction of so many rows has held the turn."""
        wanted = int(self.rows * HELD / max(seconds, 1e-6))
        self.rows = max(FEWEST, min(wanted, 2 * self.rows, MOST))

    def rest(self) -> None:
        """Leave the disk and the turn to others, for as long as it took since the last rest."""
        time.sleep(min((time.monotonic() - self._began) * RESTS, LONGEST_REST))
        self._began = time.monotonic()

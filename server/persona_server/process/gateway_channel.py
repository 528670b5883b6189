"""What the server tells its gateway on stdin, a line each, and what that answers on stdout.

It is asked for its figures again and again. One that does not answer hangs.
"""

import contextlib
import json
import os
import select
import threading
import time
from collections.abc import Callable
from typing import IO

ASK_SECONDS = 5.0  # between two questions
SILENT_SECONDS = 20.0  # without an answer, after which it hangs
ANSWER_SECONDS = 2.0  # that a scrape waits for new figures
FIGURES = "figures"
_CHUNK = 64 << 10  # bytes


class GatewayChannel:
    """The pipes to and from one gateway. `run` is for a thread of its own; the rest is for any."""

    def __init__(self, orders: IO[bytes], answers: IO[bytes]) -> None:
        self._orders = orders
        self._answers = answers
        self._guard = threading.Condition()
        self._asked: float | None = None  # since when an answer is due, on the monotonic clock
        self._closed = False
        self._page = b""
        self._rest = b""

    def order(self, *words: str) -> None:
        """Tell it something."""
        with self._guard:
            self._write(" ".join(words))

    def page(self) -> bytes:
        """Return its figures: of this moment, or if that takes too long of the last time."""
        with self._guard:
            if self._answered():  # what was asked before now may be answered for before now
                self._ask()
                self._answered()
            return self._page

    def close(self) -> None:
        """Let it end."""
        with self._guard:
            self._closed = True
            with contextlib.suppress(OSError):  # it has ended
                self._orders.close()

    def run(self, hangs: Callable[[], None]) -> None:
        """Take its answers until it has ended; call `hangs` once if it gives none."""
        due = 0.0
        while not self._is_silent():
            if (now := time.monotonic()) >= due:
                due = now + ASK_SECONDS
                with self._guard:
                    self._ask()
            said, _, _ = select.select([self._answers], [], [], ASK_SECONDS)
            if said and not self._take(os.read(self._answers.fileno(), _CHUNK)):
                return
        hangs()

    def _answered(self) -> bool:
        """Wait for the answer that is due, if one is; return whether it came. The guard is held."""
        return self._guard.wait_for(lambda: self._asked is None or self._closed, ANSWER_SECONDS)

    def _ask(self) -> None:
        if self._asked is None:
            self._asked = time.monotonic()
            self._write(FIGURES)

    def _write(self, line: str) -> None:
        """Write an order; of who has ended nobody is told. The guard is held."""
        try:
            if not self._closed:
                self._orders.write(f"{line}\n".encode())
                self._orders.flush()
        except OSError:
            self._closed = True

    def _is_silent(self) -> bool:
        asked = self._asked
        return not self._closed and asked is not None and time.monotonic() - asked > SILENT_SECONDS

    def _take(self, chunk: bytes) -> bool:
        """Take a part of its answers; return whether there may be more."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        with self._guard:
            for line in lines:
                with contextlib.suppress(ValueError, KeyError, TypeError):  # no answer, then
                    self._page = json.loads(line)[FIGURES].encode()
                    self._asked = None
            self._closed = self._closed or not chunk
            self._guard.notify_all()
        return bool(chunk)

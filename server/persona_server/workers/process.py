"""A worker as its parent has it: a process that is replaced when it ends by itself."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import IO, Any

from persona_server.identity.provider import Published
from persona_server.settings.config import Settings
from persona_server.telemetry import logs
from persona_server.workers.place import END_HEALTH, METRICS, READY, Place

START_SECONDS = 60.0
ANSWER_SECONDS = 2.0  # a page of metrics is waited for
PAUSE_SECONDS = 1.0  # before a worker is replaced that could not start
LAST_WORDS_SECONDS = 1.0
# Looks of the parent's, one a second: where the whole machine stood still it has not looked either.
# Many, since a machine that is too busy must not lose its workers as well.
STILL_LOOKS = 20
_ENDED = "a worker has ended by itself: it is replaced"
_STOOD_STILL = "a worker stood still and was killed: it is replaced"
_CHUNK = 64 << 10  # bytes of log read at a time
_OVER = 2.0  # seconds that a worker may take beyond its grace


class WorkerError(Exception):
    """A worker can't start; the text says why."""


class Worker:
    """The process at one place. `ended` is called when one has ended by itself, before another."""

    def __init__(self, place: Place, kept: tuple[int, ...], ended: Callable[[int], None]) -> None:
        """Start it. `kept` are descriptors that it inherits."""
        self._place = place
        self._published = place.published
        self._kept = kept
        self._ended = ended
        self._stopping = self._ready = self._asked = False
        self._beats = self._unchanged = 0
        self.last_page = b""  # of metrics
        self._begin()

    def require_ready(self) -> None:
        """Wait until it listens, and replace it from then on. Raises WorkerError."""
        if (why := self._word()) != READY:
            raise WorkerError(why.decode() or f"Worker {self._place.number} could not start.")
        self._listens()
        name = f"worker-{self._place.number}"
        threading.Thread(target=self._replace, name=name, daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def page(self) -> bytes:
        """Return its metrics, or those of the last time if it does not answer; b"" before any."""
        with contextlib.suppress(OSError, EOFError):
            if self._ready and self._answered():  # of the last time, if that came too late for it
                self._pipe.send(METRICS)
                self._asked = True
                self._answered()
        return self.last_page

    def look(self, beats: int) -> None:
        """Kill it, to be replaced, where it has not beaten at so many looks: it stands still.

        It serves nobody then, but calls still come to it, and it may have what the others wait for.
        """
        self._unchanged = self._unchanged + 1 if self._ready and beats == self._beats else 0
        self._beats = beats
        if self._unchanged >= STILL_LOOKS and not self._stopping:
            self._stood_still = True
            self._process.kill()

    def take(self, settings: Settings) -> None:
        """Let it heed these settings, and whoever replaces it."""
        self._place = replace(self._place, settings=settings)
        self._order(settings)

    def know(self, published: Published | None) -> None:
        """Let whoever replaces it know these keys of the identity provider."""
        self._published = published

    def end_health(self) -> None:
        """Let it say NOT_SERVING, and don't replace it any more."""
        self._stopping = True
        self._order(END_HEALTH)

    def end(self, grace: float) -> None:
        """Let it end what is in flight within so many seconds; does not wait."""
        self._order(grace)

    def wait(self, seconds: float) -> None:
        """Wait for its end; beyond this time it is killed."""
        try:
            self._process.wait(seconds + _OVER)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.join(LAST_WORDS_SECONDS)

    def kill(self) -> None:
        """End it at once."""
        self._stopping = True
        self._process.kill()

    def _begin(self) -> None:
        ours, its = Pipe()
        # By its own group: a Ctrl-C at the terminal is the parent's to pass on, in order.
        self._process = subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, "-P", "-m", "persona_server.workers.child", str(its.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(its.fileno(), *self._kept),
            start_new_session=True,
        )
        its.close()
        self._pipe: Connection[Any, bytes] = ours
        self._ready = self._asked = self._stood_still = False
        self._unchanged = 0  # looks at its beats
        assert self._process.stderr is not None
        reading = (self._process.stderr,)
        self._log = threading.Thread(target=_pass_log, args=reading, name="worker-log", daemon=True)
        self._log.start()
        with contextlib.suppress(OSError):
            ours.send(replace(self._place, published=self._published))

    def _answered(self) -> bool:
        """Take the page that it was asked for, if it was; return whether it does not owe one."""
        if self._asked and self._pipe.poll(ANSWER_SECONDS):
            self.last_page = self._pipe.recv_bytes()
            self._asked = False
        return not self._asked

    def _word(self) -> bytes:
        """Return the first word that it says, b"" if it ends without one."""
        try:
            return self._pipe.recv_bytes() if self._pipe.poll(START_SECONDS) else b""
        except (OSError, EOFError):
            return b""

    def _replace(self) -> None:
        """Start another whenever it has ended by itself."""
        number = self._place.number
        while True:
            code = self._process.wait()
            self._ready = False
            if self._stopping:
                return
            told = {"worker": number, "code": code}
            logs.LOGGER.error(_STOOD_STILL if self._stood_still else _ENDED, extra=told)
            self._ended(number)
            while not self._stopping and not self._start_another():
                time.sleep(PAUSE_SECONDS)

    def _start_another(self) -> bool:
        """Start another; return whether it listens."""
        try:
            self._begin()
        except OSError as error:  # such as no descriptor left, or no place for a process
            told = {"worker": self._place.number, "reason": str(error)}
            logs.LOGGER.error("a worker can't be started: tried again", extra=told)
            return False
        if (why := self._word()) != READY:
            self._process.kill()
            self._process.wait()
            told = {"worker": self._place.number, "reason": why.decode() or "it said nothing"}
            logs.LOGGER.error("a worker could not start: tried again", extra=told)
            return False
        self._listens()
        return True

    def _listens(self) -> None:
        self._ready = True
        told = {"worker": self._place.number, "pid": self._process.pid}
        logs.LOGGER.info("worker listening", extra=told)

    def _order(self, order: object) -> None:
        with contextlib.suppress(OSError):  # it has ended
            self._pipe.send(order)


def _pass_log(reading: IO[bytes]) -> None:
    """Pass a worker's lines on to the parent's log, so that nobody waits for a reader."""
    rest = b""
    with reading:
        while chunk := os.read(reading.fileno(), _CHUNK):
            lines = (rest + chunk).splitlines(keepends=True)
            rest = lines.pop() if not lines[-1].endswith(b"\n") else b""
            logs.write_lines(lines)
    if rest:
        logs.write_line(rest + b"\n")

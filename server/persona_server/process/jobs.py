"""A job that a thread of its own repeats, with its own connection to the database."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from persona_server.telemetry.logs import LOGGER

AGAIN_SECONDS = 600.0  # until it is logged again that a job fails for the same reason


class Job(NamedTuple):
    """Something to repeat every `interval` seconds, first at start."""

    name: str
    interval: float
    run: Callable[[], object]


def _nothing(_error: Exception) -> None:
    pass


class JobRunner:
    """Repeats one job. If it fails, `failed` is told, and it is tried again when it is due."""

    def __init__(self, job: Job, failed: Callable[[Exception], object] = _nothing) -> None:
        self._job = job
        self._failed = failed
        self._stopped = False
        self._reason, self._logged = "", 0.0  # of its last failure, and when it was told
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._run, name=job.name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Run it now, or at once again if it runs."""
        self._due.set()

    def stop(self, seconds: float) -> None:
        """Run it no more, and wait so long at most for the run under way to end by itself."""
        self._stopped = True
        self.wake()
        if self._thread.ident is not None:
            self._thread.join(max(seconds, 0.0))

    def _run(self) -> None:
        while True:
            self._due.clear()
            if self._stopped:
                return
            try:
                self._job.run()
                self._reason = ""
            except Exception as error:  # noqa: BLE001 (the next run may succeed)
                self._log(error)
                self._failed(error)
            self._due.wait(self._job.interval)

    def _log(self, error: Exception) -> None:
        """Log a failure, but of one that goes on not every run: some jobs are due each second."""
        reason, now = f"{type(error).__name__}: {error}", time.monotonic()
        if reason != self._reason or now - self._logged >= AGAIN_SECONDS:
            LOGGER.error("job failed", extra={"job": self._job.name}, exc_info=error)
            self._reason, self._logged = reason, now

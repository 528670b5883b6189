"""A job that a thread of its own repeats, with its own connection to the database."""

import threading
from collections.abc import Callable
from typing import NamedTuple

from persona_server.telemetry.logs import LOGGER


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
            except Exception as error:  # noqa: BLE001 (the next run may succeed)
                LOGGER.exception("job failed", extra={"job": self._job.name})
                self._failed(error)
            self._due.wait(self._job.interval)

"""The one job runner of a process: a thread that repeats what is due, with its own connection."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from persona_server.logs import LOGGER


@dataclass
class Job:
    """Something to repeat every `interval` seconds, first at start."""

    name: str
    interval: float
    run: Callable[[], None]
    due: float = field(default=0.0)


class JobRunner:
    """Runs jobs one after the other. A job that fails is logged and tried again when it is due."""

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs = jobs
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Stop before the next job, and wait for the one that runs."""
        self._stopped.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped.is_set():
            job = min(self._jobs, key=lambda job: job.due)
            if self._stopped.wait(max(job.due - time.monotonic(), 0)):
                return
            try:
                job.run()
            except Exception:  # noqa: BLE001 (the next job must run all the same)
                LOGGER.exception("job failed", extra={"job": job.name})
            job.due = time.monotonic() + job.interval

"""Log and metrics of finished calls, written together a moment later.

One by one, a line and two figures cost a fifth of a read: each touches code that the next call has
pushed out of the processor's caches. What is unexpected is logged at once, see steps.py.
"""

import atexit
import threading
import time
from collections import deque
from typing import NamedTuple

from persona_server import logs
from persona_server.metrics import Metrics

DELAY = 0.02  # seconds a finished call may wait to be seen
MOST = 100_000  # calls that may wait: where stderr is stuck, the oldest are dropped


class FinishedCall(NamedTuple):
    """A call that is over. `at` is in seconds since 1970, `seconds` how long it took."""

    at: float
    seconds: float
    request_id: str
    method: str
    code: str
    reason: str
    tenant: str
    error_id: str


class Recorder:
    """Takes finished calls from every thread; one thread of its own writes them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._calls: deque[FinishedCall] = deque(maxlen=MOST)
        self._some = threading.Event()
        threading.Thread(target=self._run, name="recorder", daemon=True).start()
        atexit.register(self.flush)
        metrics.before_scrape = self.flush

    def add(self, call: FinishedCall) -> None:
        """Take a finished call."""
        self._calls.append(call)
        if not self._some.is_set():
            self._some.set()

    def written(self, personas: int) -> None:
        """Count personas that became visible, before their call is answered."""
        self._metrics.written.inc(personas)

    def flush(self) -> None:
        """Write what is waiting."""
        taken = []
        while self._calls:
            try:
                taken.append(self._calls.popleft())
            except IndexError:  # another thread took the last one
                break
        for call in taken:
            self._metrics.finished(call.method, call.code, call.seconds)
        logs.write_calls((call.at, _fields(call)) for call in taken)

    def _run(self) -> None:
        while self._some.wait():
            time.sleep(DELAY)
            self._some.clear()
            try:
                self.flush()
            except Exception:  # noqa: BLE001 (the next ones must be written all the same)
                logs.LOGGER.exception("calls could not be logged")


def _fields(call: FinishedCall) -> dict[str, object]:
    return {
        "request_id": call.request_id,
        "method": call.method,
        "code": call.code,
        "reason": call.reason,
        "duration_ms": round(call.seconds * 1000, 3),
        "tenant": call.tenant,
        "error_id": call.error_id,
    }

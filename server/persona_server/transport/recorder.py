"""Log and metrics of finished calls, written together a moment later.

One by one, a line and two figures cost a fifth of a read: each touches code that the next call has
pushed out of the processor's caches. What is unexpected is logged at once, see steps.py.
"""

import atexit
import threading
import time
from collections import deque
from typing import NamedTuple

from persona_server.telemetry import logs
from persona_server.telemetry.metrics import Metrics

DELAY = 0.02  # seconds a finished call may wait to be seen


class FinishedCall(NamedTuple):
    """A call that is over. `at` is in seconds since 1970.

    `seconds` is how long it took from its arrival, and `waited` the part of that before a thread
    took it. `peer` is the address of the connection's other end: of the gateway, for REST.
    `trace_id` is that of the trace which the call belongs to, `size` the bytes of its messages and
    answers.
    """

    at: float
    seconds: float
    waited: float
    request_id: str
    method: str
    code: str
    reason: str
    tenant: str
    error_id: str
    peer: str
    trace_id: str = ""
    size: int = 0


class Recorder:
    """Takes finished calls from every thread; one thread of its own writes them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._calls: deque[FinishedCall] = deque()
        self._counted: list[FinishedCall] = []
        self._counting = threading.Lock()
        self._some = threading.Event()
        threading.Thread(target=self._run, name="recorder", daemon=True).start()
        atexit.register(self.flush)
        metrics.before_scrape = self.count

    def add(self, call: FinishedCall) -> None:
        """Take a finished call."""
        self._calls.append(call)
        if not self._some.is_set():
            self._some.set()

    def count(self) -> None:
        """Count what is waiting, and leave its lines to the next flush."""
        with self._counting:  # a scrape asks for it too
            calls = [self._calls.popleft() for _ in range(len(self._calls))]
            for call in calls:
                self._metrics.finished(call.method, call.code, call.seconds, call.waited)
                worked = call.seconds - call.waited
                self._metrics.tenants.finished(call.tenant, call.code, worked, call.size)
            self._counted += calls

    def written(self, personas: int) -> None:
        """Count personas that became visible, before their call is answered."""
        self._metrics.written.inc(personas)

    def flush(self) -> None:
        """Count and log what is waiting."""
        self.count()
        with self._counting:
            calls, self._counted = self._counted, []
        logs.write_calls([(call.at, _fields(call)) for call in calls])

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
        "trace_id": call.trace_id,
        "method": call.method,
        "code": call.code,
        "reason": call.reason,
        "duration_ms": round(call.seconds * 1000, 3),
        "waited_ms": round(call.waited * 1000, 3),
        "peer": call.peer,
        "tenant": call.tenant,
        "error_id": call.error_id,
    }

"""A worker: `python -m persona_server.workers.child DESCRIPTOR`, of the pipe to its parent."""

import os
import sys
from multiprocessing.connection import Connection, wait
from typing import Any, TypeAlias

from persona_server.process import memory
from persona_server.process.certificates import CertificateError
from persona_server.process.jobs import Job, JobRunner
from persona_server.process.signals import RELOAD as HANG_UP
from persona_server.running.app import App
from persona_server.running.composing import StartError
from persona_server.settings.config import Settings
from persona_server.storage.engine.database import shown
from persona_server.storage.engine.errors import DatabaseError, refusing_to_open
from persona_server.telemetry import logs
from persona_server.workers.place import BEAT_SECONDS, END_HEALTH, METRICS, READY, Place

Parent: TypeAlias = "Connection[bytes, Any]"


def main() -> None:
    """Serve until the parent says to stop, a signal comes, or the parent is gone."""
    parent: Parent = Connection(int(sys.argv[1]))
    place: Place = parent.recv()
    settings = place.settings
    _pin(place.number)
    logs.take_over_stderr()
    logs.name_worker(place.number, readable=place.readable)
    logs.configure(settings.log_level)
    try:
        with refusing_to_open(shown(settings.place)):
            app = App(settings, place)
            app.start()
    except (CertificateError, DatabaseError, StartError) as error:
        parent.send_bytes(str(error).encode())
        logs.drain()
        os._exit(1)  # threads of what has begun would keep the interpreter alive
    memory.set_apart()
    # By its own thread: the main one may wait for the parent to read a page of metrics.
    JobRunner(Job("beat", BEAT_SECONDS, app.beat)).start()
    parent.send_bytes(READY)
    _follow(app, parent)


def _pin(number: int) -> None:
    """Run on one core, each worker on the next, where the system has such a thing."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[number % len(cores)]})


def _follow(app: App, parent: Parent) -> None:
    """Do what the parent says, and return when all is over.

    Without a parent nobody would replace, stop or count this worker, so it ends at once. What was
    answered is on disk.
    """
    signals = app.wake.fileno()
    while True:
        for ready in wait([parent, signals]):
            if ready == signals:
                if (name := app.wake.wait()) != HANG_UP:  # which is for the parent to heed
                    return app.stop(name)
                continue
            order = _order(parent)
            if order == METRICS:
                parent.send_bytes(app.metrics.page())
            elif order == END_HEALTH:
                app.end_health()
            elif isinstance(order, Settings):
                app.take(order)
            else:
                return app.stop(grace=float(order))


def _order(parent: Parent) -> Any:
    try:
        return parent.recv()
    except (EOFError, OSError):
        os._exit(1)


if __name__ == "__main__":
    main()

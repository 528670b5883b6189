"""Interrupts statements for which nobody waits any more."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import psycopg

from persona_server import patience
from persona_server.storage.engine.postgresql.connection import Connection

LOOK_SECONDS = 0.05  # between two looks at the callers
CANCEL_SECONDS = 1.0  # for the database to take the wish; then the connection is cut


class Watch:
    """Looks at the callers of all statements that run, from a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Connection, Callable[[], bool]] = {}
        self._begun = threading.Event()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def over(self, connection: Connection) -> AbstractContextManager[None]:
        """Interrupt the statement of a block once its caller is gone, and no other one."""
        is_gone = patience.caller()
        return _NOBODY if is_gone is None else _Watched(self, connection, is_gone)

    def begin(self, connection: Connection, is_gone: Callable[[], bool]) -> None:
        """Look at the caller of a statement from now on."""
        self._running[connection] = is_gone
        if not self._begun.is_set():
            self._begun.set()
        if self._thread is None:
            self._start()

    def end(self, connection: Connection) -> None:
        """Look at it no more."""
        with self._lock:  # not while it is being interrupted: that would reach the next one
            self._running.pop(connection, None)

    def close(self) -> None:
        """Look no more."""
        self._is_closed = True
        self._begun.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        ended = threading.Event()
        while not self._is_closed:
            self._begun.wait()
            ended.wait(LOOK_SECONDS)
            for connection, is_gone in list(self._running.items()):
                if is_gone():
                    self._interrupt(connection, is_gone)
            if not self._running:
                self._begun.clear()
                if self._running:  # one that began just now
                    self._begun.set()

    def _interrupt(self, connection: Connection, is_gone: Callable[[], bool]) -> None:
        with self._lock:
            if self._running.get(connection) is not is_gone:  # another caller's by now
                return
            del self._running[connection]
            try:
                connection.cancel_safe(timeout=CANCEL_SECONDS)
            except psycopg.Error:
                _cut(connection)


class _Watched:
    """A block whose statement is watched. A class, since every statement enters one."""

    __slots__ = ("_connection", "_is_gone", "_watch")

    def __init__(self, watch: Watch, connection: Connection, is_gone: Callable[[], bool]) -> None:
        self._watch, self._connection, self._is_gone = watch, connection, is_gone

    def __enter__(self) -> None:
        self._watch.begin(self._connection, self._is_gone)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, psycopg.errors.QueryCanceled):
            patience.end()  # what takes the transaction back is not disturbed
        self._watch.end(self._connection)


_NOBODY: AbstractContextManager[None] = contextlib.nullcontext()


def _cut(connection: Connection) -> None:
    """End a connection that a database does not serve: who reads from it sees its end."""
    with (
        contextlib.suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as same,
    ):
        same.shutdown(socket.SHUT_RDWR)

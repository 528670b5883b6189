"""Ends statements for which nobody waits any more, or which the database leaves unanswered."""

import contextlib
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import psycopg

from persona_server import patience
from persona_server.storage.engine.postgresql.connection import Connection

LOOK_SECONDS = 0.05  # between two looks at the callers
END_SECONDS = 0.1  # for the database to end a statement when asked; then the connection is cut


class Watch:
    """Looks at the callers of all statements that run, from a thread of its own.

    `longest` is how many seconds a statement may take, whoever waits for it.
    """

    def __init__(self) -> None:
        self.longest = math.inf
        self._lock = threading.Lock()
        self._running: dict[Connection, _Watched] = {}
        self._begun = threading.Event()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def over(
        self, connection: Connection, *, commits: bool = False
    ) -> AbstractContextManager[None]:
        """End the statement of a block, and no other one, once its caller is gone.

        Raises psycopg's QueryCanceled then, and OperationalError if it took too long. Of a
        statement that `commits` nobody knows then whether it did: that is an OperationalError in
        any case. Nor is it cancelled: one that waits for a replica would be kept without it.
        """
        is_gone = patience.caller()
        if is_gone is None and self.longest == math.inf:
            return _NOBODY
        return _Watched(self, connection, is_gone, self.longest, cancels=not commits)

    def at_most(
        self, connection: Connection, seconds: float, is_gone: Callable[[], bool] | None = None
    ) -> AbstractContextManager[None]:
        """Cut the connection of a block that takes longer, or whose caller is gone.

        Raises psycopg's OperationalError then.
        """
        return _Watched(self, connection, is_gone, seconds, cancels=False)

    def begin(self, watched: "_Watched") -> None:
        """Look at a statement from now on."""
        self._running[watched.connection] = watched
        if not self._begun.is_set():
            self._begun.set()
        if self._thread is None:
            self._start()

    def end(self, connection: Connection) -> None:
        """Look at it no more."""
        with self._lock:  # not while it begins to be ended: that would reach the next one
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
            for watched in list(self._running.values()):
                if watched.is_over():
                    self._interrupt(watched)
            if not self._running:
                self._begun.clear()
                if self._running:  # one that began just now
                    self._begun.set()

    def _interrupt(self, watched: "_Watched") -> None:
        with self._lock:
            if self._running.get(watched.connection) is watched:  # else it has ended by now
                del self._running[watched.connection]
                watched.interrupt()


class _Watched:
    """A block whose statement is watched. A class, since every statement enters one."""

    __slots__ = ("_cancels", "_ending", "_is_gone", "_until", "_watch", "connection")

    def __init__(
        self,
        watch: Watch,
        connection: Connection,
        is_gone: Callable[[], bool] | None,
        seconds: float,
        *,
        cancels: bool,
    ) -> None:
        self._watch, self.connection, self._is_gone = watch, connection, is_gone
        self._until, self._cancels = time.monotonic() + seconds, cancels
        self._ending: _Ending | None = None

    def is_over(self) -> bool:
        """Return whether to end it: its caller is gone, or it has taken too long."""
        is_gone = self._is_gone
        return (is_gone is not None and is_gone()) or time.monotonic() >= self._until

    def interrupt(self) -> None:
        """Begin to end it, in a thread of its own: a database that hangs must not hold up others.

        It is entered, and not left before this returns.
        """
        self._ending = _Ending(self.connection, cancels=self._cancels)
        self._ending.start()

    def __enter__(self) -> None:
        self._watch.begin(self)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._watch.end(self.connection)
        if self._ending is None:
            return
        if self._ending.has_cut():
            self.connection.close()  # it may not have noticed, and must not be lent again
        if not isinstance(error, psycopg.Error):
            return
        patience.end()  # what takes the transaction back is not disturbed
        if not self._cancels or time.monotonic() >= self._until:
            raise psycopg.OperationalError("the database has not answered in time") from error
        if not isinstance(error, psycopg.errors.QueryCanceled):
            raise psycopg.errors.QueryCanceled("nobody waits any more") from error


class _Ending(threading.Thread):
    """Asks the database to end a statement, and cuts the connection if that does not help."""

    def __init__(self, connection: Connection, *, cancels: bool) -> None:
        super().__init__(name="ending", daemon=True)
        self._connection, self._cancels = connection, cancels
        self._over = threading.Event()
        self._has_cut = False

    def run(self) -> None:
        until = time.monotonic() + END_SECONDS
        try:
            if self._cancels:
                self._connection.cancel_safe(timeout=END_SECONDS)
            ended = self._over.wait(max(until - time.monotonic(), 0.0))
        except psycopg.Error:  # it may still be heard, by what is asked next
            ended = False
        if not ended:
            self._has_cut = True
            _cut(self._connection)

    def has_cut(self) -> bool:
        """Say that the statement is over; return whether its connection is, too."""
        self._over.set()
        self.join()
        return self._has_cut


_NOBODY: AbstractContextManager[None] = contextlib.nullcontext()


def _cut(connection: Connection) -> None:
    """End a connection that a database does not serve: who reads from it sees its end."""
    with (
        contextlib.suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as same,
    ):
        same.shutdown(socket.SHUT_RDWR)

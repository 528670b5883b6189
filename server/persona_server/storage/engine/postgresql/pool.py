"""Connections that threads borrow: for a statement, or for a transaction."""

import select
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait

from psycopg.pq import TransactionStatus

from persona_server import patience
from persona_server.storage.engine.postgresql.connection import Connection

MOST = 40  # connections: as many as threads may work at once; of the others most wait for callers
AHEAD = 12  # opened at the start
WAIT = 10.0  # seconds for one, at most
LOOK_SECONDS = 0.05  # between two looks at who waits for one that is being opened
FRESH = 0.005  # seconds after its last use in which a connection is not looked at


class Pool:
    """At most so many connections, the one used last borrowed first."""

    def __init__(self, connect: Callable[[], Connection], most: int = MOST) -> None:
        self._connect = connect
        self._places = threading.Semaphore(most)
        self._idle: deque[tuple[Connection, float]] = deque()  # and since when
        self._borrowed: set[int] = set()  # by id()

    def take(self) -> Connection:
        """Borrow a connection.

        Raises TimeoutError, DEADLINE_EXCEEDED, and psycopg's errors where it must connect.
        """
        if not self._places.acquire(timeout=max(min(WAIT, patience.left()), 0.0)):
            patience.require()
            raise TimeoutError
        try:
            taken = self._take_idle()
        except BaseException:
            self._places.release()
            raise
        if taken is None:
            taken = self._opened()
        self._borrowed.add(id(taken))
        return taken

    def _opened(self) -> Connection:
        """Return a new connection, which another thread opens.

        It may wait for names, networks and a database that hangs, and who asks for it no longer
        than for anything else. Raises as `take` does, and then that thread has the place.
        """
        opening: Future[Connection] = Future()
        thread = threading.Thread(target=self._open, args=(opening,), name="connect", daemon=True)
        try:
            thread.start()
        except BaseException:
            self._places.release()
            raise
        while not opening.done():
            wait((opening,), LOOK_SECONDS)
            if patience.is_over() and opening.cancel():
                patience.require()
        return opening.result()

    def _open(self, opening: "Future[Connection]") -> None:
        """Open a connection for who waits for it, or for the next one if nobody does any more."""
        try:
            connection = self._connect()
        except BaseException as error:  # noqa: BLE001 (it is who asked that it concerns)
            self._places.release()
            if opening.set_running_or_notify_cancel():
                opening.set_exception(error)
            return
        if opening.set_running_or_notify_cancel():
            opening.set_result(connection)
        else:
            self.give_back(connection)

    def _take_idle(self) -> Connection | None:
        """Return a connection that waits, if there is one that the database has not ended."""
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:  # another thread has it
                return None
            if time.monotonic() - since < FRESH or not _has_news(connection):
                return connection
            connection.close()
        return None

    def give_back(self, connection: Connection) -> None:
        """Give a connection back; one that is of no use any more is closed."""
        self._borrowed.discard(id(connection))
        if connection.pgconn.transaction_status == TransactionStatus.IDLE:
            self._idle.append((connection, time.monotonic()))
        else:
            connection.close()
        self._places.release()

    @property
    def idle(self) -> int:
        """How many connections nobody has borrowed."""
        return len(self._idle)

    @property
    def busy(self) -> int:
        """How many connections are borrowed."""
        return len(self._borrowed)

    def open_ahead(self, count: int) -> None:
        """Open connections for so many threads, but no more than mostly work at once."""
        opened = [self.take() for _ in range(min(count, AHEAD))]
        for connection in opened:
            self.give_back(connection)

    def close_idle(self) -> None:
        """Close all connections that nobody has borrowed."""
        while self._idle:
            try:
                self._idle.pop()[0].close()
            except IndexError:  # another thread has it
                return


def _has_news(connection: Connection) -> bool:
    """Return whether a database that was asked nothing has said something: that it ends, mostly."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))

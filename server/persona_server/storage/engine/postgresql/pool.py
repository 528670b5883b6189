"""Connections that threads borrow: for a statement, or for a transaction."""

import select
import threading
import time
from collections import deque
from collections.abc import Callable

from psycopg.pq import TransactionStatus

from persona_server.storage.engine.postgresql.connection import Connection

MOST = 40  # connections: as many as threads may work at once; of the others most wait for callers
AHEAD = 12  # opened at the start
WAIT = 10.0  # seconds for one, at most
FRESH = 0.005  # seconds after its last use in which a connection is not looked at


class Pool:
    """At most so many connections, the one used last borrowed first."""

    def __init__(self, connect: Callable[[], Connection], most: int = MOST) -> None:
        self._connect = connect
        self._places = threading.Semaphore(most)
        self._idle: deque[tuple[Connection, float]] = deque()  # and since when
        self._borrowed: set[int] = set()  # by id()

    def take(self) -> Connection:
        """Borrow a connection. Raises TimeoutError, and psycopg's errors where it must connect."""
        if not self._places.acquire(timeout=WAIT):
            raise TimeoutError
        try:
            taken = self._take_idle() or self._connect()
        except BaseException:
            self._places.release()
            raise
        self._borrowed.add(id(taken))
        return taken

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

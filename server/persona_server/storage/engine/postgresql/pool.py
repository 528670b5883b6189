"""Connections that threads borrow: for a statement, or for a transaction."""

import threading
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import psycopg
from psycopg.pq import TransactionStatus

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]

MOST = 16  # connections; fewer than threads, of which most wait for callers
WAIT = 10.0  # seconds for one, at most


class Pool:
    """At most so many connections, the one used last borrowed first."""

    def __init__(self, connect: Callable[[], Connection], most: int = MOST) -> None:
        self._connect = connect
        self._places = threading.Semaphore(most)
        self._idle: deque[Connection] = deque()

    def take(self) -> Connection:
        """Borrow a connection. Raises TimeoutError, and psycopg's errors where it must connect."""
        if not self._places.acquire(timeout=WAIT):
            raise TimeoutError
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            return self._connect()
        except BaseException:
            self._places.release()
            raise

    def give_back(self, connection: Connection) -> None:
        """Give a connection back; one that is of no use any more is closed, with all that wait.

        What ended it has ended the others too, as when the database starts anew.
        """
        if connection.closed:
            self.close_idle()
        elif connection.info.transaction_status != TransactionStatus.IDLE:
            connection.close()
        else:
            self._idle.append(connection)
        self._places.release()

    def open_ahead(self, count: int) -> None:
        """Open so many connections, or as many as there may be."""
        opened = [self.take() for _ in range(min(count, MOST))]
        for connection in opened:
            self.give_back(connection)

    def close_idle(self) -> None:
        """Close all connections that nobody has borrowed."""
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:  # another thread has it
                return

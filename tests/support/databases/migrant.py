"""A program that migrates a database in children: killed at a step, or several at once.

It is told by lines. A number is the step: the child is killed before that statement, or at -1 once
PostgreSQL has been told to commit. "all" lets ten run `persona migrate`. It says how each ended: 0,
or by which signal.
"""

import itertools
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from persona_cli.command_line import app
from persona_server.storage.engine.postgresql.database import PostgresqlDatabase
from persona_server.storage.engine.sqlite.database import SqliteDatabase
from persona_server.storage.store import open_store

MIGRANTS = 10
AT_COMMIT = -1
WAIT_SECONDS = 60.0  # for each other


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at(place: str, step: int) -> None:
    """Open the store at a place, as a server's start does, and die at a step."""
    is_url = "://" in place
    kind: Any = PostgresqlDatabase if is_url else SqliteDatabase
    numbers, execute = itertools.count(), kind.execute_sql

    def counted(self: Any, *arguments: Any) -> Any:
        if next(numbers) == step:
            die()
        return execute(self, *arguments)

    def committed(self: Any) -> None:
        self._state.conn.pgconn.send_query(b"COMMIT")
        die()

    kind.execute_sql = counted
    if step == AT_COMMIT:
        kind.commit = committed
    open_store(place if is_url else Path(place)).close()


def migrate(place: str, together: Barrier) -> None:
    """Run `persona migrate`, as the command does; all of them change the schema together."""
    migrating = PostgresqlDatabase.migrating

    def at_once(self: PostgresqlDatabase) -> Any:
        together.wait(WAIT_SECONDS)
        return migrating(self)

    PostgresqlDatabase.migrating = at_once  # type: ignore[method-assign]
    app(["migrate", "--database", place])


def child(run: Callable[..., None], *arguments: Any) -> int:
    """Start a child and return its process id."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        run(*arguments)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """Wait for a child, and return how it ended."""
    status = os.waitpid(pid, 0)[1]
    return os.WTERMSIG(status) or os.WEXITSTATUS(status)


def main(place: str) -> None:
    """Do what is told on standard input."""
    for line in sys.stdin:
        if line.strip() == "all":
            together = multiprocessing.Barrier(MIGRANTS)
            children = [child(migrate, place, together) for _ in range(MIGRANTS)]
        else:
            children = [child(killed_at, place, int(line))]
        print(*map(ended, children), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

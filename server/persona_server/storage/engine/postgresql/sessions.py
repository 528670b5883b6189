"""What a connection is told, and when: once for good, or behind a pooler in each transaction."""

from typing import Protocol

from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.postgresql import presence
from persona_server.storage.engine.postgresql.connection import MOST_PREPARED, Connection

NEVER = 1 << 30  # executions after which psycopg prepares what nobody asked it to
# Plans must not depend on bound values, nor be made at every call; and they stay while tables grow.
# So each must be good at any size: row by row through indexes, as SQLite goes. What is compiled
# takes longer than any of these statements.
OPTIONS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    "enable_bitmapscan": "off",
    "jit": "off",
    "idle_in_transaction_session_timeout": "60s",
    "statement_timeout": "0",  # of a role, say: calls have deadlines, and commands take their time
    "default_transaction_isolation": "read committed",
}


def _escaped(value: str) -> str:
    return value.replace(" ", "\\ ")


class Sessions(Protocol):
    """How connections learn what they need to know."""

    options: str  # of the server, with which a connection is opened
    prepares: bool  # whether what a connection has prepared stays

    def set_up(self, connection: Connection) -> None:
        """Make a new connection ready. Raises DatabaseError where it is of another kind."""

    def use(self, connection: Connection) -> None:
        """Let a new connection say that the database is in use, if it can keep that.

        Raises psycopg's errors, also where a command has the database to itself.
        """

    def begin(self, connection: Connection, how: str) -> None:
        """Begin a transaction by statements. Raises as `use` does."""


class OwnSessions:
    """Connections of the database's own, each told once: it knows it until its end."""

    prepares = True
    options = " ".join(f"-c {name}={_escaped(value)}" for name, value in OPTIONS.items())

    def set_up(self, connection: Connection) -> None:
        """Let it keep statements prepared; one that does not keep its options is a pooler's."""
        connection.prepared_max = MOST_PREPARED
        connection.prepare_threshold = NEVER
        if connection.execute("SHOW plan_cache_mode").fetchone() != (OPTIONS["plan_cache_mode"],):
            raise DatabaseError(
                "What a connection asks for is not kept: this is a pooler. Name the database "
                "behind it, or serve with --pooler."
            )

    def use(self, connection: Connection) -> None:
        """Let it keep the lock of those who use the database."""
        presence.share(connection)

    def begin(self, connection: Connection, how: str) -> None:
        """Begin a transaction."""
        connection.compiled.command(how)


class PooledSessions:
    """Connections of a pooler, which has another one of the database's for each transaction.

    So each transaction is told all, and has the lock of those who use the database. Nothing is
    prepared, and a statement by itself is planned as the database would: who would know more?
    """

    prepares = False
    options = ""
    _told = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in OPTIONS.items())

    def set_up(self, connection: Connection) -> None:
        """Let nothing be prepared."""
        connection.prepare_threshold = None

    def use(self, connection: Connection) -> None:
        """Do nothing: the next to have what is behind it is somebody else."""

    def begin(self, connection: Connection, how: str) -> None:
        """Begin a transaction, and tell it."""
        presence.share_once(connection, f"{how}; {self._told}")

"""What the role of a server may do, which owns nothing: read, write, and add to what is kept."""

from collections.abc import Collection

from psycopg import Connection, sql

from persona_server.storage.engine.history import HISTORY


def grant(connection: Connection[tuple[object, ...]], role: str, kept: Collection[str]) -> None:
    """Give a role the rights of a server on all tables; in those `kept` it may only add rows."""
    who = sql.Identifier(role)
    every = sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}")
    connection.execute(every.format(who))
    for table in kept:
        revoke = sql.SQL("REVOKE UPDATE, DELETE ON {} FROM {}")
        connection.execute(revoke.format(sql.Identifier(table), who))
    history = sql.SQL("REVOKE INSERT, UPDATE, DELETE ON {} FROM {}")
    connection.execute(history.format(sql.Identifier(HISTORY), who))

"""Who may do what: the owner of the tables all, a server's role reads, writes and adds."""

from collections.abc import Collection

from psycopg import Connection, sql

from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.history import HISTORY

_ROLE = "SELECT current_user, pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass"
_OTHER = """
SELECT nspname, pg_has_role(%s, relowner, 'USAGE')
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = %s::regclass
"""
_LACKING = """
SELECT current_user, name FROM unnest(%s::text[]) AS name, to_regclass(quote_ident(name)) AS found
WHERE NOT coalesce(
    has_table_privilege(found, 'SELECT') AND has_table_privilege(found, 'INSERT')
    AND (
        name = ANY(%s)
        OR has_table_privilege(found, 'UPDATE') AND has_table_privilege(found, 'DELETE')
    ),
    false
) LIMIT 1
"""

Link = Connection[tuple[object, ...]]


def require_owner(connection: Link) -> None:
    """Raise DatabaseError where the role of a connection is not that of the tables' owner."""
    found = connection.execute(_ROLE, [HISTORY]).fetchone()
    if found is not None and not found[1]:
        raise DatabaseError(
            f"The role {found[0]} does not own the tables, and this needs their owner's. "
            "Name it in the URL."
        )


def require_rights(connection: Link, tables: Collection[str], kept: Collection[str]) -> None:
    """Raise DatabaseError where the role of a connection may not use all of these tables.

    To those `kept` it adds rows alone.
    """
    found = connection.execute(_LACKING, [list(tables), list(kept)]).fetchone()
    if found is not None:
        raise DatabaseError(
            f"The role {found[0]} may not read or write the table {found[1]}: let the owner say "
            f"`persona migrate --grant-to {found[0]}`."
        )


def grant(connection: Link, role: str, tables: Collection[str], kept: Collection[str]) -> None:
    """Give a role the rights of a server on these tables; in those `kept` it may only add rows.

    What else is in their schema, such as the views of an extension, may be somebody else's. Raises
    DatabaseError where the role of the connection can't, or the other one owns them.
    """
    require_owner(connection)
    found = connection.execute(_OTHER, [role, HISTORY]).fetchone()
    if found is None:
        raise DatabaseError("There are no tables that rights could be given on.")
    schema, owns = found
    if owns:
        raise DatabaseError(
            f"The role {role} owns the tables, or may do all: rights would be taken from it. Name "
            "the role that servers have."
        )
    who, where = sql.Identifier(role), sql.Identifier(str(schema))
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(where, who))
    every, added = (sql.SQL(", ").join(map(sql.Identifier, names)) for names in (tables, kept))
    history = sql.Identifier(HISTORY)
    for text, on in (
        ("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}", every),
        ("REVOKE UPDATE, DELETE ON {} FROM {}", added),
        ("GRANT SELECT ON {} TO {}", history),
        ("REVOKE INSERT, UPDATE, DELETE ON {} FROM {}", history),
    ):
        connection.execute(sql.SQL(text).format(on, who))

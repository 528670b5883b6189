"""Rows inserted by COPY, which takes a third of the work of as many statements."""

from collections.abc import Sequence
from typing import Any

import psycopg

from persona_server.storage.engine.database import Target
from persona_server.storage.engine.postgresql.connection import Connection

FEWEST = 10  # rows for which it is worth while
# The types of columns, by Peewee's names.
_TYPES = {"BIGINT": "int8", "INT": "int8", "BLOB": "bytea", "TEXT": "text", "FLOAT": "float8"}


def copy(connection: Connection, into: Target, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows. Raises psycopg's errors, also where the server ends meanwhile."""
    columns = ", ".join(f'"{name}"' for name in into.columns)
    sql = f'COPY "{into.table}" ({columns}) FROM STDIN (FORMAT BINARY)'
    try:
        with connection.cursor().copy(sql.encode()) as copying:
            copying.set_types([_TYPES[kind] for kind in into.columns.values()])
            for row in rows:
                copying.write_row(row)
    except ValueError as error:
        if connection.pgconn.status == psycopg.pq.ConnStatus.OK:
            raise
        raise psycopg.OperationalError("the connection was lost") from error

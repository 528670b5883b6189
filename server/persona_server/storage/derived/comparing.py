"""Whether what is kept of answers is what they would make anew."""

import hashlib

from persona_server.storage import keys, tables
from persona_server.storage.engine.database import LOCK_TIMEOUT
from persona_server.storage.engine.errors import driver_errors_translated
from persona_server.storage.store import Store

DERIVED = (
    tables.Question,
    tables.Series,
    tables.Piece,
    tables.Tally,
    tables.Sums,
    tables.Asked,
    tables.Answered,
    tables.AnswerSet,
    tables.AnswerModel,
)


class _DoneError(Exception):
    """Ends the transaction in which all was made anew, so that it is taken back."""


def differing(store: Store) -> list[str]:
    """Return the derived tables that a rebuild would change, which is tried and taken back.

    Nobody can write meanwhile. Raises ServiceError.
    """
    different: list[str] = []
    try:
        with driver_errors_translated(), store.database.write(LOCK_TIMEOUT):
            before = _hashes(store)
            store.rebuild.within(keys.now())
            after = _hashes(store)
            different = [name for name in before if before[name] != after[name]]
            raise _DoneError
    except _DoneError:
        return different


def voiding(store: Store) -> bool:
    """Return whether answers of void simulations are still to be taken out."""
    return bool(store.database.execute_sql("SELECT 1 FROM voiding LIMIT 1").fetchall())


def _hashes(store: Store) -> dict[str, bytes]:
    names = [model._meta.table_name for model in DERIVED]
    return {name: _hash(store, name) for name in names}


def _hash(store: Store, table: str) -> bytes:
    """Return a hash over the rows of a table, in the order of all its columns."""
    found = hashlib.sha256()
    columns = [column.name for column in store.database.get_columns(table)]
    order = ", ".join(f'"{name}"' for name in columns)
    for row in store.database.execute_sql(f'SELECT * FROM "{table}" ORDER BY {order}'):  # noqa: S608
        found.update(repr(row).encode())
    return found.digest()

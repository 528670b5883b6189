"""Whether what is kept of answers is what they would make anew."""

import hashlib
from typing import Any

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
    return {model._meta.table_name: _hash(store, model) for model in DERIVED}


def _hash(store: Store, model: Any) -> bytes:
    """Return a hash over the rows of a table, in the order of all its columns."""
    found = hashlib.sha256()
    order = ", ".join(f'"{field.column_name}"' for field in model._meta.sorted_fields)
    table = model._meta.table_name
    rows = store.database.execute_sql(f'SELECT {order} FROM "{table}" ORDER BY {order}')  # noqa: S608
    for row in rows:
        found.update(repr(row).encode())
    return found.digest()

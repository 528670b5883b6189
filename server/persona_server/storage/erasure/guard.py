"""The database's guards, opened for what one transaction erases."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.errors import driver_errors_translated
from persona_server.storage.engine.statements import Statement, insert_statement, param
from persona_server.storage.store import Store, Transaction

EVERYBODY = b""  # stands for all personas of a tenant, and for what is nobody's
_NOBODY = b"\0"  # names no project: the database refuses to commit with such a row


class Guard:
    """Opens the guards of personas, each time for one transaction."""

    def __init__(self, database: Database) -> None:
        erasing = tables.Erasing
        self._open = insert_statement(database, erasing, ("tenant", "persona_id", "nobody"))
        mine = erasing.tenant_id == param("tenant")
        self._close = Statement(database, erasing.delete().where(mine))

    @contextmanager
    def erasing(
        self, store: Store, tenant: str, personas: Iterable[bytes]
    ) -> Iterator[Transaction]:
        """Run a block in one write transaction that may remove what is kept of these personas."""
        with store.writing(tenant, None) as repositories:
            key = repositories.tenant
            self._open.run_each([(key, persona, _NOBODY) for persona in personas])
            yield repositories
            self._close.run(tenant=key)


def scrub(store: Store) -> None:
    """Leave nothing in the files of what was erased. Raises ServiceError, for a full disk too."""
    with driver_errors_translated():
        store.database.rewrite()

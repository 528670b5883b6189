"""The two databases of a copy: opened, held alone, and refused where they can't be copied."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from persona_server.storage.copying.copier import Copier
from persona_server.storage.copying.progress import Progress, require_finished
from persona_server.storage.copying.tables import Table, contents, parents_first
from persona_server.storage.engine.database import (
    LOCK_TIMEOUT,
    Database,
    DatabasePlace,
    open_database,
    shown,
)
from persona_server.storage.engine.errors import DatabaseError, refusing_to_open
from persona_server.storage.engine.history import HISTORY
from persona_server.storage.migrate import migrate, require_current

_OF_A_DATABASE = {"secret", "tenant"}  # small tables that no two databases have in common


@contextmanager
def copying(source_place: DatabasePlace, target_place: DatabasePlace) -> Iterator[Copier]:
    """Open both databases for a block, in which no server uses either.

    All that is read of the source is of one moment. Raises DatabaseError where one can't be used,
    is of another version, is used by a server, or where the target has rows of something else.
    """
    with _held(source_place, make=False) as source:
        require_finished(source)
        require_current(source)
        with _held(target_place, make=True) as target:
            _make_tables(target)
            with source.snapshot():
                yield _copier(source, target)


@contextmanager
def _held(place: DatabasePlace, *, make: bool) -> Iterator[Database]:
    """Open a database for a block, while no server uses it."""
    with refusing_to_open(shown(place)):
        database = open_database(place, make=make)
        try:
            with database.alone():
                yield database
        finally:
            database.close_all()


def _make_tables(target: Database) -> None:
    """Make the tables of an empty database. One that has any is left as it is."""
    if HISTORY in target.get_tables():
        target.require_owner()
        require_current(target)
    else:
        migrate(target)


def _copier(source: Database, target: Database) -> Copier:
    pairs = [(Table(source, model), Table(target, model)) for model in parents_first(target)]
    progress, mark = Progress(target), _mark([table for table, _ in pairs])
    if (begun := progress.mark()) is None:
        _require_empty(target, [table for _, table in pairs])
        with target.write(LOCK_TIMEOUT):
            progress.begin(mark)
    elif begun != mark:
        raise DatabaseError(
            f"{target.place} has an unfinished copy of another database, or of this one before it "
            "was changed. Name an empty one."
        )
    return Copier(target, progress, pairs)


def _mark(tables: list[Table]) -> str:
    """Return what tells a database from others, and from itself after most changes.

    What it does not tell, the comparison at the end does.
    """
    found = [(table.name, table.count()) for table in tables]
    own = [contents(table) for table in tables if table.name in _OF_A_DATABASE]
    return hashlib.sha256(repr((sorted(found), own)).encode()).hexdigest()


def _require_empty(target: Database, tables: list[Table]) -> None:
    for table in tables:
        if not table.is_empty():
            raise DatabaseError(
                f"{target.place} is not empty: there are rows in {table.name}. Name an empty one."
            )

"""Which migrations a database has had, and how the others are applied."""

import datetime
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from playhouse import apsw_ext
from playhouse.migrations import Runner

from persona_server.storage.engine.database import Database

HISTORY = "schema_migration"  # the table, as Peewee's runner names it


def _nothing(_name: str) -> None:
    pass


class MigrationRunner(Runner):  # type: ignore[misc]
    """Peewee's runner of the migrations in a folder, with its history in the database.

    `begins` is called with the name of each that is to be applied.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database, str(folder))
        self.begins: Callable[[str], None] = _nothing
        if database.engine == "sqlite":
            # Peewee's own field hands a datetime to apsw, which can't bind one.
            applied = apsw_ext.DateTimeField(default=datetime.datetime.now)
            self.History._meta.add_field("applied", applied)

    def _run(self, name: str, module: ModuleType, direction: str, fake: bool = False) -> None:
        self.begins(name)
        super()._run(name, module, direction, fake)

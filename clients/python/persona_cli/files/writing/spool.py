"""What has to be read before its table can be written, on disk while it is many."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from persona.v1.persona_pb2 import Persona
from persona_cli.files.writing.attributes import AttributeColumns
from persona_cli.terminal.failures import CommandError


@contextmanager
def temporary_database(tables: str) -> Iterator[sqlite3.Connection]:
    """Open a database that goes with the block. What fails about it is a CommandError."""
    try:
        with closing(sqlite3.connect("", isolation_level=None)) as database:  # a file of its own
            database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;")
            database.executescript(tables)
            yield database
    except sqlite3.Error as error:
        raise CommandError(f"A temporary file can't be used: {error}.") from None


class PersonaSpool:
    """Personas in the order in which they were added, each once, and found by id."""

    TABLE = "CREATE TABLE personas (id TEXT UNIQUE, body BLOB);"

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.attributes = AttributeColumns()

    def add(self, persona: Persona) -> None:
        """Keep a persona."""
        row = (persona.id, persona.SerializeToString())
        self._database.execute("INSERT OR IGNORE INTO personas VALUES (?, ?)", row)
        self.attributes.see(persona.attributes)

    def __iter__(self) -> Iterator[Persona]:
        for (body,) in self._database.execute("SELECT body FROM personas ORDER BY rowid"):
            yield Persona.FromString(body)

    def __contains__(self, persona_id: str) -> bool:
        query = "SELECT 1 FROM personas WHERE id = ?"
        return self._database.execute(query, (persona_id,)).fetchone() is not None

    def find(self, persona_id: str) -> Persona | None:
        """Return the persona of an id, None if it was not added."""
        query = "SELECT body FROM personas WHERE id = ?"
        row = self._database.execute(query, (persona_id,)).fetchone()
        return Persona.FromString(row[0]) if row else None

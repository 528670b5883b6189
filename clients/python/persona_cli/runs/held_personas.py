"""What a group holds, by which rows are refused that the service would refuse one by one."""

import hashlib
import sqlite3
from collections.abc import Iterable
from typing import Literal, get_args

from persona.v1.persona_pb2 import Persona

# What the service does not compare, or what it gives itself.
_NotCompared = Literal[
    "id", "project_id", "group_id", "library_persona_id", "copied_from", "created_at"
]
_TAKEN = "is taken by a persona of this group with another id or different content"


class HeldPersonas:
    """The personas of a group by id and external id, on disk while they are many."""

    def __init__(self, personas: Iterable[Persona]) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # no name: a file of its own
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
            "CREATE TABLE held (id TEXT PRIMARY KEY, external_id TEXT, content BLOB);"
        )
        rows = ((one.id, one.external_id or None, content_digest(one)) for one in personas)
        self._database.executemany("INSERT OR REPLACE INTO held VALUES (?, ?, ?)", rows)
        self._database.execute("CREATE UNIQUE INDEX by_external ON held (external_id)")

    def refusal(self, persona: Persona) -> str:
        """Return why the group can't take a persona: its id is another one's; "" if it can."""
        wanted = persona.id.lower()
        for name, value in (("external_id", persona.external_id), ("id", wanted)):
            if value and (holder := self._holder(name, value)):
                is_same = holder == (wanted or holder[0], content_digest(persona))
                return "" if is_same else f"{name}: {value} {_TAKEN}"
        return ""

    def close(self) -> None:
        """Drop what was read."""
        self._database.close()

    def _holder(self, name: str, value: str) -> tuple[str, bytes] | None:
        query = f"SELECT id, content FROM held WHERE {name} = ?"  # noqa: S608 (one of two names)
        found: tuple[str, bytes] | None = self._database.execute(query, (value,)).fetchone()
        return found


def content_digest(persona: Persona) -> bytes:
    """Return a digest of what a source says of a persona, whatever the service has given it."""
    compared = Persona()
    compared.CopyFrom(persona)
    for name in get_args(_NotCompared):
        compared.ClearField(name)
    return hashlib.sha256(compared.SerializeToString(deterministic=True)).digest()

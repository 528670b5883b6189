"""Who is the same person as a persona: whatever was copied, promoted or reused of one another."""

from collections.abc import Collection, Iterator

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import id_list, one_of
from persona_server.storage.engine.statements import Statement, param

_CHUNK = 1000  # ids that a query takes


def chunks(ids: Collection[bytes], size: int) -> Iterator[list[bytes]]:
    """Yield ids in lists of at most `size`."""
    everything = list(ids)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]


class Kin:
    """The personas of one tenant, by what ties them to one another."""

    def __init__(self, database: Database, tenant: int) -> None:
        self._tenant = tenant
        persona, link = tables.Persona, tables.LibraryLink
        mine, linked = persona.tenant_id == param("tenant"), link.tenant_id == param("tenant")
        self._there = Statement(
            database, persona.select(persona.id).where(mine & one_of(persona.id))
        )
        self._copies = Statement(
            database, persona.select(persona.id).where(mine & one_of(persona.copied_from))
        )
        self._originals = Statement(
            database,
            persona.select(persona.copied_from).where(mine & one_of(persona.id)),
        )
        self._library = Statement(
            database,
            link.select(link.library_persona_id).where(linked & one_of(link.persona_id)),
        )
        self._uses = Statement(
            database, link.select(link.persona_id).where(linked & one_of(link.library_persona_id))
        )

    def of(self, persona: bytes) -> tuple[list[bytes], list[bytes]]:
        """Return all personas that are the same person, this one first, and library personas."""
        people, library = {persona: None}, dict[bytes, None]()
        fresh = [persona]
        while fresh:
            individuals = self._ask(self._library, fresh) - library.keys()
            library |= dict.fromkeys(sorted(individuals))
            found = self._ask(self._copies, fresh) | self._ask(self._originals, fresh)
            fresh = sorted((found | self._ask(self._uses, individuals)) - people.keys())
            people |= dict.fromkeys(fresh)
        # An original may have been purged; its other copies are found all the same.
        there = self._ask(self._there, people)
        return [one for one in people if one in there], list(library)

    def _ask(self, statement: Statement, ids: Collection[bytes]) -> set[bytes]:
        """Return the ids that a statement finds for these, each by an index."""
        found: set[bytes] = set()
        for chunk in chunks(ids, _CHUNK):
            rows = statement.all(tenant=self._tenant, ids=id_list(chunk))
            found.update(row[0] for row in rows if row[0] is not None)
        return found

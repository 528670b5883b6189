"""The terms of one tenant's personas: values, as hashes, by which they are found."""

from collections.abc import Sequence
from typing import Any

from peewee import SQL, Select, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import GIVEN, given, id_list, one_of
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.keys import split_position
from persona_server.validation.terms import TERM_BYTES


class TermStatements:
    """Every statement on terms by themselves, compiled once. Pages by a term are of personas."""

    def __init__(self, database: Database) -> None:
        term, library = tables.PersonaTerm, tables.LibraryTerm
        here = (term.tenant_id == param("tenant")) & (term.set_id == param("set"))
        hash_of = fn.SUBSTR(GIVEN, SQL("1"), SQL(str(TERM_BYTES)))
        columns = [term.tenant_id, term.set_id, term.hash, term.position]
        # All in one statement, and sorted: row by row it takes four times as long.
        row = (param("tenant"), param("set"), hash_of, fn.SUBSTR(GIVEN, SQL(str(TERM_BYTES + 1))))
        self.insert = Statement(database, term.insert_from(Select((given(),), row), columns))
        self.remove = Statement(
            database,
            term.delete().where(here & one_of(term.hash) & (term.position == param("position"))),
        )
        self.find = Statement(
            database, term.select(term.hash, term.position).where(here & one_of(term.hash))
        )
        owned = [library.tenant_id, library.library_persona_id, library.hash]
        self.insert_library = Statement(
            database,
            library.insert_from(
                Select((given(),), (param("tenant"), param("library_persona"), GIVEN)), owned
            ),
        )


def has_all(position: Any) -> Any:
    """Return the condition that a persona of a set, at a position, has each term of `terms`.

    It holds for all if that is bound to None.
    """
    term = tables.PersonaTerm.alias("one")
    here = (term.tenant_id == param("tenant")) & (term.set_id == param("set"))
    return _none_lacks(term, here & (term.position == position))


def library_has_all(library_persona: Any) -> Any:
    """Return the condition that a library persona, by its id, has each term, likewise."""
    term = tables.LibraryTerm.alias("one")
    mine = term.tenant_id == param("tenant")
    return _none_lacks(term, mine & (term.library_persona_id == library_persona))


def _none_lacks(term: Any, these: Any) -> Any:
    found = fn.EXISTS(term.select(SQL("1")).where(these & (term.hash == GIVEN)))
    return ~fn.EXISTS(Select((given("terms"),), (GIVEN,)).where(~found))


class Terms:
    """The terms of one tenant's personas, changed only by who holds the lock of their group."""

    def __init__(self, statements: TermStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def add(self, set_id: int, terms: Sequence[bytes]) -> None:
        """Add terms of personas that a set has got, each with the persona's position behind it."""
        if terms:
            self._do.insert.run(tenant=self._tenant, set=set_id, ids=id_list(sorted(terms)))

    def remove(self, set_id: int, position: bytes, terms: Sequence[bytes]) -> None:
        """Remove the terms of a persona that leaves a set."""
        ids = id_list(terms)
        self._do.remove.run(tenant=self._tenant, set=set_id, position=position, ids=ids)

    def find(self, set_id: int, terms: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the ids of the personas with these terms, which one persona each has at most."""
        if not terms:
            return {}
        rows = self._do.find.all(tenant=self._tenant, set=set_id, ids=id_list(terms))
        return {term: split_position(position)[1] for term, position in rows}

    def add_library(self, library_persona: bytes, terms: Sequence[bytes]) -> None:
        """Add the terms of a new library persona."""
        if terms:
            self._do.insert_library.run(
                tenant=self._tenant, library_persona=library_persona, ids=id_list(terms)
            )

"""The statements that take a person's content, compiled once."""

from typing import Any

from peewee import JOIN, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import contains, one_of
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.repositories.response_lists import is_counted


class PersonStatements:
    """Every statement on what is kept of a person."""

    def __init__(self, database: Database) -> None:
        persona = tables.Persona
        this = (persona.tenant_id == param("tenant")) & (persona.id == param("persona"))
        self.state = Statement(
            database, persona.select(persona.framed, persona.erased_at).where(this)
        )
        self._place(database, this)
        self._hide(database, this)
        self._answers(database)
        self._references(database)
        self._library(database)
        kept = tables.Idempotency
        names = contains(kept.answer, param("text"))
        self.forget_kept = Statement(
            database,
            kept.update({kept.answer: param("answer")}).where(
                (kept.tenant_id == param("tenant")) & names
            ),
        )

    def _place(self, database: Database, this: Any) -> None:
        persona, group = tables.Persona, tables.PersonaGroup.alias("owner")
        persona_set = tables.PersonaSet.alias("s")
        shown = (group.set_id == persona.set_id) & group.deleted_at.is_null()
        columns = (
            group.project_id,
            group.id,
            persona.set_id,
            group.hidden_set_id,
            shown,
            persona.position,
            persona.framed,
        )
        self.place = Statement(
            database,
            persona.select(fn.LENGTH(persona.framed), *columns)
            .join(
                persona_set,
                on=(persona_set.tenant_id == param("tenant")) & (persona_set.id == persona.set_id),
            )
            .join(
                group, on=(group.tenant_id == param("tenant")) & (group.id == persona_set.group_id)
            )
            .where(this),
        )

    def _hide(self, database: Database, this: Any) -> None:
        persona = tables.Persona
        empty = dict.fromkeys(
            (
                persona.gender_key,
                persona.income_level_key,
                persona.location_key,
                persona.occupation_key,
            ),
            "",
        )
        self.hide = Statement(
            database,
            persona.update(
                {
                    **empty,
                    persona.age: 0,
                    persona.framed: param("framed"),
                    persona.set_id: param("set"),
                    persona.deleted_at: fn.COALESCE(persona.deleted_at, param("now")),
                    persona.purge_after: None,
                    persona.erased_at: fn.COALESCE(persona.erased_at, param("now")),
                }
            ).where(this),
        )
        queue = tables.Promotion
        self.unqueue = Statement(
            database,
            queue.delete().where(
                (queue.tenant_id == param("tenant")) & (queue.persona_id == param("persona"))
            ),
        )

    def _answers(self, database: Database) -> None:
        response = tables.Response
        mine = response.tenant_id == param("tenant")
        columns = (
            response.id,
            is_counted(response),
            response.project_id,
            response.simulation_id,
            response.position,
            response.recorded,
            response.framed,
        )
        self.answers = Statement(
            database,
            response.select(*columns)
            .where(mine & (response.persona_id == param("persona")))
            .order_by(response.position)
            .limit(param("chunk")),
        )
        void = tables.ResponseVoid
        marks = (void.tenant_id == param("tenant")) & one_of(void.response_id)
        self.drop_marks = Statement(database, void.delete().where(marks))
        self.drop_answers = Statement(database, response.delete().where(mine & one_of(response.id)))
        link, library = tables.LibraryLink.alias("link"), tables.LibraryPersona.alias("library")
        self.origin = Statement(
            database,
            link.select(library.origin_persona_id)
            .join(
                library,
                JOIN.INNER,
                on=(library.tenant_id == param("tenant")) & (library.id == link.library_persona_id),
            )
            .where((link.tenant_id == param("tenant")) & (link.persona_id == param("persona"))),
        )

    def _references(self, database: Database) -> None:
        reference = tables.ReferenceAnswer
        mine = (reference.tenant_id == param("tenant")) & (reference.persona_id == param("persona"))
        self.references = Statement(
            database,
            reference.select(reference.question_hash, fn.LENGTH(reference.content))
            .where(mine)
            .limit(param("chunk")),
        )
        self.drop_references = Statement(
            database, reference.delete().where(mine & one_of(reference.question_hash))
        )

    def _library(self, database: Database) -> None:
        link, library = tables.LibraryLink, tables.LibraryPersona
        of_individual = (link.tenant_id == param("tenant")) & (
            link.library_persona_id == param("library")
        )
        self.drop_links = Statement(database, link.delete().where(of_individual))
        term = tables.LibraryTerm
        self.drop_library_terms = Statement(
            database,
            term.delete().where(
                (term.tenant_id == param("tenant")) & (term.library_persona_id == param("library"))
            ),
        )
        self.drop_library = Statement(
            database,
            library.delete().where(
                (library.tenant_id == param("tenant")) & (library.id == param("library"))
            ),
        )

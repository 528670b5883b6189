"""What the real people that individuals of one tenant stand for answered."""

from collections.abc import Sequence
from typing import NamedTuple

from peewee import SQL, Tuple, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import id_list, one_of
from persona_server.storage.engine.statements import Statement, param, upsert_statement


class Reference(NamedTuple):
    """A person's answer to a question and that of a retest, as numbers of a series.

    `content` is what stands for them on the wire.
    """

    individual: bytes
    question: bytes  # the hash of its key and scale
    answer: int
    retest: int | None
    content: bytes


class Said(NamedTuple):
    """What is kept of a person's answer to a question, and how long its content is."""

    answer: int
    retest: int | None
    size: int


class ReferenceStatements:
    """Every statement on reference answers, compiled once."""

    def __init__(self, database: Database) -> None:
        reference = tables.ReferenceAnswer
        mine = reference.tenant_id == param("tenant")
        of_individual = mine & (reference.persona_id == param("individual"))
        said = (reference.answer, reference.retest, fn.LENGTH(reference.content))
        self.of_individual = Statement(
            database, reference.select(reference.question_hash, *said).where(of_individual)
        )
        of_question = mine & (reference.question_hash == param("question"))
        self.of_question = Statement(
            database,
            reference.select(reference.persona_id, *said).where(
                of_question & one_of(reference.persona_id)
            ),
        )
        self.any_to = Statement(database, reference.select(SQL("1")).where(of_question).limit(1))
        self.content = Statement(
            database,
            reference.select(reference.content).where(
                of_individual & (reference.question_hash == param("question"))
            ),
        )
        place = Tuple(reference.question_hash, reference.persona_id)
        shown = (reference.question_hash, reference.persona_id, reference.content)
        self.page = Statement(
            database,
            reference.select(*shown)
            .where(mine & (place > Tuple(param("question"), param("individual"))))
            .order_by(reference.question_hash, reference.persona_id)
            .limit(param("limit")),
        )
        self.put = upsert_statement(database, reference, "answer", "retest", "content")


class References:
    """The reference answers of one tenant. An individual has at most 1,000."""

    def __init__(self, statements: ReferenceStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def of_individual(self, individual: bytes) -> dict[bytes, Said]:
        """Return what a person answered, by the hashes of the questions."""
        rows = self._do.of_individual.all(tenant=self._tenant, individual=individual)
        return {question: Said(*said) for question, *said in rows}

    def any_to(self, question: bytes) -> bool:
        """Return whether anybody answered a question."""
        return self._do.any_to.first(tenant=self._tenant, question=question) is not None

    def of_question(self, question: bytes, individuals: Sequence[bytes]) -> dict[bytes, Said]:
        """Return what these people answered to a question, of those that did."""
        if not individuals:
            return {}
        rows = self._do.of_question.all(
            tenant=self._tenant, question=question, ids=id_list(individuals)
        )
        return {individual: Said(*said) for individual, *said in rows}

    def content(self, individual: bytes, question: bytes) -> bytes:
        """Return the encoded ReferenceAnswer of one that is there, which names no persona."""
        row = self._do.content.first(tenant=self._tenant, individual=individual, question=question)
        assert row is not None
        return bytes(row[0])

    def page(self, after: tuple[bytes, bytes], limit: int) -> list[tuple[bytes, bytes, bytes]]:
        """Return the first rows after a question and individual: these two, and the content."""
        question, individual = after
        rows = self._do.page.all(
            tenant=self._tenant, question=question, individual=individual, limit=limit
        )
        return [(bytes(one), bytes(other), bytes(content)) for one, other, content in rows]

    def put(self, references: Sequence[Reference]) -> None:
        """Keep what people that are there answered, in place of what they had answered before."""
        self._do.put.run_each([(self._tenant, *reference) for reference in references])

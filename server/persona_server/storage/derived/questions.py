"""The questions of a tenant: their ids, and the options in the order of the first answer."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from persona_server.measures.answers import Question
from persona_server.storage.derived.answers import NewAnswer, new_answer
from persona_server.storage.derived.standing import Standing
from persona_server.storage.derived.statements import DerivedStatements
from persona_server.storage.engine.dialect import id_list
from persona_server.storage.keys import IdGenerator
from persona_server.validation.remembering import remembered

FIRST_QUESTION = -(2**63)  # at or before every id


class Questions:
    """The questions that one tenant has asked."""

    def __init__(
        self,
        statements: DerivedStatements,
        standing: Standing,
        tenant: int,
        id_generator: IdGenerator,
    ) -> None:
        self._do = statements
        self._tenant = tenant
        self._standing = standing
        self._id_generator = id_generator

    def known(self, questions: Iterable[Question]) -> dict[Question, int]:
        """Return the ids of those questions that have one."""
        hashes = {question_hash(question): question for question in questions}
        if not hashes:
            return {}
        rows = self._do.known.all(tenant=self._tenant, ids=id_list(list(hashes)))
        return {hashes[digest]: key for digest, key, _ in rows}

    def ids(
        self, answers: Iterable[NewAnswer], now: int, kept: Mapping[bytes, int]
    ) -> dict[Question, int]:
        """Return the ids of what was asked; new questions are numbered in the order given.

        `kept` has ids that questions had before, by hash. The first answer to a question declares
        its options.
        """
        firsts = _firsts(answers)
        hashes = {question: question_hash(question) for question in firsts}
        rows = self._do.known.all(tenant=self._tenant, ids=id_list(list(hashes.values())))
        known = {digest: (key, declared_at) for digest, key, declared_at in rows}
        ids = {}
        for question, first in firsts.items():
            digest = hashes[question]
            if digest not in known:
                ids[question] = kept.get(digest) or self._id_generator.next(now)
                self._new_question(ids[question], digest, first)
                continue
            ids[question], declared_at = known[digest]
            if first.order[8:] < declared_at:
                self._declare(ids[question], first)
        return ids

    def declare_anew(self, gone: Iterable[NewAnswer]) -> None:
        """Give questions the options of what is now the first answer, where that one is gone.

        A question that nobody has answered goes.
        """
        for question, first in _firsts(gone).items():
            hashes = id_list([question_hash(question)])
            ((_, key, declared_at),) = self._do.known.all(tenant=self._tenant, ids=hashes)
            if first.order[8:] != declared_at:
                continue
            found = self._standing.first(question, key, declared_at)
            if found is None:
                self._do.drop_question.run(tenant=self._tenant, id=key)
            else:
                position, response = found
                self._declare(key, new_answer(response, b"", b"", position, position))

    def _new_question(self, key: int, digest: bytes, first: NewAnswer) -> None:
        self._do.insert_question.run(
            tenant=self._tenant,
            id=key,
            key=first.question.key,
            kind=first.question.kind.value,
            scale=first.question.scale,
            hash=digest,
            **_declaration(first),
        )

    def _declare(self, key: int, first: NewAnswer) -> None:
        self._do.declare.run(tenant=self._tenant, id=key, **_declaration(first))


@remembered
def question_hash(question: Question) -> bytes:
    """Return the SHA-256 by which a question is known: of its key, NUL, and its scale."""
    return hashlib.sha256(f"{question.key}\0{question.scale}".encode()).digest()


# A tenant's questions are read again and again.
of_scale = remembered(Question.of_scale)


def _firsts(answers: Iterable[NewAnswer]) -> dict[Question, NewAnswer]:
    """Return the first answer to each question, in time."""
    firsts: dict[Question, NewAnswer] = {}
    for answer in answers:
        first = firsts.setdefault(answer.question, answer)
        if answer.order[8:] < first.order[8:]:
            firsts[answer.question] = answer
    return firsts


def _declaration(first: NewAnswer) -> dict[str, Any]:
    declared = json.dumps(first.declared, ensure_ascii=False, separators=(",", ":"))
    return {"declared": declared, "declared_at": first.order[8:]}

"""What reliability and timelines read, derived from one tenant's responses in their transaction.

Questions, a series for each individual and question, and sums over all individuals for each
question and simulation. So what is read for one individual does not grow with the number of others.
All of it can be made anew (rebuild.py), and is the same in whatever order the answers came.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from persona_server.measures.answers import SETS, Question, items_of
from persona_server.measures.individual.crowds import Crowd
from persona_server.measures.individual.points import Differences
from persona_server.patience import while_awaited
from persona_server.storage.derived.answers import NewAnswer
from persona_server.storage.derived.crowds import Crowds, KnownCrowds, SimulationsOf
from persona_server.storage.derived.participation import (
    ALL_QUESTIONS,
    Given,
    Participation,
    Place,
)
from persona_server.storage.derived.questions import (
    FIRST_QUESTION,
    Questions,
    of_scale,
    question_hash,
)
from persona_server.storage.derived.removal import Removal
from persona_server.storage.derived.series import (
    PIECE,
    RECORD,
    Fields,
    Series,
    Texts,
    answers,
    fields,
)
from persona_server.storage.derived.standing import Standing
from persona_server.storage.derived.statements import DerivedStatements
from persona_server.storage.derived.texts import set_ids
from persona_server.storage.derived.writing import DerivedWriter
from persona_server.storage.engine.dialect import id_list, integer_list
from persona_server.storage.engine.statements import Statement
from persona_server.storage.keys import IdGenerator, id_text

FIRST_INDIVIDUAL = b""  # at or before every key

# Of one individual that are read at once. An answer takes some 350 bytes of memory and 4
# microseconds, and a character of a question's options, or of a set, up to four bytes.
MOST_ANSWERS = 100_000
MOST_CHARACTERS = 4 << 20
_CHUNK = 250  # questions in memory beyond that, each of 64 KiB at most; most have not so many
_SETS = 500  # likewise, each of 10 KiB at most


class TooManyAnswersError(Exception):
    """An individual has more answers, or longer options, than are read at once."""


class AskedRow(NamedTuple):
    """A question that was answered in a simulation or a project, by its id.

    `first` and `last` are positions of responses, (occurred_at, id).
    """

    id: int
    question: Question
    response_count: int
    individual_count: int
    first: bytes
    last: bytes


class DerivedTables:
    """The derived tables of one tenant. Read them with `store.snapshot`, all at one moment."""

    def __init__(
        self, statements: DerivedStatements, tenant: int, id_generator: IdGenerator
    ) -> None:
        self._do = statements
        self._tenant = tenant
        self._standing = Standing(statements.standing, tenant)
        self._questions = Questions(statements, self._standing, tenant, id_generator)
        self._writer = DerivedWriter(statements, tenant)
        self._crowds = Crowds(statements, tenant)
        self._participation = Participation(statements.participation, tenant)

    def series_of(self, individual: bytes) -> Series:
        """Return all answers of an individual.

        Sets are those of tokens (texts.py): `items` returns what they stand for. Answers of void
        simulations are left out, whether they are counted still or not. Raises TooManyAnswersError.
        """
        rows = self._series(individual)
        older = self._pieces(individual) if any(row[-1] for row in rows) else {}
        found, numbers = {}, {}
        for number, key, scale, records, _ in while_awaited(rows):
            question = of_scale(key, scale)
            found[question] = fields(older.get(number, b"") + records)
            numbers[question] = number
        if void := self.voiding():
            kept = {q: [one for one in given if one[2] not in void] for q, given in found.items()}
            found = {question: given for question, given in kept.items() if given}
        texts = self._texts(found)
        simulations = {one[2] for given in found.values() for one in given}
        ids = {raw: id_text(raw) for raw in simulations}
        return Series({q: answers(q, given, texts, ids) for q, given in found.items()}, numbers)

    def voiding(self) -> set[bytes]:
        """Return the void simulations of which answers are counted still."""
        rows = self._do.voiding.all(tenant=self._tenant, first=FIRST_INDIVIDUAL)
        return {simulation for (simulation,) in rows}

    def crowds(
        self, ids: Mapping[Question, int], asked: SimulationsOf, known: KnownCrowds | None = None
    ) -> dict[Question, dict[str, Crowd]]:
        """Return who answered questions in these simulations. `ids` are those of a `Series`.

        `known` has crowds of the same snapshot, and gets the others.
        """
        return self._crowds.of(ids, asked, known)

    def differences(
        self, ids: Mapping[Question, int], asked: SimulationsOf
    ) -> dict[Question, dict[str, Differences]]:
        """Return what moved in numeric questions until these simulations, of all individuals.

        By simulation. `ids` are those of a `Series`.
        """
        return self._crowds.differences(ids, asked)

    def items(self, sets: Iterable[str]) -> dict[str, list[str]]:
        """Return the options or themes of sets of which the tokens are given, sorted."""
        ids = integer_list(set_ids(sets))
        rows = self._do.set_items.all(tenant=self._tenant, ids=ids)
        return {tokens: sorted(items_of(items)) for tokens, items in rows}

    def declared(self, questions: Iterable[Question]) -> dict[Question, list[str]]:
        """Return the options of questions in the order of the first answer to each."""
        hashes = {question_hash(question): question for question in questions}
        ids = id_list(list(hashes)) if hashes else None
        rows = self._do.declared.all(tenant=self._tenant, ids=ids) if ids else []
        return {hashes[digest]: json.loads(declared) for digest, declared in rows}

    def add(
        self,
        place: Place,
        rows: Sequence[NewAnswer],
        now: int,
        kept: Mapping[bytes, int] | None = None,
    ) -> dict[int, bytes]:
        """Add answers that were just recorded in a simulation, in their transaction.

        `kept` has ids that questions had before, by hash, where all is made anew; others get new
        ones. Return which of the answers, by their places, are not their individual's first to the
        question in the simulation, each with the response that is. Raises TooLongError and
        TooMuchAgainError where they are new.
        """
        if not rows:
            return {}
        ids = self._questions.ids(rows, now, kept or {})
        self._writer.add(rows, ids, is_bounded=kept is None)
        given = [Given(ids[row.question], row.individual, row.order) for row in rows]
        return self._participation.add(place, given)

    def remove(self, place: Place, rows: Sequence[NewAnswer], *, is_bounded: bool = True) -> None:
        """Take answers of a simulation out, as if they had never come.

        They were added before, and have been made void or removed just now. Raises
        TooMuchAgainError where it `is_bounded`.
        """
        if not rows:
            return
        ids = self._questions.known({row.question for row in rows})
        self._writer.remove(rows, ids, is_bounded=is_bounded)
        statements = self._do.removal, self._do.participation
        Removal(*statements, self._standing, self._tenant, place).run(rows, ids)
        self._questions.declare_anew(rows)

    def first_recorded(
        self, simulation: bytes, wanted: Iterable[tuple[Question, bytes]]
    ) -> dict[tuple[Question, bytes], bytes]:
        """Return which response of individuals to questions was recorded first in a simulation.

        By question and individual, of those recorded at once the first to occur. All must have
        answered.
        """
        grouped: dict[Question, list[bytes]] = {}
        for question, individual in wanted:
            grouped.setdefault(question, []).append(individual)
        ids = self._questions.known(grouped)
        found = {}
        for question, individuals in grouped.items():
            key = ids[question]
            rows = self._participation.earliest(simulation, key, individuals)
            found.update({(question, one): order[-16:] for one, order in rows.items()})
        return found

    def known(self, questions: Iterable[Question]) -> dict[Question, int]:
        """Return the ids of those questions that anybody has answered."""
        return self._questions.known(questions)

    def numbered(self, hashes: Sequence[bytes]) -> dict[bytes, int]:
        """Return the ids of the questions with these hashes that anybody has answered."""
        rows = self._do.known.all(tenant=self._tenant, ids=id_list(hashes)) if hashes else []
        return {digest: key for digest, key, _ in rows}

    def asked(self, scope: bytes, after: int, limit: int) -> list[AskedRow]:
        """Return at most `limit` questions of a scope behind one, in the order first asked."""
        rows = self._participation.page(scope, after, limit)
        return [AskedRow(key, of_scale(name, scale), *rest) for key, name, scale, *rest in rows]

    def clear(self) -> dict[bytes, int]:
        """Remove everything; return the questions' ids by hash, so that they can be kept."""
        ids = dict(self._do.all_questions.all(tenant=self._tenant, first=FIRST_QUESTION))
        self._participation.clear()
        for statement in self._do.clear_individuals:
            statement.run(tenant=self._tenant, first=FIRST_INDIVIDUAL)
        for statement in self._do.clear_numbered:
            statement.run(tenant=self._tenant, first=FIRST_QUESTION)
        return ids

    def _series(self, individual: bytes) -> list[tuple[Any, ...]]:
        """Return the rows of an individual's series: question, key, scale, records, pieces.

        Raises TooManyAnswersError before what they stand for is read.
        """
        where = {"tenant": self._tenant, "individual": individual, "limit": _CHUNK}
        rows: list[tuple[Any, ...]] = []
        count = length = 0
        while True:
            after = rows[-1][0] if rows else ALL_QUESTIONS
            chunk = self._do.series.all(**where, after=after)
            rows += chunk
            for _, _, scale, records, pieces in chunk:
                count += pieces * PIECE + len(records) // RECORD.size
                length += len(scale)
            if count > MOST_ANSWERS or length > MOST_CHARACTERS:
                raise TooManyAnswersError
            if len(chunk) < _CHUNK:
                return rows

    def _pieces(self, individual: bytes) -> dict[int, bytes]:
        """Return the older records of an individual by the question's id."""
        rows = self._do.pieces.all(tenant=self._tenant, individual=individual)
        grouped = groupby(while_awaited(rows), key=itemgetter(0))
        return {key: b"".join(records for _, records in pieces) for key, pieces in grouped}

    def _texts(self, found: Mapping[Question, Sequence[Fields]]) -> Texts:
        """Return what records name by an id. Raises TooManyAnswersError."""
        models = {one[4] for given in found.values() for one in given}
        sets = {
            one[3] for question, given in found.items() if question.kind in SETS for one in given
        }
        tokens = self._tokens(list(sets))
        versions = self._named(self._do.models, models)
        return Texts(dict(tokens), {key: (model, version) for key, model, version in versions})

    def _tokens(self, sets: Sequence[int]) -> Iterator[tuple[int, str]]:
        length = 0
        for start in range(0, len(sets), _SETS):
            for row in self._named(self._do.set_tokens, sets[start : start + _SETS]):
                length += len(row[1])
                yield row
            if length > MOST_CHARACTERS:
                raise TooManyAnswersError

    def _named(self, statement: Statement, ids: Collection[int]) -> list[tuple[Any, ...]]:
        return statement.all(tenant=self._tenant, ids=integer_list(list(ids))) if ids else []

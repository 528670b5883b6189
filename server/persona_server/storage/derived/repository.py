"""What reliability and timelines read, derived from one tenant's responses in their transaction.

Questions, a series for each individual and question, and sums over all individuals for each
question. So what is read for one individual does not grow with the number of others. All of it can
be made anew (rebuild.py), and is the same in whatever order the answers came.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from persona_server.measures.answers import Answer, Question, Value
from persona_server.measures.histogram import Histogram, Moment, Moments
from persona_server.measures.points import Noise
from persona_server.patience import while_awaited
from persona_server.storage.derived.answers import NewAnswer
from persona_server.storage.derived.participation import Given, Participation, Place
from persona_server.storage.derived.series import Entry, StoredSeries, answers, decode
from persona_server.storage.derived.statements import DerivedStatements
from persona_server.storage.derived.tallies import Tallies
from persona_server.storage.engine.dialect import id_list, integer_list
from persona_server.storage.keys import IdGenerator

FIRST_INDIVIDUAL, FIRST_QUESTION = b"", 0  # at or before every key


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
        self._id_generator = id_generator
        self._participation = Participation(statements.participation, tenant)

    def series_of(self, individual: bytes) -> dict[Question, list[Answer]]:
        """Return all answers of an individual, in order of time, by question as first asked."""
        rows = self._do.series.all(tenant=self._tenant, individual=individual)
        found = {}
        for key, scale, records, texts in while_awaited(rows):
            question = _question(key, scale)
            found[question] = answers(question, decode(question, StoredSeries(records, texts)))
        return found

    def everyone(self, individual: bytes) -> dict[Question, Histogram | Moments]:
        """Return what all individuals, this one included, answered to its scored questions."""
        questions = self._questions(individual)
        counts: defaultdict[int, dict[tuple[Value, int], int]] = defaultdict(dict)
        row = self._do.counts.first(tenant=self._tenant, individual=individual)
        assert row is not None
        for key, value, m, number in json.loads(row[0]):
            counts[key][value, m] = number
        moments = dict(self._do.moments.all(tenant=self._tenant, individual=individual))
        found: dict[Question, Histogram | Moments] = {}
        for key, question in questions.items():
            if key in counts:
                found[question] = Histogram(counts[key])
            elif key in moments:
                found[question] = Moments(_moments(moments[key]))
        return found

    def noise(self, individual: bytes) -> dict[Question, Noise]:
        """Return the noise of all individuals, this one included, in its numeric questions."""
        questions = self._questions(individual)
        rows = self._do.noise.all(tenant=self._tenant, individual=individual)
        return {questions[key]: Noise(int(squares), *rest) for key, squares, *rest in rows}

    def add(
        self,
        place: Place,
        rows: Sequence[NewAnswer],
        now: int,
        kept: Mapping[bytes, int] | None = None,
    ) -> dict[int, bytes]:
        """Add answers that were just recorded in a simulation, in their transaction.

        `kept` has ids that questions had before, by hash; others get new ones. Return which of the
        answers, by their places, are not their individual's first to the question in the
        simulation, each with the response that is.
        """
        if not rows:
            return {}
        ids = self._ids(dict.fromkeys(row.question for row in rows), now, kept or {})
        self._measure(_grouped(rows), ids)
        return self._count(place, rows, ids)

    def recount(self, place: Place, rows: Sequence[NewAnswer], now: int) -> None:
        """Count answers that measures know and `forget_counts` forgot, in its transaction."""
        self._count(place, rows, self._ids(dict.fromkeys(row.question for row in rows), now, {}))

    def forget_counts(self, scopes: Iterable[bytes]) -> None:
        """Forget who answered what in simulations and projects; measures stay as they are."""
        for scope in scopes:
            self._participation.forget(scope)

    def _count(
        self, place: Place, rows: Sequence[NewAnswer], ids: Mapping[Question, int]
    ) -> dict[int, bytes]:
        given = [Given(ids[row.question], row.individual, row.order) for row in rows]
        return self._participation.add(place, given)

    def _measure(
        self, grouped: Mapping[Question, Mapping[bytes, list[Entry]]], ids: Mapping[Question, int]
    ) -> None:
        """Add answers, by question and individual, to series and sums."""
        stored = self._touched(grouped, ids)
        tallies, changed = Tallies(), []
        for question, individuals in grouped.items():
            key = ids[question]
            for individual, entries in individuals.items():
                series = tallies.add(key, question, stored.get((individual, key)), entries)
                changed.append((self._tenant, individual, key, *series))
        self._do.put_series.run_each(changed)
        self._put_counts(tallies)
        self._put_sums(tallies)

    def remove(self, rows: Iterable[NewAnswer]) -> None:
        """Take answers out that are removed in this transaction, as if they had never been given.

        But for who answered what (`recount`). Questions that nobody has answered now stay: whoever
        removes them reads every series once.
        """
        grouped = _grouped(rows)
        if not grouped:
            return
        hashes = {question_hash(question): question for question in grouped}
        known = self._do.known.all(tenant=self._tenant, ids=id_list(list(hashes)))
        questions = {key: hashes[digest] for digest, key in known}
        ids = {question: key for key, question in questions.items()}
        touched = self._touched({question: grouped[question] for question in ids}, ids)
        tallies, changed, gone = Tallies(), [], []
        for (individual, key), stored in touched.items():
            question = questions[key]
            left = tallies.remove(key, question, stored, grouped[question][individual])
            if left is None:
                gone.append((self._tenant, individual, key))
            else:
                changed.append((self._tenant, individual, key, *left))
        self._do.put_series.run_each(changed)
        self._do.drop_series.run_each(gone)
        self._put_counts(tallies)
        self._put_sums(tallies)

    def first_answers(
        self, simulation: bytes, wanted: Iterable[tuple[Question, bytes]]
    ) -> dict[tuple[Question, bytes], bytes]:
        """Return what individuals answered first to questions in a simulation, by both: responses.

        All must have answered.
        """
        grouped: dict[Question, list[bytes]] = {}
        for question, individual in wanted:
            grouped.setdefault(question, []).append(individual)
        ids = self._known(question_hash(question) for question in grouped)
        found = {}
        for question, individuals in grouped.items():
            key = ids[question_hash(question)]
            rows = self._participation.earliest(simulation, key, individuals)
            found.update({(question, one): order[-16:] for one, order in rows.items()})
        return found

    def asked(self, scope: bytes, after: int, limit: int) -> list[AskedRow]:
        """Return at most `limit` questions of a scope behind one, in the order first asked."""
        rows = self._participation.page(scope, after, limit)
        return [AskedRow(key, _question(name, scale), *rest) for key, name, scale, *rest in rows]

    def clear(self) -> dict[bytes, int]:
        """Remove everything; return the questions' ids by hash, so that they can be kept."""
        ids = dict(self._do.all_questions.all(tenant=self._tenant, first=FIRST_QUESTION))
        self._participation.clear()
        self._do.clear_series.run(tenant=self._tenant, first=FIRST_INDIVIDUAL)
        self._do.clear_histogram.run(tenant=self._tenant, first=FIRST_QUESTION)
        self._do.clear_sums.run(tenant=self._tenant, first=FIRST_QUESTION)
        self._do.clear_questions.run(tenant=self._tenant, first=FIRST_QUESTION)
        return ids

    def _questions(self, individual: bytes) -> dict[int, Question]:
        rows = self._do.questions.all(tenant=self._tenant, individual=individual)
        return {key: _question(*rest) for key, *rest in rows}

    def _ids(
        self, questions: Iterable[Question], now: int, kept: Mapping[bytes, int]
    ) -> dict[Question, int]:
        """Return the ids of questions; those that are new are numbered in the order given."""
        hashes = {question: question_hash(question) for question in questions}
        known = self._known(hashes.values())
        for question, digest in hashes.items():
            if digest not in known:
                known[digest] = kept.get(digest) or self._id_generator.next(now)
                self._do.insert_question.run(
                    tenant=self._tenant,
                    id=known[digest],
                    key=question.key,
                    kind=question.kind.value,
                    scale=question.scale,
                    hash=digest,
                )
        return {question: known[digest] for question, digest in hashes.items()}

    def _known(self, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """Return the ids of those questions that have one, by hash."""
        return dict(self._do.known.all(tenant=self._tenant, ids=id_list(list(hashes))))

    def _touched(
        self, grouped: Mapping[Question, Iterable[bytes]], ids: Mapping[Question, int]
    ) -> dict[tuple[bytes, int], StoredSeries]:
        """Return the stored series of these individuals and questions, by both."""
        wanted: dict[bytes, list[int]] = {}
        for question, individuals in grouped.items():
            for individual in individuals:
                wanted.setdefault(individual, []).append(ids[question])
        return {
            (individual, key): StoredSeries(records, texts)
            for individual, keys in wanted.items()
            for key, records, texts in self._do.touched.all(
                tenant=self._tenant, individual=individual, ids=integer_list(keys)
            )
        }

    def _put_counts(self, tallies: Tallies) -> None:
        added, lowered = [], []
        for (key, value, m), change in tallies.counts.items():
            digest = hashlib.sha256(value.encode()).digest()
            if change:
                added.append((self._tenant, key, digest, m, value, change))
            if change < 0:
                lowered.append((self._tenant, key, digest, m, 0))
        self._do.add_count.run_each(added)
        self._do.drop_count.run_each(lowered)

    def _put_sums(self, tallies: Tallies) -> None:
        # An answer that is not counted, a simulation's second, still moves the noise.
        keys = list(tallies.moments | tallies.noise)
        if not keys:
            return
        ids = integer_list(keys)
        stored = {row[0]: row for row in self._do.sums.all(tenant=self._tenant, ids=ids)}
        changed = []
        for key in keys:
            _, moments, squares, *rest = stored.get(key, (key, "[]", "0", 0, 0))
            rows = _moments(moments)
            for m, change in tallies.moments.get(key, {}).items():
                rows[m] = rows.get(m, Moment(0, 0, 0)).plus(Moment(*change))
            written = [[m, *rows[m]] for m in sorted(rows) if any(rows[m])]
            noise = Noise(int(squares), *rest).plus(Noise(*tallies.noise.get(key, ())))
            text = json.dumps(written, separators=(",", ":"))
            changed.append((self._tenant, key, text, str(noise.squares), *noise[1:]))
        self._do.put_sums.run_each(changed)


def _grouped(rows: Iterable[NewAnswer]) -> dict[Question, dict[bytes, list[Entry]]]:
    """Return what measures count of answers, by question and individual."""
    grouped: dict[Question, dict[bytes, list[Entry]]] = {}
    for individual, question, _, entry in rows:
        if entry is not None:
            grouped.setdefault(question, {}).setdefault(individual, []).append(entry)
    return grouped


def question_hash(question: Question) -> bytes:
    """Return the SHA-256 by which a question is known: of its key, NUL, and its scale."""
    return hashlib.sha256(f"{question.key}\0{question.scale}".encode()).digest()


def _moments(text: str) -> dict[int, Moment]:
    return {m: Moment(*sums) for m, *sums in json.loads(text)}


_question = lru_cache(maxsize=512)(Question.of_scale)

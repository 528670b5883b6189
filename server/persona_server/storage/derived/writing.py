"""What is derived from answers, brought up to date in the transaction that records them."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from persona_server.measures.answers import Question
from persona_server.storage.derived.answers import Counted, NewAnswer
from persona_server.storage.derived.counts import plus
from persona_server.storage.derived.series import (
    PIECE,
    RECORD,
    Entry,
    StoredSeries,
    cut,
    entries,
)
from persona_server.storage.derived.statements import DerivedStatements
from persona_server.storage.derived.tallies import Changes
from persona_server.storage.engine.dialect import integer_list
from persona_server.storage.keys import split_position

Grouped = dict[Question, dict[bytes, list[Counted]]]  # by question and individual
Owner = tuple[int, bytes, int]  # of a series: tenant, individual, id of the question

_NO_SUMS = ("[]", 0, "0", 0)

MOST_OF_ONE = 10_000  # answers of an individual to a question
# Earlier answers that a transaction reads again: half a second, in which others wait to write.
MOST_AGAIN = 100_000


class TooLongError(Exception):
    """An individual would have more answers to a question than are kept of one."""

    def __init__(self, question: Question, individual: bytes) -> None:
        super().__init__()
        self.question = question
        self.individual = individual


class TooMuchAgainError(Exception):
    """Of those whose answers change too many earlier ones are to be read: take fewer at a time."""


class _Rows(NamedTuple):
    """Rows to write at the end of a batch."""

    series: list[tuple[object, ...]]
    pieces: list[tuple[object, ...]]


class DerivedWriter:
    """Writes the derived tables of one tenant."""

    def __init__(self, statements: DerivedStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant
        self._is_bounded = True
        self._again = 0  # answers that were read again in this transaction

    def add(
        self, answers: Sequence[NewAnswer], ids: Mapping[Question, int], *, is_bounded: bool
    ) -> None:
        """Add answers, which are among the responses, to questions with these ids.

        Where it `is_bounded` it raises TooLongError and TooMuchAgainError.
        """
        self._is_bounded = is_bounded
        grouped = _grouped(answers)
        stored = self._touched(grouped, ids)
        began, rows = cache(self._began), _Rows([], [])
        changed: dict[int, Changes] = {}
        for question, individuals in grouped.items():
            key = ids[question]
            changes = changed[key] = Changes(question)
            for individual, given in individuals.items():
                old, owner = stored.get((individual, key)), (self._tenant, individual, key)
                if is_bounded and old is not None and old.pieces:
                    _require_short(question, individual, old, len(given))
                if old is None or not _appended(owner, old, given, changes, began, rows):
                    self._insert(owner, old, [one.entry for one in given], changes, rows)
        self._put(changed)
        self._do.put_series.run_each(rows.series)
        self._do.put_piece.run_each(rows.pieces)
        self._name(grouped, 1)

    def remove(
        self, answers: Sequence[NewAnswer], ids: Mapping[Question, int], *, is_bounded: bool
    ) -> None:
        """Take answers to questions with these ids out, as if they had never come.

        Where it `is_bounded` it raises TooMuchAgainError.
        """
        self._is_bounded = is_bounded
        grouped = _grouped(answers)
        stored, rows = self._touched(grouped, ids), _Rows([], [])
        changed: dict[int, Changes] = {}
        for question, individuals in grouped.items():
            key = ids[question]
            changes = changed[key] = Changes(question)
            for individual, given in individuals.items():
                gone = {counted.entry for counted in given}
                owner = (self._tenant, individual, key)
                before = self._all(owner, stored[individual, key])
                after = [entry for entry in before if entry not in gone]
                changes.replace(before, after)
                self._drop(owner)
                _rewrite(owner, after, [], rows)
            changes.drop_unchanged()
        self._put(changed)
        self._do.put_series.run_each(rows.series)
        self._do.put_piece.run_each(rows.pieces)
        self._name(grouped, -1)

    def _drop(self, owner: Owner) -> None:
        for statement in self._do.drop_series:
            tenant, individual, question = owner
            statement.run(tenant=tenant, individual=individual, question=question)

    def _insert(
        self,
        owner: Owner,
        old: StoredSeries | None,
        new: Sequence[Entry],
        changes: Changes,
        rows: _Rows,
    ) -> None:
        """Add answers wherever they stand in time."""
        if old is None and len(new) == 1:
            rows.series.append((*owner, *changes.first(new[0])))
            return
        before = [] if old is None else self._all(owner, old)
        after = sorted([*before, *new])
        changes.replace(before, after)
        _rewrite(owner, after, cut(before).pieces if before else [], rows)

    def _all(self, owner: Owner, row: StoredSeries) -> list[Entry]:
        """Return the whole of a series of which the last row is known. Raises TooMuchAgainError."""
        self._again += row.pieces * PIECE
        if self._is_bounded and self._again > MOST_AGAIN:
            raise TooMuchAgainError
        tenant, individual, question = owner
        where = {"tenant": tenant, "individual": individual, "question": question}
        pieces = self._do.pieces_of.all(**where) if row.pieces else []
        return entries(b"".join([*(records for (records,) in pieces), row.records]))

    def _began(self, simulation: bytes) -> int:
        """Return when the first answer of a simulation occurred, in microseconds."""
        row = self._do.began.first(tenant=self._tenant, simulation=simulation)
        assert row is not None
        return split_position(row[0])[0]

    def _touched(
        self, grouped: Grouped, ids: Mapping[Question, int]
    ) -> dict[tuple[bytes, int], StoredSeries]:
        """Return the stored series of these individuals and questions, by both."""
        wanted: dict[bytes, list[int]] = {}
        for question, individuals in grouped.items():
            key = ids[question]
            for individual in individuals:
                wanted.setdefault(individual, []).append(key)
        return {
            (individual, key): StoredSeries(*row)
            for individual, keys in wanted.items()
            for key, *row in self._do.touched.all(
                tenant=self._tenant, individual=individual, ids=integer_list(keys)
            )
        }

    def _put(self, changed: Mapping[int, Changes]) -> None:
        """Write the changes of questions, by their ids."""
        known, known_sums = self._counts(changed), self._sums(changed)
        counts = [
            (self._tenant, *place, plus(known.get(place, b""), change))
            for question, changes in changed.items()
            for (simulation, bucket), change in changes.counts.items()
            for place in [(question, simulation, bucket)]
        ]
        sums = [
            (self._tenant, *place, *_summed(known_sums.get(place, _NO_SUMS), changes, simulation))
            for question, changes in changed.items()
            for simulation in changes.moments | changes.differences
            for place in [(question, simulation)]
        ]
        self._do.put_count.run_each(counts)
        self._do.put_sums.run_each(sums)
        self._do.drop_count.run_each([row[:-1] for row in counts if not row[-1]])
        self._do.drop_sums.run_each([row[:3] for row in sums if row[3:] == _NO_SUMS])

    def _counts(self, changed: Mapping[int, Changes]) -> dict[tuple[int, bytes, int], bytes]:
        """Return the counts that change, by question, simulation and bucket.

        With one query of a simulation for all questions with the same buckets, as most have one.
        """
        together: defaultdict[tuple[bytes, frozenset[int]], list[int]] = defaultdict(list)
        for question, changes in changed.items():
            buckets: defaultdict[bytes, set[int]] = defaultdict(set)
            for simulation, bucket in changes.counts:
                buckets[simulation].add(bucket)
            for simulation, some in buckets.items():
                together[simulation, frozenset(some)].append(question)
        return {
            (question, simulation, bucket): counts
            for (simulation, some), questions in together.items()
            for question, bucket, counts in self._do.changing.all(
                tenant=self._tenant,
                simulation=simulation,
                questions=integer_list(questions),
                buckets=integer_list(some),
            )
        }

    def _sums(self, changed: Mapping[int, Changes]) -> dict[tuple[int, bytes], tuple[Any, ...]]:
        """Return the sums that change, by question and simulation, a query a simulation."""
        wanted: defaultdict[bytes, list[int]] = defaultdict(list)
        for question, changes in changed.items():
            for simulation in changes.moments | changes.differences:
                wanted[simulation].append(question)
        return {
            (question, simulation): tuple(row)
            for simulation, questions in wanted.items()
            for question, *row in self._do.sums.all(
                tenant=self._tenant, simulation=simulation, questions=integer_list(questions)
            )
        }

    def _name(self, grouped: Grouped, sign: int) -> None:
        """Count the answers that name a text, or that do so no more."""
        every = [one for individuals in grouped.values() for given in individuals.values()
                 for one in given]  # fmt: skip
        models = Counter(one.model for one in every)
        sets = Counter(one.set for one in every if one.set is not None)
        self._do.add_model.run_each([(self._tenant, *m, sign * n) for m, n in models.items()])
        self._do.add_set.run_each([(self._tenant, *s, sign * n) for s, n in sets.items()])
        if sign < 0:
            self._do.drop_model.run_each([(self._tenant, model.id) for model in models])
            self._do.drop_set.run_each([(self._tenant, one.id) for one in sets])


def _grouped(answers: Iterable[NewAnswer]) -> Grouped:
    """Return what measures count of answers."""
    grouped: Grouped = {}
    for answer in answers:
        if answer.counted is not None:
            individuals = grouped.setdefault(answer.question, {})
            individuals.setdefault(answer.individual, []).append(answer.counted)
    return grouped


def _require_short(question: Question, individual: bytes, old: StoredSeries, more: int) -> None:
    """Raises TooLongError."""
    if old.pieces * PIECE + len(old.records) // RECORD.size + more > MOST_OF_ONE:
        raise TooLongError(question, individual)


def _appended(
    owner: Owner,
    old: StoredSeries,
    given: Sequence[Counted],
    changes: Changes,
    began: Callable[[bytes], int],
    rows: _Rows,
) -> bool:
    """Add one answer that is later than all others; return whether it is such a one."""
    if len(given) > 1:
        return False
    entry = given[0].entry
    row = changes.append(old, entry, began(entry.simulation) if old.pieces else 0)
    if row is None:
        return False
    if row.pieces > old.pieces:
        rows.pieces.append((*owner, row.pieces, old.records))
    rows.series.append((*owner, *row))
    return True


def _rewrite(owner: Owner, after: Sequence[Entry], known: Sequence[bytes], rows: _Rows) -> None:
    """Write a series, but for the pieces that are known to be there."""
    if not after:
        return
    pieces, row = cut(after)
    for number, records in enumerate(pieces, 1):
        if number > len(known) or records != known[number - 1]:
            rows.pieces.append((*owner, number, records))
    rows.series.append((*owner, *row))


def _summed(old: tuple[Any, ...], changes: Changes, simulation: bytes) -> tuple[Any, ...]:
    """Return the sums of a question and simulation with its changes."""
    moments, number, squares, inverses = old
    now = _added(json.loads(moments), changes.moments.get(simulation, []))
    written = json.dumps(now, separators=(",", ":")) if any(now) else "[]"
    moved = changes.differences.get(simulation, [])
    number, squares, inverses = _added([number, int(squares), inverses], moved)
    return (written, number, str(squares), inverses)


def _added(old: list[int], change: list[int]) -> list[int]:
    """Return sums with a change; either may be missing, as []."""
    if not old or not change:
        return old or change
    return [a + b for a, b in zip(old, change, strict=True)]

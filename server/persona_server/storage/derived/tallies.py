"""What a batch changes in a tenant's sums over all individuals, added up before it is written.

An individual with m answers to a question stands in the rows of m: one answer more moves all of
its answers to those of m + 1 (measures/histogram.py). Almost every answer is an individual's first
to a question, or the only one in its simulation at a time of its own; those have short ways, and
everything else takes the long one, through the measures. Both come to the same sums.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence

from persona_server.measures.answers import Kind, Question, Value, first_answers
from persona_server.measures.histogram import increments, moment_increments
from persona_server.measures.points import noise, points, step
from persona_server.storage.derived.series import (
    RECORD,
    Entry,
    StoredSeries,
    answers,
    decode,
    encode,
    first,
    inserted,
    names,
)


class Tallies:
    """Changes by question id: `counts` by (question, value, m), `moments` by m, and `noise`.

    Moments are lists [answers, Σ value, Σ value²], noise is a list [squares, differences,
    individuals], as they are added to for each answer.
    """

    def __init__(self) -> None:
        self.counts: defaultdict[tuple[int, str, int], int] = defaultdict(int)
        self.moments: defaultdict[int, dict[int, list[int]]] = defaultdict(dict)
        self.noise: dict[int, list[int]] = {}

    def add(
        self, key: int, question: Question, old: StoredSeries | None, new: Sequence[Entry]
    ) -> StoredSeries:
        """Return an individual's series with new answers, and count what that changes.

        `key` is the question's id, `old` what was stored, None if this one never answered it.
        """
        if len(new) == 1:
            if old is None:
                self._first(key, question, new[0].value)
                return first(question, new[0])
            place = self._next(key, question, old, new[0])
            if place is not None:
                return inserted(question, old, new[0], place)
        before = [] if old is None else decode(question, old)
        after = sorted([*before, *new])
        self._replace(key, question, before, after)
        return encode(question, after)

    def remove(
        self, key: int, question: Question, old: StoredSeries, gone: Sequence[Entry]
    ) -> StoredSeries | None:
        """Return an individual's series without some answers, and count what that changes.

        None if none is left.
        """
        before, responses = decode(question, old), {entry.response for entry in gone}
        after = [entry for entry in before if entry.response not in responses]
        self._replace(key, question, before, after)
        return encode(question, after) if after else None

    def _first(self, key: int, question: Question, value: Value) -> None:
        if isinstance(value, int):
            self._add_moments(key, 1, 1, value, value * value)
        elif question.scored:
            self.counts[key, value, 1] += 1

    def _next(self, key: int, question: Question, old: StoredSeries, entry: Entry) -> int | None:
        """Count an answer of a simulation and a time of its own, as those that are there have.

        Then each answer is counted and each is a point of its own. Return the place of the new one
        in order of time, None if it is not so.
        """
        times, _, simulations, numbers, _ = zip(*RECORD.iter_unpack(old.records), strict=True)
        m, place = len(times), bisect_left(times, entry.occurred_at)
        if (
            entry.simulation in simulations
            or (place < m and times[place] == entry.occurred_at)
            or len(set(simulations)) < m
            or len(set(times)) < m
        ):
            return None
        value = entry.value
        if isinstance(value, int):
            total, squares = sum(numbers), sum([x * x for x in numbers])
            self._add_moments(key, m, -m, -total, -squares)
            self._add_moments(key, m + 1, m + 1, total + value, squares + value * value)
            steps = _between(question.kind, numbers[max(place - 1, 0) : place + 1], value)
            self._add_noise(key, steps, 1, int(m == 1))
        elif question.scored:
            counts, values = self.counts, names(question, old)
            for number in numbers:
                counts[key, values[number], m] -= 1
                counts[key, values[number], m + 1] += 1
            counts[key, value, m + 1] += 1
        return place

    def _replace(
        self, key: int, question: Question, before: list[Entry], after: list[Entry]
    ) -> None:
        """Take an individual out with all answers, and put it in again with others."""
        old, new = answers(question, before), answers(question, after)
        counted = [
            Counter(one.value for one in first_answers(given).get(question, ()))
            for given in (old, new)
        ]
        if question.kind.numeric:
            for m, change in moment_increments(*counted).items():
                self._add_moments(key, m, *change)
            ours, theirs = (noise(question.kind, points(given)) for given in (new, old))
            self._add_noise(key, *(a - b for a, b in zip(ours, theirs, strict=True)))
        else:
            for (value, m), count in increments(*counted).items():
                self.counts[key, str(value), m] += count

    def _add_moments(self, key: int, m: int, count: int, total: int, squares: int) -> None:
        rows = self.moments[key]
        if (row := rows.get(m)) is None:
            rows[m] = [count, total, squares]
        else:
            row[0] += count
            row[1] += total
            row[2] += squares

    def _add_noise(self, key: int, squares: int, differences: int, individuals: int) -> None:
        row = self.noise.setdefault(key, [0, 0, 0])
        row[0] += squares
        row[1] += differences
        row[2] += individuals


def _between(kind: Kind, beside: Sequence[int], value: int) -> int:
    """Return what a value adds to the squares of its neighbours, one or both of them, in time."""
    squares = sum([step(kind, neighbour, value) for neighbour in beside])
    return squares - step(kind, *beside) if len(beside) == 2 else squares

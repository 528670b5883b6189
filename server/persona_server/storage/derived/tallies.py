"""What a batch changes in the sums over all individuals, added up before it is written.

Almost every answer is an individual's first to a question, or the only one of its simulation and
the latest of all. Those have short ways; everything else takes the long one, which reads the whole
series and takes the difference of what the measures make of it before and after. Both come to the
same sums.
"""

from collections.abc import Iterable, Iterator, Sequence
from operator import add
from struct import Struct

from persona_server.measures.answers import Answer, Question
from persona_server.measures.individual.points import Point, differences, points, step
from persona_server.storage.derived.counts import bucket, by_value
from persona_server.storage.derived.series import PIECE, RECORD, Entry, StoredSeries, pack
from persona_server.storage.keys import id_bytes, id_text

_END = Struct(">q32xq")  # of the latest record, what the next one is compared with: time and number


class Changes:
    """Changes of one question's sums, by simulation.

    `counts` are those of values by simulation and bucket, `moments` lists [n, Σx, Σx², Σx³, Σx⁴],
    `differences` lists [k, Σ Δ², Σ (1/c + 1/c')], in the units of the measures.
    """

    def __init__(self, question: Question) -> None:
        self.counts: dict[tuple[bytes, int], dict[int, int]] = {}
        self.moments: dict[bytes, list[int]] = {}
        self.differences: dict[bytes, list[int]] = {}
        self._question = question
        self._scored = question.scored
        self._by_value = by_value(question)

    def first(self, entry: Entry) -> StoredSeries:
        """Count the first answer of an individual, and return its series."""
        self._count(entry, 1)
        return StoredSeries(pack(entry), 0, 0)

    def append(self, old: StoredSeries, entry: Entry, began: int) -> StoredSeries | None:
        """Count an answer of a new simulation that is later than all others; return the series.

        `began` is when the first answer of the simulation occurred. None, and nothing is counted,
        if it may be another kind of answer. If the row was full, it is now a piece of its own.
        """
        records, end = old.records, len(old.records)
        last, number = _END.unpack_from(records, end - RECORD.size)
        if (
            old.repeats
            or entry.occurred_at <= last
            or entry.simulation in records  # also where other bytes happen to look like it
            # Pieces end before the row begins: then none of them has answers of this simulation.
            or (old.pieces and RECORD.unpack_from(records)[0] >= began)
        ):
            return None
        self._count(entry, 1)
        if self._question.kind.numeric:
            moved = step(self._question.kind, number, entry.number)
            _add(self.differences, entry.simulation, moved)
        if end == PIECE * RECORD.size:
            return StoredSeries(pack(entry), old.pieces + 1, 0)
        return tuple.__new__(StoredSeries, (records + pack(entry), old.pieces, 0))  # the fast way

    def replace(self, before: Sequence[Entry], after: Sequence[Entry]) -> None:
        """Take an individual out with all answers, in order of time, and put it in with others."""
        for given, sign in ((before, -1), (after, 1)):
            for entry in _first_in_each(given):
                self._count(entry, sign)
        if self._question.kind.numeric:
            kind = self._question.kind
            for simulation, found in differences(kind, self._points(before)):
                _add(self.differences, id_bytes(simulation), found.taken_out)
            for simulation, found in differences(kind, self._points(after)):
                _add(self.differences, id_bytes(simulation), found)

    def drop_unchanged(self) -> None:
        """Forget what comes to nothing: most of what is taken out of a series is put in again."""
        self.counts = {place: one for place, one in self.counts.items() if any(one.values())}
        self.moments = {place: one for place, one in self.moments.items() if any(one)}
        self.differences = {place: one for place, one in self.differences.items() if any(one)}

    def _points(self, given: Iterable[Entry]) -> tuple[Point, ...]:
        return points(
            Answer(self._question, id_text(entry.simulation), "", entry.occurred_at, entry.number)
            for entry in given
        )

    def _count(self, entry: Entry, sign: int) -> None:
        if not self._scored:
            return
        x = entry.number
        if not self._by_value:
            powers = (1, x, x * x, x * x * x, x * x * x * x)
            _add(self.moments, entry.simulation, [sign * power for power in powers])
            return
        place = (entry.simulation, bucket(self._question, x))
        counts = self.counts.setdefault(place, {})
        counts[x] = counts.get(x, 0) + sign


def _add(sums: dict[bytes, list[int]], simulation: bytes, change: Sequence[int]) -> None:
    row = sums.get(simulation)
    if row is None:
        sums[simulation] = list(change)
    else:
        row[:] = map(add, row, change)


def _first_in_each(given: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the first answer in each simulation, of answers in order of time."""
    seen = set()
    for entry in given:
        if entry.simulation not in seen:
            seen.add(entry.simulation)
            yield entry

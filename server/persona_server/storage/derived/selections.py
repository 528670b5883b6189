"""What groups of individuals answered to a question: each of them counts once.

Of a whole simulation that is counted already. Of other individuals their series are read: mostly
the last row of each, which holds the latest answers.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from persona_server.measures.answers import SETS, Question, items_of, set_items
from persona_server.measures.populations import Numbers
from persona_server.patience import while_awaited
from persona_server.storage.derived.counts import by_value, summed, unpacked
from persona_server.storage.derived.questions import of_scale
from persona_server.storage.derived.series import RECORD, Entry, entries
from persona_server.storage.derived.statements import DerivedStatements
from persona_server.storage.derived.texts import token
from persona_server.storage.engine.dialect import id_list, integer_list

_FIRST = -(2**63)  # at or before every id
_CHUNK = 500  # sets in memory at a time; each has 500 tokens at most

Belongs = Callable[[Entry], bool]  # whether an answer is of a selection

# How many individuals gave each number, in the form of a series' records.
Counts = Mapping[int, int]


class Themes(NamedTuple):
    """The themes that most individuals named, with how many did, and how many other themes."""

    counts: list[tuple[str, int]]
    others: int


class Selections:
    """The answers of many individuals of one tenant, question by question, by its id."""

    def __init__(self, statements: DerivedStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def questions(self, after: int, limit: int) -> list[tuple[int, Question]]:
        """Return at most `limit` questions of the tenant behind one, in the order first asked."""
        rows = self._do.selections.questions.all(tenant=self._tenant, after=after, limit=limit)
        return [(key, of_scale(name, scale)) for key, name, scale in rows]

    def models(self, model: str) -> frozenset[int]:
        """Return what stands for a model in records, with each version of its prompt."""
        rows = self._do.selections.models.all(tenant=self._tenant, first=_FIRST, model=model)
        return frozenset(key for (key,) in rows)

    def individuals(self, scope: bytes, question: int, limit: int) -> list[bytes]:
        """Return who answered a question in a simulation or a project, at most so many.

        See participation.py.
        """
        rows = self._do.selections.individuals.all(
            tenant=self._tenant, scope=scope, question=question, limit=limit
        )
        return [individual for (individual,) in rows]

    def of_library(self, limit: int) -> list[bytes]:
        """Return the individuals of library personas that are not retired, at most so many."""
        rows = self._do.selections.origins.all(tenant=self._tenant, after=b"", limit=limit)
        return [individual for (individual,) in rows]

    def counted(
        self, simulation: bytes, key: int, question: Question, most_sets: int
    ) -> Counts | Numbers | None:
        """Return what all individuals of a simulation first answered to a scored question.

        None if they gave more than `most_sets` different sets.
        """
        where: dict[str, Any] = {"tenant": self._tenant, "question": key}
        if question.kind in SETS:
            rows = self._do.selections.sets.all(simulation=simulation, limit=most_sets + 1, **where)
            return _sum(counts for (counts,) in rows) if len(rows) <= most_sets else None
        if by_value(question):
            rows = self._do.counts.all(simulation=simulation, **where)
            return _sum(counts for (counts,) in rows)
        row = self._do.moments.first(
            tenant=self._tenant, questions=integer_list([key]), simulations=id_list([simulation])
        )
        return summed(row[-1]) if row else Numbers(0, 0, 0)

    def set_count(self, simulation: bytes, key: int, most: int) -> int:
        """Return how many different sets a simulation gave to a question, at most `most`."""
        where: dict[str, Any] = {"tenant": self._tenant, "simulation": simulation, "question": key}
        ((count,),) = self._do.selections.set_count.all(limit=most, **where)
        return int(count)

    def latest(
        self, key: int, individuals: Sequence[bytes], belongs: Belongs
    ) -> dict[bytes, Entry]:
        """Return each individual's latest answer that belongs, of those with one."""
        found = {}
        for individual, records, pieces in self._rows(key, individuals):
            entry = _last(records, belongs)
            if entry is None and pieces:
                entry = _last(self._older(individual, key), belongs)
            if entry is not None:
                found[individual] = entry
        return found

    def first_in(
        self, key: int, individuals: Sequence[bytes], simulation: bytes, belongs: Belongs
    ) -> dict[bytes, Entry]:
        """Return each individual's first answer in a simulation that belongs."""
        row = self._do.began.first(tenant=self._tenant, simulation=simulation)
        began = row[0] if row else b""
        found: dict[bytes, Entry] = {}
        for individual, latest, pieces in self._rows(key, individuals):
            records = latest
            if pieces and latest[: len(began)] >= began:  # else older ones are of others
                records = self._older(individual, key) + latest
            if simulation in records:
                given = (e for e in entries(records) if e.simulation == simulation and belongs(e))
                entry = next(given, None)
                if entry is not None:
                    found[individual] = entry
        return found

    def items(self, number: int) -> frozenset[str]:
        """Return the options or themes of a set that somebody gave."""
        ids = integer_list([number])
        ((_, items),) = self._do.set_items.all(tenant=self._tenant, ids=ids)
        return items_of(items)

    def options_named(self, sets: Counts, options: Sequence[str]) -> list[int]:
        """Return in how many of the sets given each option is."""
        counts: Counter[str] = Counter()
        for _, tokens, count in self._tokens(sets):
            for each in tokens:
                counts[each] += count
        return [counts[token(option)] for option in options]

    def themes_named(self, sets: Counts, most: int) -> Themes:
        """Return the themes in the sets given, the most frequent first, at most so many."""
        counts: Counter[str] = Counter()
        holder: dict[str, int] = {}  # a set that has the theme
        for key, tokens, count in self._tokens(sets):
            for each in tokens:
                counts[each] += count
                holder.setdefault(each, key)
        shown = sorted(counts, key=lambda each: (-counts[each], each))[:most]
        ids = integer_list(sorted({holder[each] for each in shown}))
        rows = self._do.set_items.all(tenant=self._tenant, ids=ids) if shown else []
        texts = {token(item): item for _, items in rows for item in items_of(items)}
        named = [(texts[each], counts[each]) for each in shown]
        return Themes(sorted(named, key=lambda one: (-one[1], one[0])), len(counts) - len(shown))

    def _rows(self, key: int, individuals: Sequence[bytes]) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield individuals that answered a question, their latest records, how many pieces."""
        if individuals:
            rows = self._do.selections.series.all(
                tenant=self._tenant, question=key, ids=id_list(individuals)
            )
            yield from while_awaited(rows)

    def _older(self, individual: bytes, key: int) -> bytes:
        rows = self._do.pieces_of.all(tenant=self._tenant, individual=individual, question=key)
        return b"".join(records for (records,) in rows)

    def _tokens(self, sets: Counts) -> Iterator[tuple[int, frozenset[str], int]]:
        """Yield the sets given with their tokens, and how many gave each."""
        ids = sorted(sets)
        for start in range(0, len(ids), _CHUNK):
            chunk = integer_list(ids[start : start + _CHUNK])
            rows = self._do.set_tokens.all(tenant=self._tenant, ids=chunk)
            for key, tokens in while_awaited(rows):
                yield key, set_items(tokens), sets[key]


def _sum(rows: Iterable[bytes]) -> Counts:
    return {number: count for counts in rows for number, count in unpacked(counts)}


def _last(records: bytes, belongs: Belongs) -> Entry | None:
    """Return the last answer that belongs."""
    for end in range(len(records), 0, -RECORD.size):
        entry = Entry(*RECORD.unpack_from(records, end - RECORD.size))
        if belongs(entry):
            return entry
    return None

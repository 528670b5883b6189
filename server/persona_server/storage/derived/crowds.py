"""Who else answered what an individual answered, and what moved: read for many questions at once.

Questions that were asked in the same simulations, as mostly all are, take one statement together.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from persona_server import patience
from persona_server.measures.answers import SETS, Question, Value
from persona_server.measures.individual.crowds import Crowd, crowd
from persona_server.measures.individual.points import Differences
from persona_server.patience import while_awaited
from persona_server.storage.derived.counts import by_value, summed, unpacked
from persona_server.storage.derived.statements import DerivedStatements
from persona_server.storage.engine.dialect import id_list, integer_list
from persona_server.storage.engine.statements import Statement
from persona_server.storage.keys import id_bytes
from persona_server.validation.remembering import Remembered

# Pairs of sets are compared one by one: so many of a question and simulation, in the order of their
# hashes, stand for all of them. All sets of six options are that many.
MOST_SETS = 64

# Crowds of a snapshot that were read for others too, by the question's id and the simulation.
KnownCrowds = dict[int, dict[str, Crowd]]
MOST_KNOWN = 20_000  # of them, at an individual's beginning: some 20 MB

SimulationsOf = Mapping[Question, Collection[str]]  # ids of those to look at, by question
Ids = Mapping[Question, int]
Questions = Mapping[int, Question]  # by their ids
CountsOrSums = bytes | str  # of a question and simulation: packed counts, or sums as JSON

# Crowds by tenant, question and what is kept, from which nothing else follows: to compare all pairs
# of sets anew would be half of a reliability.
_computed = Remembered[tuple[int, int, CountsOrSums], Crowd](2 << 20)  # some ten thousand, of 10 MB


class _Wanted(NamedTuple):
    """A question with its id, and the simulations in which it is looked at."""

    question: Question
    key: int
    simulations: Collection[str]

    def without(self, known: Collection[str] | None) -> "_Wanted":
        """Return it in those simulations alone that are not known."""
        if not known:
            return self
        return self._replace(simulations=[s for s in self.simulations if s not in known])


class Crowds:
    """The crowds of one tenant."""

    def __init__(self, statements: DerivedStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def of(
        self, ids: Ids, asked: SimulationsOf, known: KnownCrowds | None = None
    ) -> dict[Question, dict[str, Crowd]]:
        """Return who answered questions in these simulations.

        Of the sets given to a question in a simulation the first 64 in the order of their hashes
        are counted, and nobody else. `known` has crowds of the same snapshot, and gets the others.
        """
        known = {} if known is None else known
        if sum(map(len, known.values())) > MOST_KNOWN:
            known.clear()
        wanted = _wanted(ids, asked)
        missing = [one.without(known.get(one.key)) for one in wanted]
        for questions, simulations in _together(missing):
            self._read(questions, simulations, known)
        return {question: _among(known.get(key, {}), of) for question, key, of in wanted}

    def differences(self, ids: Ids, asked: SimulationsOf) -> dict[Question, dict[str, Differences]]:
        """Return what moved in numeric questions until these simulations, of all individuals.

        By simulation.
        """
        wanted = _wanted(ids, asked)
        found: dict[int, dict[str, Differences]] = {one.key: {} for one in wanted}
        for questions, simulations in _together(wanted):
            texts = {id_bytes(simulation): simulation for simulation in simulations}
            rows = self._rows(self._do.differences, questions, texts)
            for key, raw, number, squares, inverses in while_awaited(rows):
                found[key][texts[raw]] = Differences(number, int(squares), inverses)
        return {one.question: found[one.key] for one in wanted}

    def _read(self, questions: Questions, simulations: Sequence[str], known: KnownCrowds) -> None:
        """Add to `known` the crowds of questions in simulations, where anybody answered."""
        texts = {id_bytes(simulation): simulation for simulation in simulations}
        valued = [key for key, question in questions.items() if by_value(question)]
        others = [key for key, question in questions.items() if not by_value(question)]
        rows = self._rows(self._do.packed, valued, texts, limit=MOST_SETS)
        rows += self._rows(self._do.moments, others, texts)
        for key, given in groupby(while_awaited(rows), key=itemgetter(0)):
            of, new = known.setdefault(key, {}), []
            for _, raw, counts in given:
                if (found := _computed.get((self._tenant, key, counts))) is not None:
                    of[texts[raw]] = found
                elif counts is not None:
                    new.append((texts[raw], counts))
            if new:
                of.update(self._compute(key, questions[key], new))

    def _compute(
        self, key: int, question: Question, given: Sequence[tuple[str, CountsOrSums]]
    ) -> Iterator[tuple[str, Crowd]]:
        """Yield the crowds of a question that are made for the first time, by simulation."""
        patience.require()
        sets = [counts for _, counts in given if isinstance(counts, bytes)]
        tokens = self._tokens(sets) if question.kind in SETS else {}
        for simulation, counts in given:
            found = _crowd(question, counts, tokens)
            yield simulation, _computed.keep((self._tenant, key, counts), found, len(counts))

    def _tokens(self, given: Iterable[bytes]) -> dict[int, str]:
        """Return the sets that packed counts name, as sets of tokens."""
        ids = {number for packed in given for number, _ in unpacked(packed)}
        return dict(self._do.set_tokens.all(tenant=self._tenant, ids=integer_list(list(ids))))

    def _rows(
        self,
        statement: Statement,
        questions: Collection[int],
        simulations: Collection[bytes],
        **more: int,
    ) -> list[tuple[Any, ...]]:
        """Return what a statement does of questions in simulations."""
        if not questions:
            return []
        keys, ids = integer_list(list(questions)), id_list(list(simulations))
        return statement.all(tenant=self._tenant, questions=keys, simulations=ids, **more)


def _wanted(ids: Ids, asked: SimulationsOf) -> list[_Wanted]:
    """Return the questions asked for with their ids and simulations."""
    return [_Wanted(q, ids[q], some) for q, some in asked.items() if some and q in ids]


def _crowd(question: Question, counts: CountsOrSums, tokens: Mapping[int, str]) -> Crowd:
    """Return the crowd of what is kept. Its tally has sets by their ids: nobody looks into them."""
    if isinstance(counts, str):
        return crowd(question, summed(counts))
    numbers: dict[Value, int] = dict(unpacked(counts))
    if question.kind in SETS:
        found = crowd(question, {tokens[number]: n for number, n in unpacked(counts)})
        return found._replace(tally=numbers)
    options = question.options
    return crowd(question, {options[i]: n for i, n in unpacked(counts)} if options else numbers)


def _together(wanted: Iterable[_Wanted]) -> Iterator[tuple[Questions, Sequence[str]]]:
    """Yield questions by their ids that are looked at in the same simulations, with these."""
    groups: defaultdict[tuple[str, ...], dict[int, Question]] = defaultdict(dict)
    for question, key, simulations in wanted:
        if simulations:
            groups[tuple(sorted(simulations))][key] = question
    for same, questions in groups.items():
        yield questions, same


def _among(crowds: dict[str, Crowd], simulations: Collection[str]) -> dict[str, Crowd]:
    """Return the crowds of these simulations, where there are any."""
    return {s: crowds[s] for s in simulations if s in crowds}

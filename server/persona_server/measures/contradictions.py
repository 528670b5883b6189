"""Pairs of answers of one individual to one question that exclude each other."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import comb
from typing import NamedTuple

from persona_server.measures.answers import Answer, Kind, Question, Value
from persona_server.measures.reasons import Reason


class Contradiction(NamedTuple):
    """A question with contradicting pairs of answers: the first in time, and how many."""

    question: Question
    first: Answer
    second: Answer
    contradicting_pairs: int
    pairs: int


class Contradictions(NamedTuple):
    """All contradictions by question, and the rate: contradicting pairs / all pairs.

    A share of pairs, since a share of questions would grow with every simulation. The rate is None,
    with a reason, if no choice, rating or sentiment question was compared.
    """

    found: tuple[Contradiction, ...]
    contradicting_pairs: int
    pairs: int
    rate: float | None
    reason: Reason | None


def side(question: Question, value: Value) -> int:
    """-1 or 1 for a number on that side of the midpoint, 0 within a quarter of its half range.

    On a side means 4 |2x - min - max| ≥ max - min.
    """
    offset = 2 * int(value) - question.minimum - question.maximum
    if 4 * abs(offset) < question.maximum - question.minimum:
        return 0
    return (offset > 0) - (offset < 0)


def contradict(question: Question, a: Value, b: Value) -> bool:
    """Whether two answers exclude each other; sets and themes never do."""
    if question.kind.numeric:
        return side(question, a) * side(question, b) < 0
    return question.kind is Kind.CHOICE and a != b


def contradictions(compared: Iterable[Sequence[Answer]]) -> Contradictions:
    """Contradictions in comparable questions: for each, its m ≥ 2 answers in order of time."""
    found, contradicting, pairs = [], 0, 0
    for answers in compared:
        question = answers[0].question
        if not question.kind.numeric and question.kind is not Kind.CHOICE:
            continue
        count = _contradicting_pairs(question, answers)
        contradicting += count
        pairs += comb(len(answers), 2)
        if count:
            first, second = _first_pair(question, answers)
            found.append(Contradiction(question, first, second, count, comb(len(answers), 2)))
    rate, reason = (contradicting / pairs, None) if pairs else (None, Reason.NO_COMPARABLE_PAIR)
    return Contradictions(tuple(found), contradicting, pairs, rate, reason)


def _contradicting_pairs(question: Question, answers: Sequence[Answer]) -> int:
    given = Counter([answer.value for answer in answers])
    if question.kind is Kind.CHOICE:
        return comb(len(answers), 2) - sum([comb(count, 2) for count in given.values()])
    sides = {-1: 0, 0: 0, 1: 0}
    for value, count in given.items():
        sides[side(question, value)] += count
    return sides[-1] * sides[1]


def _first_pair(question: Question, answers: Sequence[Answer]) -> tuple[Answer, Answer]:
    """Return the pair with the earliest first answer; no other is complete earlier.

    Where any contradict, the first choice does so, or the first number that is on a side.
    """
    choice = question.kind is Kind.CHOICE
    first = next(a for a in answers if choice or side(question, a.value))
    return first, next(b for b in answers if contradict(question, first.value, b.value))

"""Answers that follow their form and not their question: measured against the others' there."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from typing import NamedTuple

from persona_server.measures.answers import Answer, Kind, Question, Value
from persona_server.measures.individual.crowds import WIDE, Crowd
from persona_server.measures.individual.terms import Compared

LEAST_QUESTIONS = 15
_STRAIGHT = range(3, 12)  # positions of a scale on which one can straight-line
_SCALES = range(2, WIDE + 1)
_WITH_STYLES = (Kind.RATING, Kind.CHOICE)


class Styles(NamedTuple):
    """Own share - others' share, -1 to 1; None for fewer than 15 such questions."""

    straight_lining: float | None  # of the position given most
    acquiescence: float | None  # above the midpoint
    first_option: float | None  # of the option shown first


class _Given(NamedTuple):
    """The answers to a question in simulations where chance is known, each with its crowd."""

    question: Question
    answers: list[tuple[Answer, Crowd]]


class _Group(NamedTuple):
    """Own answers in crowds of one size. Shares that have one denominator are added as counts."""

    others: int  # individuals of each crowd but this one
    own: list[Value]
    counts: list[Mapping[Value, int]]

    def more(self, value: Value) -> float:
        """Return the sum over these answers of own share less the others' share of a value."""
        own = self.own.count(value)
        everyone = sum([counts.get(value, 0) for counts in self.counts])
        return own - (everyone - own) / self.others


def styles(questions: Sequence[Compared]) -> Styles:
    """Return the response styles over answers where chance is known."""
    given = [_given(one) for one in questions if one.question.kind in _WITH_STYLES]
    return Styles(_straight_lining(given), _acquiescence(given), _first_option(given))


def _straight_lining(questions: Iterable[_Given]) -> float | None:
    chosen = _commonest_scale(_ratings(questions, _STRAIGHT))
    given = _known(chosen)
    if given is None:
        return None
    groups = _by_size(given)
    positions = range(chosen[0].question.minimum, chosen[0].question.maximum + 1)
    return max(fsum([one.more(position) for one in groups]) for position in positions) / len(given)


def _by_size(given: Iterable[tuple[Answer, Crowd]]) -> list[_Group]:
    groups: dict[int, _Group] = {}
    for answer, crowd in given:
        others = crowd.individuals - 1
        if (group := groups.get(others)) is None:
            group = groups[others] = _Group(others, [], [])
        group.own.append(answer.value)
        group.counts.append(crowd.counts)
    return list(groups.values())


def _commonest_scale(questions: Sequence[_Given]) -> list[_Given]:
    """Return the questions of the scale with most answers, then the smallest ends."""
    answers: Counter[tuple[int, int]] = Counter()
    for one in questions:
        answers[_scale(one.question)] += len(one.answers)
    if not answers:
        return []
    most = min(answers, key=lambda scale: (-answers[scale], scale))
    return [one for one in questions if _scale(one.question) == most]


def _acquiescence(questions: Iterable[_Given]) -> float | None:
    given = _known(_ratings(questions, _SCALES))
    if given is None:
        return None
    return _mean([_above(answer, crowd) for answer, crowd in given])


def _above(answer: Answer, crowd: Crowd) -> float:
    question = answer.question
    midpoint = (question.minimum + question.maximum) / 2
    return crowd.above_more_than_others(int(answer.value), midpoint)


def _first_option(questions: Iterable[_Given]) -> float | None:
    given = _known([one for one in questions if one.question.kind is Kind.CHOICE])
    if given is None:
        return None
    return _mean([crowd.more_than_others(own.value, own.shown_first) for own, crowd in given])


def _ratings(questions: Iterable[_Given], positions: range) -> list[_Given]:
    return [
        one
        for one in questions
        if one.question.kind is Kind.RATING
        and one.question.maximum - one.question.minimum + 1 in positions
    ]


def _known(questions: Sequence[_Given]) -> list[tuple[Answer, Crowd]] | None:
    """Return all answers to questions; None for too few questions."""
    if len(questions) < LEAST_QUESTIONS:
        return None
    return [each for one in questions for each in one.answers]


def _given(one: Compared) -> _Given:
    with_crowds = [(answer, one.crowds[answer.simulation_id]) for answer in one.answers]
    return _Given(one.question, [each for each in with_crowds if each[1].chance is not None])


def _scale(question: Question) -> tuple[int, int]:
    return question.minimum, question.maximum


def _mean(figures: Sequence[float]) -> float:
    return fsum(figures) / len(figures)

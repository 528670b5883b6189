"""Answers that follow their form and not their question: measured against the others' there."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import fsum
from typing import NamedTuple

from persona_server.measures.answers import Answer, Kind, Question
from persona_server.measures.individual.crowds import WIDE, Crowd
from persona_server.measures.individual.terms import Compared

LEAST_QUESTIONS = 15
_STRAIGHT = range(3, 12)  # positions of a scale on which one can straight-line
_SCALES = range(2, WIDE + 1)


class Styles(NamedTuple):
    """Own share - others' share, -1 to 1; None for fewer than 15 such questions."""

    straight_lining: float | None  # of the position given most
    acquiescence: float | None  # above the midpoint
    first_option: float | None  # of the option shown first


class _Given(NamedTuple):
    answer: Answer
    crowd: Crowd


def styles(questions: Sequence[Compared]) -> Styles:
    """Return the response styles over answers where chance is known."""
    return Styles(_straight_lining(questions), _acquiescence(questions), _first_option(questions))


def _straight_lining(questions: Iterable[Compared]) -> float | None:
    chosen = _commonest_scale(_ratings(questions, _STRAIGHT))
    given = _known(chosen)
    if given is None:
        return None
    low, high = chosen[0].question.minimum, chosen[0].question.maximum
    return max(
        _mean(g.crowd.more_than_others(g.answer.value, position) for g in given)
        for position in range(low, high + 1)
    )


def _commonest_scale(questions: Sequence[Compared]) -> list[Compared]:
    """Return the questions of the scale with most answers, then the smallest ends."""
    answers: Counter[tuple[int, int]] = Counter()
    for one in questions:
        answers[_scale(one.question)] += sum(1 for _ in _answers(one))
    if not answers:
        return []
    most = min(answers, key=lambda scale: (-answers[scale], scale))
    return [one for one in questions if _scale(one.question) == most]


def _acquiescence(questions: Iterable[Compared]) -> float | None:
    chosen = _ratings(questions, _SCALES)
    given = _known(chosen)
    if given is None:
        return None
    return _mean(_above(g) for g in given)


def _above(given: _Given) -> float:
    question, own = given.answer.question, int(given.answer.value)
    midpoint = (question.minimum + question.maximum) / 2
    return given.crowd.above_more_than_others(own, midpoint)


def _first_option(questions: Iterable[Compared]) -> float | None:
    given = _known([one for one in questions if one.question.kind is Kind.CHOICE])
    if given is None:
        return None
    return _mean(g.crowd.more_than_others(g.answer.value, g.answer.shown_first) for g in given)


def _ratings(questions: Iterable[Compared], positions: range) -> list[Compared]:
    return [
        one
        for one in questions
        if one.question.kind is Kind.RATING
        and one.question.maximum - one.question.minimum + 1 in positions
    ]


def _known(questions: Sequence[Compared]) -> list[_Given] | None:
    """Return the answers in simulations where chance is known, None for too few questions."""
    if len(questions) < LEAST_QUESTIONS:
        return None
    return [given for one in questions for given in _answers(one)]


def _answers(one: Compared) -> Iterator[_Given]:
    for answer in one.answers:
        crowd = one.crowds[answer.simulation_id]
        if crowd.chance is not None:
            yield _Given(answer, crowd)


def _scale(question: Question) -> tuple[int, int]:
    return question.minimum, question.maximum


def _mean(figures: Iterable[float]) -> float:
    given = list(figures)
    return fsum(given) / len(given)

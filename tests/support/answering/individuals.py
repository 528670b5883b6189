"""Individuals among others, as the tests of reliability write them down."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from persona_server.measures.answers import Answer, Question, Value, distance
from persona_server.measures.individual.crowds import crowd
from persona_server.measures.individual.policy import Policy
from persona_server.measures.individual.reliability import (
    Crowds,
    Estimate,
    Reliability,
    reliability,
)

Own = Mapping[Question, Sequence[Value | None]]  # one value per simulation, None: no answer
Others = Mapping[Question, Sequence[Value]]  # alike in each simulation

ANY_STYLE = Policy(max_straight_lining=1, max_acquiescence=1, max_first_option=1)


def recorded(own: Own) -> list[Answer]:
    """Return the answers of an individual, to whom the first option is shown first."""
    return [
        Answer(q, f"s{i}", f"r{i}", i, v, shown_first=q.options[0] if q.options else "")
        for q, values in own.items()
        for i, v in enumerate(values)
        if v is not None
    ]


def crowds(own: Own, others: Others) -> Crowds:
    """Return who answered in each simulation of an individual: itself, and all the others."""
    return {
        q: {
            f"s{i}": crowd(q, Counter([*others.get(q, ()), v]))
            for i, v in enumerate(values)
            if v is not None
        }
        for q, values in own.items()
        if q.scored
    }


def measured(own: Own, others: Others, policy: Policy | None = None) -> Reliability:
    """Measure an individual among others who answer alike in each simulation."""
    return reliability(recorded(own), crowds(own, others), policy or Policy())


def estimated(found: Reliability) -> Estimate:
    """Return the estimate that there must be."""
    assert found.estimate is not None
    return found.estimate


def six(value: float) -> object:
    """Return what equals a figure to the six decimals that it is stated with."""
    return pytest.approx(value, abs=5.1e-7)


def rated(
    n: int, own: Sequence[int], others: Sequence[int]
) -> tuple[dict[Question, Sequence[Value]], Others]:
    """Return n questions rated 1 to 5, all answered alike."""
    questions = [Question.rating(f"q{i:02}", 1, 5) for i in range(n)]
    return dict.fromkeys(questions, own), dict.fromkeys(questions, others)


def disagreement(question: Question, a: Value, b: Value) -> float:
    """Return δ(a, b): 0 if equal, 1 on average between uniformly random answers."""
    return float(question.unit * distance(question.kind, a, b))

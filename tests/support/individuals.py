"""Individuals and their peers, as the tests of reliability write them down."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from persona_server.measures.answers import (
    Answer,
    Question,
    Value,
)
from persona_server.measures.histogram import Histogram
from persona_server.measures.reliability import Reliability, reliability

Given = Mapping[Question, Sequence[Value | None]]  # one value per simulation, None: no answer
Crowd = Mapping[Question, Sequence[Sequence[Value]]]  # other individuals, each with its answers


def recorded(own: Given) -> list[Answer]:
    return [
        Answer(question, f"s{i}", f"{question.key}-{i}", i, value)
        for question, values in own.items()
        for i, value in enumerate(values)
        if value is not None
    ]


def histograms(own: Given, peers: Crowd) -> dict[Question, Histogram]:
    stored = {}
    for question, values in own.items():
        mine = Counter(value for value in values if value is not None)
        stored[question] = Histogram.of([mine, *map(Counter, peers.get(question, ()))])
    return stored


def measured(own: Given, peers: Crowd) -> Reliability:
    return reliability(recorded(own), histograms(own, peers))


def six(value: float) -> object:
    return pytest.approx(value, abs=5.1e-7)


def ratings(n: int, *last: int | None) -> tuple[Given, Crowd]:
    questions = [Question.rating(f"q{i:02}", 1, 5) for i in range(n)]
    own: dict[Question, Sequence[Value | None]] = {q: [4, 4, 4, 4] for q in questions}
    own[questions[-1]] = last or [4, 4, 4, 4]
    return own, {q: [[2], [3], [3], [4], [5]] for q in questions}

"""Simulated respondents of known truth; `make bench-measures` measures the same on many more."""

from collections import Counter
from math import sqrt
from random import Random
from statistics import fmean

import pytest

from persona_server.measures.answers import Answer, Kind, Question, Value, set_value
from persona_server.measures.individual.change import Noise, ReliableChange, reliable_change
from persona_server.measures.individual.crowds import Crowd, crowd
from persona_server.measures.individual.points import Differences, Point, differences
from persona_server.measures.individual.policy import Status
from persona_server.measures.individual.reliability import Reliability, reliability

QUESTIONS, SIMULATIONS, RESPONDENTS = 30, 4, 60
OTHERS = 300  # of few, chance is another than that of a random one's answers


class World:
    """Questions of mixed kinds, and what others answer in every simulation."""

    def __init__(self, seed: int, consensus: float = 0.0) -> None:
        self.random = Random(seed)
        scales: list[tuple[str, list[Value]]] = [
            ("choice", list("ABCD")),
            ("rating", [1, 2, 3, 4, 5]),
            ("sentiment", list(range(-(10**6), 10**6 + 1, 250_000))),
            ("choices", [set_value(s) for s in ("a", "ab", "bc", "abc", "d")]),
        ]
        self.crowd: dict[Question, list[Value]] = {}
        for i in range(QUESTIONS):
            kind, values = scales[i % len(scales)]
            question = self._question(kind, f"q{i:02}")
            usual = self.random.choice(values)
            self.crowd[question] = [
                usual if self.random.random() < consensus else self.random.choice(values)
                for _ in range(OTHERS)
            ]

    @staticmethod
    def _question(kind: str, key: str) -> Question:
        if kind == "choice":
            return Question.choice(key, "ABCD")
        if kind == "choices":
            return Question.choices(key, "abcd")
        return Question.rating(key, 1, 5) if kind == "rating" else Question.sentiment(key)

    def respondent(self, true_c: float) -> list[Answer]:
        """Answer as one respondent.

        Two answers both come from the attitude with probability true_c, else one is a random
        peer's: then C is true_c.
        """
        steady = sqrt(true_c)
        return [
            Answer(question, f"s{s}", f"{question.key}-{s}", s, value)
            for question, crowd in self.crowd.items()
            for attitude in [self.random.choice(crowd)]
            for s in range(SIMULATIONS)
            for value in [attitude if self.random.random() < steady else self.random.choice(crowd)]
        ]

    def measure(self, answers: list[Answer]) -> Reliability:
        crowds: dict[Question, dict[str, Crowd]] = {}
        for one in answers:
            present = Counter([*self.crowd[one.question], one.value])
            crowds.setdefault(one.question, {})[one.simulation_id] = crowd(one.question, present)
        return reliability(answers, crowds)


@pytest.mark.parametrize("true_c", [0.0, 0.5, 0.9, 1.0])
def test_the_coefficient_finds_the_truth(true_c: float) -> None:
    world = World(1)
    results = [world.measure(world.respondent(true_c)) for _ in range(RESPONDENTS)]
    estimates = [r.estimate for r in results if r.estimate is not None]
    assert len(estimates) == RESPONDENTS
    assert fmean(e.coefficient for e in estimates) == pytest.approx(true_c, abs=0.03)
    assert sum(e.low <= true_c for e in estimates) >= 0.9 * RESPONDENTS


def test_the_steady_are_eligible_and_the_random_are_not() -> None:
    world = World(2)
    steady = [world.measure(world.respondent(1.0)).status for _ in range(RESPONDENTS)]
    assert set(steady) == {Status.ELIGIBLE}
    lapsing = [world.measure(world.respondent(0.3)).status for _ in range(RESPONDENTS)]
    assert set(lapsing) == {Status.NOT_ELIGIBLE}


def test_consensus_promotes_no_random_respondent() -> None:
    world = World(3, consensus=0.95)
    results = [world.measure(world.respondent(0.0)).status for _ in range(RESPONDENTS)]
    assert Status.ELIGIBLE not in results


def test_planted_contradictions_are_all_found() -> None:
    world = World(4)
    for _ in range(RESPONDENTS):
        answers = world.respondent(1.0)
        planted = set()
        for i in world.random.sample(range(len(answers)), 10):
            question, crowd = answers[i].question, world.crowd[answers[i].question]
            old = next(a.value for a in answers if a.question == question)
            opposite = [v for v in set(crowd) if _opposite(question, old, v)]
            if question not in planted and opposite:
                answers[i] = answers[i]._replace(value=max(opposite, key=str))
                planted.add(question)
        found = {c.question for c in world.measure(answers).contradictions.found}
        assert planted
        assert found == planted


def _opposite(question: Question, a: Value, b: Value) -> bool:
    """Whether two answers contradict, said without the code under test."""
    if question.kind is Kind.CHOICES:
        return False
    if question.options:
        return a != b
    middle = (question.minimum + question.maximum) / 2
    far = (question.maximum - question.minimum) / 8
    low, high = sorted((int(a), int(b)))
    return low <= middle - far and high >= middle + far


def test_a_true_shift_is_a_reliable_change_and_noise_seldom_is() -> None:
    random = Random(5)
    kind = Question.sentiment("s").kind

    def waves(shift: int) -> list[Point]:
        return [
            Point(t, round(random.gauss(0, 50_000)) + shift * (t > 1), 1, f"s{t}") for t in range(4)
        ]

    total = Differences()
    for _ in range(20):
        for _, found in differences(kind, waves(0)):
            total = Differences.total([total, found])
    others = Noise(total.number, float(total.variance(kind)), float(total.mean_inverse))

    def changed(shift: int) -> int:
        found = [reliable_change(kind, waves(shift), others) for _ in range(200)]
        return sum(one.reliable(one.p) for one in found if isinstance(one, ReliableChange))

    assert changed(0) <= 20
    assert changed(400_000) == 200

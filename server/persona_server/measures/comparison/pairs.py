"""The same individuals in two selections: how far their answers moved, and whether they agree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import fsum, sqrt
from typing import NamedTuple

from persona_server.measures.answers import Value
from persona_server.measures.comparison.moments import Difference, difference, exact_moments
from persona_server.measures.comparison.steps import Matrix, Steps
from persona_server.measures.comparison.targets import Distance, distance
from persona_server.measures.individual.interval import LEAST_PRIOR_WEIGHT, WEIGHT_OF_UNIT
from persona_server.measures.populations import Numbers
from persona_server.measures.student_t import quantile

_QUANTILE = 0.975
LEAST_PAIRS = 20

Table = Sequence[Sequence[int]]  # how many gave row's value first and column's value second


class Agreement(NamedTuple):
    """A, agreement beyond chance: 1 if nobody moved, 0 for what chance would give."""

    value: float
    low: float
    high: float


def are_paired(both: int, one: int, other: int) -> bool:
    """Whether two selections are compared over those who answered both."""
    return both >= LEAST_PAIRS and 2 * both >= min(one, other)


def distance_of_pairs(steps: Steps, table: Table) -> Distance:
    """Compare second answers with first ones; n ≥ 2 individuals gave both."""
    first, second = (
        [sum(row) for row in table],
        [sum(column) for column in zip(*table, strict=True)],
    )
    n = sum(first)
    differences = [
        b - a
        for a, b in zip(
            steps.of([x / n for x in first]), steps.of([x / n for x in second]), strict=True
        )
    ]
    square = _mean_square(steps, table, n)
    chance = [[value / n for value in row] for row in square]
    spread = [
        [(value - x * y) / (n - 1) for value, y in zip(row, differences, strict=True)]
        for row, x in zip(square, differences, strict=True)
    ]
    return distance(steps, differences, chance, spread)


def _mean_square(steps: Steps, table: Table, n: int) -> Matrix:
    """Return the mean of z zᵀ, z the difference of the steps of two answers."""
    total = _moved_ratings(table) if steps.cumulated else _moved_choices(table)
    return [[value / n for value in row] for row in total]


def _moved_ratings(table: Table) -> list[list[int]]:
    """Σ z zᵀ of ratings: each answer that moved adds 1 to a square on the diagonal.

    The squares' corners are added up, so that it costs the same however far answers moved.
    """
    size = len(table) - 1
    corners = [[0] * (size + 1) for _ in range(size + 1)]
    for a, row in enumerate(table):
        for b, count in enumerate(row):
            low, high = min(a, b), max(a, b)
            corners[low][low] += count
            corners[low][high] -= count
            corners[high][low] -= count
            corners[high][high] += count
    columns = list(
        accumulate(corners, lambda above, row: [x + y for x, y in zip(above, row, strict=True)])
    )
    return [list(accumulate(row))[:size] for row in columns[:size]]


def _moved_choices(table: Table) -> list[list[int]]:
    """Σ z zᵀ of choices: an answer that moved left one option and took another."""
    size = len(table)
    total = [[0] * size for _ in range(size)]
    for a, row in enumerate(table):
        for b, count in enumerate(row):
            if a != b:
                total[a][a] += count
                total[b][b] += count
                total[a][b] -= count
                total[b][a] -= count
    return total


def mean_of_moves(moved: Mapping[Value, int], unit: int) -> Difference | None:
    """Return the mean of second - first, by the paired t; None if all moved alike.

    `moved` is how many, two individuals at least, moved so far, in 1 / unit.
    """
    n, mean, variance = exact_moments(Numbers.of(moved), unit)
    return difference(mean, sqrt(variance / n), n - 1) if variance else None


def agreement(
    table: Table, disagreement: Sequence[Sequence[float]], unit: float
) -> Agreement | None:
    """A = 1 - Σd / Σe with its 95% interval, the individuals taken as questions; None if Σe = 0.

    ``disagreement`` is δ of each two values; ``unit`` is its largest value in units of what random
    answers show: K / (K - 1) for a choice, 2 for a rating of two positions, else 1.
    """
    own, chance = _terms(table, disagreement)
    return _beyond_chance([count for row in table for count in row], own, chance, unit)


def agreement_of_numbers(pairs: Mapping[tuple[int, int], int], per: float) -> Agreement | None:
    """Return the same of numbers, δ = per · (a - b)², by how many gave which pair of them."""
    first, second = Counter[Value](), Counter[Value]()
    for (a, b), count in pairs.items():
        first[a] += count
        second[b] += count
    to_first, to_second = Numbers.of(first), Numbers.of(second)
    others = 2 * (to_first.total - 1)
    own = [per * (a - b) ** 2 for a, b in pairs]
    chance = [
        per * (to_second.distance(a) + to_first.distance(b) - 2 * (a - b) ** 2) / others
        for a, b in pairs
    ]
    return _beyond_chance(list(pairs.values()), own, chance, 1.0)


def _beyond_chance(
    counts: Sequence[int], own: Sequence[float], chance: Sequence[float], unit: float
) -> Agreement | None:
    """Return A by how many have which d and e."""
    n = sum(counts)
    total = fsum(c * d for c, d in zip(counts, own, strict=True))
    expected = fsum(c * e for c, e in zip(counts, chance, strict=True))
    if expected == 0:
        return None
    prior = max(LEAST_PRIOR_WEIGHT, WEIGHT_OF_UNIT * unit)
    ratio = (total + prior) / (expected + prior)
    gaps = fsum(c * (d - ratio * e) ** 2 for c, d, e in zip(counts, own, chance, strict=True))
    gaps += (prior * (1 - ratio)) ** 2
    error = sqrt((n + 1) / n * gaps) / (expected + prior)
    margin = quantile(_QUANTILE, n) * error / (2 * sqrt(ratio))
    value = 1 - total / expected
    high = 1 - max(0.0, sqrt(total / expected) - margin) ** 2
    return Agreement(max(-1.0, value), max(-1.0, 1 - (sqrt(ratio) + margin) ** 2), max(-1.0, high))


def _terms(
    table: Table, disagreement: Sequence[Sequence[float]]
) -> tuple[list[float], list[float]]:
    """Return d and e of each cell, e by the others' answers in the other simulation."""
    first, second = (
        [sum(row) for row in table],
        [sum(column) for column in zip(*table, strict=True)],
    )
    others = sum(first) - 1
    to_second = [_sum(second, disagreement, a) for a in range(len(first))]
    to_first = [_sum(first, disagreement, b) for b in range(len(second))]
    own, chance = [], []
    for a, row in enumerate(table):
        for b in range(len(row)):
            d = disagreement[a][b]
            own.append(d)
            chance.append((to_second[a] + to_first[b] - 2 * d) / (2 * others))
    return own, chance


def _sum(counts: Sequence[int], disagreement: Sequence[Sequence[float]], value: int) -> float:
    return fsum(c * disagreement[value][other] for other, c in enumerate(counts))

"""Distributions as steps, in which the distance of two is a weighted sum of differences.

Choices of one: total variation, T = Σ |p - q| / 2. Ratings: Wasserstein-1 as a share of the scale,
T = Σ |P - Q| / (K - 1) over the cumulated shares.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

Matrix = list[list[float]]


class Steps(NamedTuple):
    """How the shares of K values become steps, each of which weighs as much."""

    cumulated: bool  # ratings, which have distances
    positions: int  # K ≥ 2

    @property
    def weight(self) -> float:
        """How much a step weighs in T."""
        return 1 / (self.positions - 1) if self.cumulated else 0.5

    def of(self, shares: Sequence[float]) -> list[float]:
        """Return the steps of a distribution over the K values, in declared order."""
        return list(accumulate(shares[:-1])) if self.cumulated else list(shares)

    def distance(self, differences: Sequence[float]) -> float:
        """T, from 0 to 1, of the differences of two distributions' steps."""
        return self.weight * sum(map(abs, differences))

    def covariance(self, shares: Sequence[float], factor: float = 1.0) -> Matrix:
        """Return the covariance of the steps of one draw, times a factor such as 1 / n."""
        f = self.of(shares)
        return [
            [factor * (self._both(f, i, j) - x * y) for j, y in enumerate(f)]
            for i, x in enumerate(f)
        ]

    def _both(self, steps: Sequence[float], i: int, j: int) -> float:
        if self.cumulated:
            return steps[min(i, j)]
        return steps[i] if i == j else 0.0


def shares_of(counts: Sequence[int]) -> list[float]:
    """Return counts, of which one at least is above 0, as shares of their sum."""
    total = sum(counts)
    return [count / total for count in counts]


def smoothed(counts: Sequence[float]) -> list[float]:
    """Return shares with one more of each, so that what nobody gave still varies."""
    total = sum(counts) + len(counts)
    return [(count + 1) / total for count in counts]


def added(one: Matrix, other: Matrix) -> Matrix:
    """Return the sum of two matrices of the same shape."""
    return [[x + y for x, y in zip(a, b, strict=True)] for a, b in zip(one, other, strict=True)]

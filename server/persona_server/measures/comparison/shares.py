"""Shares of a group's answers, with exact intervals."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from persona_server.measures.special import beta_quantile

TAIL = 0.025


class Share(NamedTuple):
    """How many of n gave an answer, as a share with the ends of its interval."""

    given: int
    value: float
    low: float
    high: float


@lru_cache(maxsize=4096)
def share(count: int, n: int, tail: float = TAIL) -> Share:
    """Return count of n ≥ 1 with its exact interval (Clopper & Pearson 1934) of two such tails."""
    low = beta_quantile(tail, count, n - count + 1) if count else 0.0
    high = beta_quantile(1 - tail, count + 1, n - count) if count < n else 1.0
    return Share(count, count / n, low, high)


def shares(counts: Sequence[int]) -> list[Share]:
    """Return the shares of K values of which each individual gave one, with 95% for all at once."""
    n, values = sum(counts), len(counts)
    tail = TAIL / values if values > 2 else TAIL  # two are one share and the rest
    return [share(count, n, tail) for count in counts]

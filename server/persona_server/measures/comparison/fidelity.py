"""A persona against the human it stands for, as that human agrees with its own second answers."""

from math import sqrt
from typing import NamedTuple

from persona_server.measures.comparison.moments import Interval
from persona_server.measures.comparison.shares import Share, share
from persona_server.measures.student_t import quantile

_QUANTILE = 0.975
LEAST_CONSISTENT = 2


class AskedTwice(NamedTuple):
    """Questions with all three answers, by who agrees: persona with human (a hit), both humans."""

    both: int
    hit_only: int
    consistent_only: int
    neither: int


def accuracy(hits: int, n: int) -> Share:
    """Return the share of n ≥ 1 questions answered as the human did, with its exact interval."""
    return share(hits, n)


def normalised(asked: AskedTwice) -> Interval | None:
    """Hits by the human's answers equal to its own retest, ± t_{n-1} jackknife over questions.

    The low end is cut off at 0; None if the human agrees with itself nowhere or only once.
    """
    hits, consistent = asked.both + asked.hit_only, asked.both + asked.consistent_only
    n = sum(asked)
    if consistent < LEAST_CONSISTENT:
        return None
    left_out = (
        (asked.both, (hits - 1) / (consistent - 1)),
        (asked.hit_only, (hits - 1) / consistent),
        (asked.consistent_only, hits / (consistent - 1)),
        (asked.neither, hits / consistent),
    )
    mean = sum(count * value for count, value in left_out) / n
    variance = (n - 1) * sum(count * (value - mean) ** 2 for count, value in left_out) / n
    margin = quantile(_QUANTILE, n - 1) * sqrt(variance)
    value = hits / consistent
    return Interval(value, max(0.0, value - margin), value + margin)

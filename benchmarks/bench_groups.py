"""How often groups differ that do not: sizes of the comparisons, and covers of their intervals.

Two groups, or a group and a target, are drawn from one distribution, or the same people answer
twice, half of them the same. Prints a table of the goals. Seeded: the figures are the same in every
run. Exits with 1 if a goal is missed.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import sqrt
from random import Random
from statistics import fmean

from bench_measures import Row, print_tables

from persona_server.measures.comparison.moments import spread, spread_of_sums, variance_ratio
from persona_server.measures.comparison.pairs import distance_of_pairs
from persona_server.measures.comparison.steps import Steps, shares_of
from persona_server.measures.comparison.targets import against_target

SIZES = (20, 50, 200, 2000)
SCALES = {
    "choices of 2": Steps(cumulated=False, positions=2),
    "choices of 5": Steps(cumulated=False, positions=5),
    "ratings 1…5": Steps(cumulated=True, positions=5),
    "ratings 0…10": Steps(cumulated=True, positions=11),
}
_STAYING = 0.5  # of answers that are the same twice, beside those that are so by chance

Test = Callable[[Random, Steps, int], float]  # of n individuals; returns p


def people(random: Random, steps: Steps) -> list[float]:
    """Return the shares of a population, of which some are several times others."""
    weights = [random.expovariate(1) + 0.05 for _ in range(steps.positions)]
    return [weight / sum(weights) for weight in weights]


def drawn(random: Random, shares: Sequence[float], n: int) -> list[int]:
    """Return how many of n give each answer."""
    given = Counter(random.choices(range(len(shares)), shares, k=n))
    return [given[place] for place in range(len(shares))]


def target(random: Random, steps: Steps, n: int) -> float:
    """Compare a group with the shares that it was drawn from."""
    shares = people(random, steps)
    return against_target(steps, drawn(random, shares, n), shares).p


def groups(random: Random, steps: Steps, n: int) -> float:
    """Compare two groups."""
    shares = people(random, steps)
    one, other = drawn(random, shares, n), drawn(random, shares, n)
    return against_target(steps, one, shares_of(other), n).p


def pairs(random: Random, steps: Steps, n: int) -> float:
    """Compare the answers of the same individuals."""
    shares = people(random, steps)
    table = [[0] * steps.positions for _ in shares]
    for _ in range(n):
        one, other = random.choices(range(steps.positions), shares, k=2)
        table[one][one if random.random() < _STAYING else other] += 1
    return distance_of_pairs(steps, table).p


TESTS: dict[str, tuple[Test, float, float]] = {
    "against a target": (target, 0.02, 0.08),
    "two groups": (groups, 0.02, 0.08),
    "by individual": (pairs, 0.0, 0.09),
}


def size_rows(n: int) -> Iterator[Row]:
    """Shares of p below 5% where there is no difference, within two standard errors of the goal."""
    for name, (test, least, most) in TESTS.items():
        for scale, steps in SCALES.items():
            random = Random(31)
            found = [fmean(test(random, steps, size) < 0.05 for _ in range(n)) for size in SIZES]
            errors = [2 * sqrt(max(share * (1 - share), 0.01) / n) for share in found]
            holds = all(
                least - error <= share <= most + error
                for share, error in zip(found, errors, strict=True)
            )
            said = ", ".join(f"{share:.1%}" for share in found)
            goal = f"{name}, {scale}, n = 20, 50, 200, 2000: size {least:.0%} to {most:.0%}"
            yield Row(goal, said, holds)


def ratio_rows(n: int) -> Iterator[Row]:
    """Covers of the interval of a ratio of variances: of ratings, and of sentiments by sums."""
    for name, cover in (("ratings 1…5", _rating_cover), ("sentiments", _sentiment_cover)):
        random = Random(32)
        found = [fmean(cover(random, size) for _ in range(n)) for size in SIZES]
        said = ", ".join(f"{share:.1%}" for share in found)
        yield Row(f"ratio of variances, {name}, n = 20, 50, 200, 2000: covers", said, None)


def _rating_cover(random: Random, n: int) -> bool:
    steps = SCALES["ratings 1…5"]
    shares, values = people(random, steps), range(1, 6)
    one, other = (spread(drawn(random, shares, n), values) for _ in range(2))
    found = variance_ratio(one, other)
    return found is None or found.low <= 1 <= found.high


def _sentiment_cover(random: Random, n: int) -> bool:
    middle, deviation = random.uniform(-0.8, 0.8), random.uniform(0.05, 0.6)

    def sums() -> list[int]:
        said = [round(1e6 * min(1, max(-1, random.gauss(middle, deviation)))) for _ in range(n)]
        return [sum(x**power for x in said) for power in range(5)]

    found = variance_ratio(spread_of_sums(sums(), 10**6), spread_of_sums(sums(), 10**6))
    return found is None or found.low <= 1 <= found.high


def main() -> None:
    """Print both tables."""
    print_tables(__doc__, "comparisons per figure", size_rows, ratio_rows)


if __name__ == "__main__":
    main()

"""How often a change of attitude is found that is none, and one that is: 30 questions a person.

Answers are an attitude and noise of the same deviation for all, as sentiments and as ratings 1…5;
the noise is known from 40 others. Prints a table of the goals. Seeded: the figures are the same in
every run. Exits with 1 if a goal is missed.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from bench_measures import Row, print_tables
from simulated import noise_of

from persona_server.measures.answers import Kind
from persona_server.measures.individual.change import ReliableChange, reliable_change
from persona_server.measures.individual.points import Point
from persona_server.measures.individual.trend import benjamini_hochberg

QUESTIONS, OTHERS = 30, 40
WAVES = (2, 3, 4, 6, 8, 10)
STEP = 4.0  # in standard deviations of an answer's noise
_SENTIMENT_NOISE = 50_000  # .05, in 1e-6


class Asked(NamedTuple):
    """Questions of one kind: how somebody answers one, by the time and a step in deviations."""

    kind: Kind
    answer: Callable[[Random, float], int]


def _sentiment(random: Random, step: float) -> int:
    return round(random.gauss(step - STEP / 2, 1) * _SENTIMENT_NOISE)


def _rating(deviation: float) -> Callable[[Random, float], int]:
    def answer(random: Random, step: float) -> int:
        middle = 3 + (step - STEP / 2) * deviation
        return min(5, max(1, round(random.gauss(middle, deviation))))

    return answer


KINDS = {
    "sentiments": Asked(Kind.SENTIMENT, _sentiment),
    "ratings 1…5 of noise .7": Asked(Kind.RATING, _rating(0.7)),
    "ratings 1…5 of noise .4": Asked(Kind.RATING, _rating(0.4)),
}


def series(random: Random, asked: Asked, waves: int, *, steps: bool) -> list[Point]:
    """Answer a question in each wave; the step comes between the halves."""
    shifts = (STEP * steps * (2 * time >= waves) for time in range(waves))
    return [Point(t, asked.answer(random, s), 1, f"s{t}") for t, s in enumerate(shifts)]


def person(random: Random, asked: Asked, waves: int, stepping: int) -> list[bool]:
    """Return in which questions a person has reliably changed; so many first ones have a step."""
    found = []
    for i in range(QUESTIONS):
        own = series(random, asked, waves, steps=i < stepping)
        others = noise_of(
            asked.kind, [series(random, asked, waves, steps=False) for _ in range(OTHERS)]
        )
        change = reliable_change(asked.kind, own, others)
        found.append(change.p if isinstance(change, ReliableChange) else 1.0)
    return [p < 0.05 for p in benjamini_hochberg(found)]


def unchanged_rows(n: int) -> Iterator[Row]:
    """False changes a person of 30 unchanged questions."""
    for name, asked in KINDS.items():
        random = Random(21)
        for waves in WAVES:
            false = sum(sum(person(random, asked, waves, 0)) for _ in range(n)) / n
            goal = f"{name}, {waves} waves: false changes a person ≤ .15"
            yield Row(goal, f"{false:.3f}", false <= 0.15)


def step_rows(n: int) -> Iterator[Row]:
    """Steps of 4 deviations that are found: in all questions of a person, or in few of them.

    A goal is for sentiments alone: ratings end at 1 and 5, and one step of them is never reliable.
    """
    for name, asked in KINDS.items():
        random = Random(22)
        for waves, least in ((4, 0.75), (8, 0.95)):
            for stepping in (QUESTIONS, 10, 1):
                people = (person(random, asked, waves, stepping) for _ in range(n))
                share = sum(sum(found[:stepping]) for found in people) / (n * stepping)
                what = f"{name}, {waves} waves, {stepping} of {QUESTIONS} step by 4 sd: found"
                if asked.kind is Kind.SENTIMENT and stepping == QUESTIONS:
                    yield Row(f"{what} ≥ {least:.0%}", f"{share:.1%}", share >= least)
                else:
                    yield Row(what, f"{share:.1%}", None)


def main() -> None:
    """Print both tables."""

    def persons(replications: int) -> int:
        return max(1, replications // 5)

    print_tables(
        __doc__,
        "fivefold of the persons",
        lambda n: unchanged_rows(persons(n)),
        lambda n: step_rows(persons(n)),
    )


if __name__ == "__main__":
    main()

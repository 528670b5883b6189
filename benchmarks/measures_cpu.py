"""CPU time of the measures at the sizes that have a goal."""

import gc
from collections import Counter
from collections.abc import Callable
from random import Random
from statistics import median
from time import process_time

from persona_server.measures.answers import Answer, Kind, Question, Value, first_answers, set_value
from persona_server.measures.individual.change import Noise
from persona_server.measures.individual.crowds import Crowd, Tally, crowd
from persona_server.measures.individual.points import points
from persona_server.measures.individual.reliability import reliability
from persona_server.measures.individual.shift import choice_shift, numeric_shift
from persona_server.measures.individual.trend import benjamini_hochberg, inversion_counts
from persona_server.measures.matching import Candidate, Matcher, Target
from persona_server.measures.populations import Numbers

MOST_SETS = 64  # as many as the storage counts


def milliseconds(run: Callable[[], object], repeats: int = 7) -> float:
    """Median CPU time of a run."""
    times = []
    for _ in range(repeats):
        inversion_counts.cache_clear()
        gc.collect()
        start = process_time()
        run()
        times.append(1000 * (process_time() - start))
    return median(times)


def large_question(i: int, random: Random) -> tuple[Question, list[Value]]:
    """Draw one question: of ten, 4 choice, 3 rating, and 1 of each other kind."""
    key, place = f"q{i:03}", i % 10
    if place < 4:
        return Question.choice(key, "ABCDE"), list("ABCDE")
    if place < 7:
        return Question.rating(key, 0, 10), list(range(11))
    if place == 7:
        return Question.sentiment(key), [random.randint(-(10**6), 10**6) for _ in range(2000)]
    items = "abcdef" if place == 8 else [f"theme {j}" for j in range(20)]
    values = [set_value(random.sample(items, random.randint(1, 3))) for _ in range(400)]
    return (Question.choices(key, items) if place == 8 else Question.themes(key)), list(values)


def large_tally(random: Random, question: Question, values: list[Value], own: Value) -> Tally:
    """Return the answers of 5,000 individuals and one more, as the storage has them."""
    given = Counter([own, *random.choices(values, k=5000)])
    if question.kind is Kind.SENTIMENT:
        return Numbers.of(given)
    return dict(given.most_common(MOST_SETS))


def reliability_time() -> float:
    """Time 200 questions x 10 simulations among 5,000 others."""
    random = Random(6)
    answers: list[Answer] = []
    tallies: dict[Question, dict[str, Tally]] = {}
    for i in range(200):
        question, values = large_question(i, random)
        usual = random.choice(values)
        given = [usual if random.random() < 0.8 else random.choice(values) for _ in range(10)]
        answers += [Answer(question, f"s{s}", f"{i}-{s}", s, v) for s, v in enumerate(given)]
        tallies[question] = {
            f"s{s}": large_tally(random, question, values, v) for s, v in enumerate(given)
        }

    def measured() -> object:
        crowds: dict[Question, dict[str, Crowd]] = {
            question: {s: crowd(question, tally) for s, tally in by_simulation.items()}
            for question, by_simulation in tallies.items()
        }
        return reliability(answers, crowds)

    return milliseconds(measured)


def timeline_time() -> float:
    """Time 10 waves x 200 questions, given noise sums: 120 ratings, 40 sentiments, 40 choices."""
    random = Random(7)
    day = 24 * 60 * 60 * 10**6
    asked: list[tuple[Question, list[Value]]] = []
    for i in range(40):
        asked += [(Question.rating(f"r{i}-{j}", 1, 5), [1, 2, 3, 4, 5]) for j in range(3)]
        asked.append((Question.sentiment(f"s{i}"), list(range(-(10**6), 10**6, 10_000))))
        asked.append((Question.choice(f"c{i}", "ABC"), list("ABC")))
    answers = [
        Answer(question, f"s{s}", f"{question.key}-{s}", s * 30 * day, random.choice(values))
        for question, values in asked
        for s in range(10)
    ]
    others = {Kind.RATING: Noise(9000, 1.0, 1.0), Kind.SENTIMENT: Noise(9000, 0.1, 1.0)}

    def timeline() -> None:
        p_values = []
        for question, given in first_answers(answers).items():
            if question.kind is Kind.CHOICE:
                choice_shift(given)
                continue
            shift = numeric_shift(question, points(given), others[question.kind], None)
            if shift.reliable is not None:
                p_values.append(shift.reliable.p)
        benjamini_hochberg(p_values)

    return milliseconds(timeline)


def match_time() -> float:
    """Time 100,000 library personas against one group, the best 1,000 ranked."""
    random = Random(8)
    places = [f"City {i}, Country {i % 60}" for i in range(2000)]
    work = [f"Occupation {i % 40} in trade {i % 37}" for i in range(1500)]
    candidates = [
        Candidate(
            i.to_bytes(16),
            random.randint(16, 90),
            random.choice(["Female", "Male", "Non-binary"]),
            random.choice(["Low", "Middle", "High"]),
            random.choice(places),
            random.choice(work),
        )
        for i in range(100_000)
    ]
    target = Target("All", 18, 80, "Middle", "City 7, Country 7", "Occupation 3 in trade 3")
    return milliseconds(lambda: Matcher(target).rank(candidates, 1000))

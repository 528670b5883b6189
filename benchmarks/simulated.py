"""Simulated respondents of known truth among simulated others; all are drawn from a seeded Random.

A respondent has an attitude to each question, drawn as all people's are. It gives that with
probability √C, else it lapses and gives the answer of a random person. So two answers both tell the
attitude with probability C; otherwise they agree as by chance. C is then the true value of the
coefficient, whatever the kind of question. In each simulation others answer in the same way.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from persona_server.measures.answers import Answer, Kind, Question, Value, set_value
from persona_server.measures.individual.change import Noise, ReliableChange, reliable_change
from persona_server.measures.individual.crowds import Crowd, crowd
from persona_server.measures.individual.points import Differences, Point, differences
from persona_server.measures.individual.reliability import Reliability, reliability

OTHERS = 60
MOST_SIMULATIONS = 6


@dataclass(frozen=True)
class Item:
    """A question, how people answer it, and what the others did in each simulation."""

    question: Question
    values: list[Value]
    weights: list[float]
    given: list[Counter[Value]]

    def answer(self, random: Random) -> Value:
        """Answer as a random person does."""
        return random.choices(self.values, self.weights)[0]


def popularity(random: Random, values: list[Value]) -> list[float]:
    """Weights of which some are several times others, as real answers have them."""
    return [random.expovariate(1) + 0.05 for _ in values]


def scales(key: str, random: Random) -> tuple[Question, list[Value]]:
    """Draw one question of a random kind and scale, with the values it may take."""
    kind = random.choice(list(Kind))
    if kind is Kind.CHOICE:
        options = "ABCDE"[: random.randint(2, 5)]
        return Question.choice(key, options), list(options)
    if kind is Kind.RATING:
        low, high = random.choice([(1, 5), (1, 7), (0, 10)])
        return Question.rating(key, low, high), list(range(low, high + 1))
    if kind is Kind.SENTIMENT:
        return Question.sentiment(key), [step * 50_000 for step in range(-20, 21)]
    subsets = [set_value(random.sample("abcdef", random.randint(0, 4))) for _ in range(20)]
    if kind is Kind.CHOICES:
        return Question.choices(key, "abcdef"), list(subsets)
    return Question.themes(key), [value for value in subsets if value]


def binary(key: str, random: Random) -> tuple[Question, list[Value]]:
    """Draw a choice of two."""
    return Question.choice(key, "AB"), list(random.sample("AB", 2))


def rating(key: str, _random: Random) -> tuple[Question, list[Value]]:
    """Return a rating from 1 to 5."""
    return Question.rating(key, 1, 5), [1, 2, 3, 4, 5]


def narrow(key: str, _random: Random) -> tuple[Question, list[Value]]:
    """Return a rating from 1 to 5 of which people give 3 and 4 alone."""
    return Question.rating(key, 1, 5), [3, 4]


Draw = Callable[[str, Random], tuple[Question, list[Value]]]


def bank(
    random: Random, consensus: float = 0.0, size: int = 300, draw: Draw = scales
) -> list[Item]:
    """Make questions that others answered in every simulation; with consensus, mostly alike."""
    items = []
    for i in range(size):
        question, values = draw(f"q{i:03}", random)
        weights, usual = popularity(random, values), random.randrange(len(values))
        total = sum(weights)
        weights = [(1 - consensus) * w / total for w in weights]
        weights[usual] += consensus
        given = [
            Counter(random.choices(values, weights, k=OTHERS)) for _ in range(MOST_SIMULATIONS)
        ]
        items.append(Item(question, values, weights, given))
    return items


Lapse = Callable[[int, int], bool]  # of (number of the question, number of the simulation)


def respond(random: Random, items: list[Item], simulations: int, lapse: Lapse) -> list[Answer]:
    """Answer the items as one respondent."""
    answers = []
    for i, item in enumerate(items):
        attitude = item.answer(random)
        for s in range(simulations):
            value = item.answer(random) if lapse(i, s) else attitude
            answers.append(Answer(item.question, f"s{s}", f"{i}-{s}", s, value))
    return answers


def measure(items: list[Item], answers: list[Answer]) -> Reliability:
    """Measure a respondent among the others."""
    given = {item.question: item.given for item in items}
    crowds: dict[Question, dict[str, Crowd]] = {}
    for one in answers:
        everybody = given[one.question][int(one.simulation_id[1:])] + Counter([one.value])
        crowds.setdefault(one.question, {})[one.simulation_id] = crowd(one.question, everybody)
    return reliability(answers, crowds)


def plant(random: Random, asked: list[Item], answers: list[Answer]) -> set[Question]:
    """Turn one answer to each of some questions into its contrary, where there is one."""
    planted = set()
    simulations = len(answers) // len(asked)
    for i in random.sample(range(len(asked)), len(asked) // 4):
        item, first = asked[i], simulations * i
        contrary = [v for v in item.values if excludes(answers[first].value, v, item)]
        if contrary:
            at = first + random.randrange(simulations)
            answers[at] = answers[at]._replace(value=random.choice(contrary))
            planted.add(item.question)
    return planted


def excludes(a: Value, b: Value, item: Item) -> bool:
    """Whether answers contradict, said otherwise than by the code that is measured."""
    question = item.question
    if question.kind is Kind.CHOICE:
        return a != b
    if not question.kind.numeric:
        return False
    middle, span = (question.minimum + question.maximum) / 2, question.maximum - question.minimum
    low, high = sorted((int(a), int(b)))
    return middle - low >= span / 8 and high - middle >= span / 8


def noise_of(kind: Kind, individuals: list[list[Point]]) -> Noise:
    """Return the noise of individuals' series."""
    total = Differences()
    for series in individuals:
        for _, found in differences(kind, series):
            total = Differences.total([total, found])
    variance, inverse = total.variance(kind), total.mean_inverse
    if kind is Kind.RATING:
        variance = max(variance, inverse / 4)
    return Noise(total.number, float(variance), float(inverse))


def is_reliable(kind: Kind, own: list[Point], others: Noise) -> bool:
    """Whether a change is reliable, tested alone."""
    found = reliable_change(kind, own, others)
    return isinstance(found, ReliableChange) and found.reliable(found.p)


def change_share(random: Random, n: int, others: tuple[int, int], change: float) -> float:
    """Share of reliable changes; noise 0.05, ``change`` in units of one answer's deviation."""
    unit = 50_000

    def wave(time: int, shift: float = 0.0) -> Point:
        return Point(time, round(random.gauss(shift, unit)), 1, f"s{time}")

    found = 0
    for _ in range(n):
        series = [[wave(t) for t in range(others[1])] for _ in range(others[0])]
        own = [wave(0), wave(1, change * unit)]
        found += is_reliable(Kind.SENTIMENT, own, noise_of(Kind.SENTIMENT, series))
    return found / n


def rating_change_share(random: Random, n: int, deviation: float) -> float:
    """Share of reliable changes under no change, of ratings 1…5 rounded from 3 and noise."""

    def waves(length: int) -> list[Point]:
        latent = (random.gauss(3, deviation) for _ in range(length))
        return [Point(t, min(5, max(1, round(x))), 1, f"s{t}") for t, x in enumerate(latent)]

    found = 0
    for _ in range(n):
        others = noise_of(Kind.RATING, [waves(3) for _ in range(20)])
        found += is_reliable(Kind.RATING, waves(2), others)
    return found / n

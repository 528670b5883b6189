"""Simulated respondents of known truth among simulated peers; all are drawn from a seeded Random.

A respondent has an attitude to each question, drawn from its peers' answers. It gives that with
probability √C, else it lapses and gives the answer of a random peer. So two answers both tell the
attitude with probability C; otherwise they agree as by chance. C is then the true value of the
coefficient, whatever the kind of question.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from persona_server.measures.answers import Answer, Kind, Question, Value, first_answers, set_value
from persona_server.measures.histogram import Histogram, increments
from persona_server.measures.points import Noise, Point, noise
from persona_server.measures.reliability import Reliability, reliability
from persona_server.measures.shift import numeric_shift

PEERS = 60


@dataclass(frozen=True)
class Item:
    """A question, each peer's answers, and their histogram."""

    question: Question
    peers: list[list[Value]]
    histogram: Histogram

    def answer(self, random: Random) -> Value:
        """Answer as a random peer does."""
        return random.choice(random.choice(self.peers))


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


def bank(random: Random, consensus: float = 0.0, size: int = 300) -> list[Item]:
    """Make questions that peers answered 1 to 4 times; with consensus, mostly alike."""
    items = []
    for i in range(size):
        question, values = scales(f"q{i:03}", random)
        weights, usual = popularity(random, values), random.choice(values)
        peers: list[list[Value]] = [
            [usual] * random.randint(1, 4)
            if random.random() < consensus
            else random.choices(values, weights, k=random.randint(1, 4))
            for _ in range(PEERS)
        ]
        items.append(Item(question, peers, Histogram.of(map(Counter, peers))))
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
    """Measure a respondent among its peers."""
    grouped = first_answers(answers)
    everyone = {}
    for item in items:
        own = Counter(answer.value for answer in grouped[item.question])
        everyone[item.question] = item.histogram.plus(increments({}, own))
    return reliability(answers, everyone)


def plant(random: Random, asked: list[Item], answers: list[Answer]) -> set[Question]:
    """Turn one answer to each of some questions into its contrary, where peers gave one."""
    planted = set()
    simulations = len(answers) // len(asked)
    for i in random.sample(range(len(asked)), len(asked) // 4):
        item, first = asked[i], simulations * i
        contrary = [
            v for peer in item.peers for v in peer if excludes(answers[first].value, v, item)
        ]
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


def change_share(random: Random, n: int, peers: tuple[int, int], change: float) -> float:
    """Share of reliable changes; noise 0.05, ``change`` in units of one answer's deviation."""
    question, unit = Question.sentiment("s"), 50_000

    def wave(shift: float = 0.0) -> int:
        return round(random.gauss(shift, unit))

    found = 0
    for _ in range(n):
        others = Noise()
        for _ in range(peers[0]):
            series = [Point(t, wave()) for t in range(peers[1])]
            others = others.plus(noise(question.kind, series))
        own = [Point(0, wave()), Point(1, wave(change * unit))]
        reliable = numeric_shift(question, own, others).reliable
        found += reliable is not None and reliable.reliable_change
    return found / n


def rating_change_share(random: Random, n: int, deviation: float) -> float:
    """Share of reliable changes under no change, of ratings 1…5 rounded from 3 and noise."""
    question = Question.rating("r", 1, 5)

    def waves(length: int) -> list[Point]:
        latent = (random.gauss(3, deviation) for _ in range(length))
        return [Point(t, min(5, max(1, round(x)))) for t, x in enumerate(latent)]

    found = 0
    for _ in range(n):
        others = Noise()
        for _ in range(20):
            others = others.plus(noise(question.kind, waves(3)))
        reliable = numeric_shift(question, waves(2), others).reliable
        found += reliable is not None and reliable.reliable_change
    return found / n

"""How the measures judge kinds of respondents and of questionnaires, 30 questions × 4 simulations.

Prints a table of bias, coverage and promotions by questionnaire and true C, and one of respondents
that answer in other ways than by lapses alone. Seeded: the figures are the same in every run. Exits
with 1 if a goal is missed.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import UUID

from bench_measures import Row, Study, cell, independent, print_tables
from library_data import TENANT, Sizes, add_people, answer_batches, make_place
from simulated import Draw, Item, bank, binary, measure, narrow, rating, respond, scales

from persona.v1.persona_pb2 import Persona
from persona.v1.project_pb2 import PersonaGroup
from persona_server.measures.answers import Answer, Kind, Value
from persona_server.measures.individual.policy import Policy, Status
from persona_server.measures.individual.reliability import Reliability
from persona_server.services.library.individuals import Individual
from persona_server.services.library.individuals import measure as measure_individual
from persona_server.services.responses.recording import record_responses
from persona_server.storage.store import open_store

QUESTIONS, SIMULATIONS = 30, 4
TRUTHS = (0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95)
# The draw, and the share of true C that the bound must cover.
QUESTIONNAIRES: dict[str, tuple[Draw, float]] = {
    "mixed": (scales, 0.94),
    "choices of two": (binary, 0.92),
    "ratings 1–5": (rating, 0.93),
    "ratings at 3–4": (narrow, 0.93),
}

Respond = Callable[[Random, list[Item]], list[Answer]]


class Judged(NamedTuple):
    """What came out for respondents of one kind."""

    coefficient: float | None  # mean of those that have one
    promoted: float
    styled: float  # share with a style beyond its limit


def judged(random: Random, items: list[Item], n: int, answer: Respond) -> Judged:
    """Simulate n respondents."""
    found = []
    for _ in range(n):
        asked = random.sample(items, QUESTIONS)
        found.append(measure(asked, answer(random, asked)))
    known = [one.estimate.coefficient for one in found if one.estimate is not None]
    return Judged(
        fmean(known) if known else None,
        fmean(one.status is Status.ELIGIBLE for one in found),
        fmean(map(_styled, found)),
    )


def _styled(found: Reliability) -> bool:
    styles = ("straight_lining", "acquiescence", "first_option")
    return any(rule.name in styles and not rule.holds for rule in found.rules)


def lapsing(share: Callable[[Random], float]) -> Respond:
    """Lapse with a probability of its own in each simulation."""

    def answer(random: Random, asked: list[Item]) -> list[Answer]:
        shares = [share(random) for _ in range(SIMULATIONS)]
        return respond(random, asked, SIMULATIONS, lambda _, s: random.random() < shares[s])

    return answer


def _lapses(share: float) -> Respond:
    return lapsing(lambda _: share)


def formal(value: Callable[[Item], Value]) -> Respond:
    """Answer by the form of a question and not by what it asks, with 5% of lapses."""

    def answer(random: Random, asked: list[Item]) -> list[Answer]:
        steady = respond(random, asked, SIMULATIONS, lambda _, _s: True)
        fixed = {item.question: value(item) for item in asked}
        return [
            one if random.random() < 0.05 else one._replace(value=fixed[one.question])
            for one in (shown_first(each) for each in steady)
        ]

    return answer


def shown_first(answer: Answer) -> Answer:
    """Return an answer to a question whose first option was shown first."""
    options = answer.question.options if answer.question.kind is Kind.CHOICE else ("",)
    return answer._replace(shown_first=options[0])


def drifting(random: Random, asked: list[Item]) -> list[Answer]:
    """Hold another attitude to a tenth of the questions from one simulation to the next."""
    answers, attitudes = [], [item.answer(random) for item in asked]
    for s in range(SIMULATIONS):
        for i, item in enumerate(asked):
            if s and random.random() < 0.1:
                attitudes[i] = item.answer(random)
            answers.append(Answer(item.question, f"s{s}", f"{i}-{s}", s, attitudes[i]))
    return answers


def placed(place: Callable[[Item], int]) -> Respond:
    """Hold an attitude of one position, and give the rating beside it in 40% of the answers."""

    def answer(random: Random, asked: list[Item]) -> list[Answer]:
        return [
            Answer(item.question, f"s{s}", f"{i}-{s}", s, _noisy(random, place(item)))
            for i, item in enumerate(asked)
            for s in range(SIMULATIONS)
        ]

    return answer


def _noisy(random: Random, rating_: int) -> int:
    if random.random() >= 0.4:
        return rating_
    return 2 if rating_ == 1 else 4 if rating_ == 5 else rating_ + random.choice((-1, 1))


def _ranked(item: Item, rank: int) -> int:
    """Return the rating of a rank by how many give it: 0 the rarest, 4 the most frequent."""
    return sorted(range(1, 6), key=lambda value: item.weights[value - 1])[rank]


def _yes(item: Item) -> Value:
    """Agree: the largest rating or sentiment, the first option of a choice."""
    if item.question.kind.numeric:
        return max(item.values)
    return item.question.options[0] if item.question.kind is Kind.CHOICE else item.values[0]


def questionnaire_rows(n: int) -> list[Row]:
    """Bias, coverage and promotions by questionnaire and true C.

    A goal is missed if the figure is beyond it by more than two standard errors. So with few
    replications hardly any is: "yes" says that they don't refute it.
    """
    rows = []
    for name, (draw, least) in QUESTIONNAIRES.items():
        random = Random(11)
        items = bank(random, draw=draw)
        for truth in TRUTHS:
            found = cell(random, items, n, Study((QUESTIONS, SIMULATIONS), truth, independent))
            text = (
                f"bias {found.bias:+.4f} ± {found.error:.4f}, covered {found.covered:.1%} "
                f"± {found.covered_error:.1%}, promoted {found.promoted:.1%}"
            )
            holds = abs(found.bias) <= 0.01 + 2 * found.error
            holds = holds and found.covered + 2 * found.covered_error >= least
            rows.append(
                Row(f"{name}, C = {truth}: bias ≤ .01, covers {least:.0%} (± 2 SE)", text, holds)
            )
    return rows


# Name, the questionnaire, how they answer, and how many may be promoted at most; None has no goal.
RESPONDENTS: Sequence[tuple[str, Draw, Respond, float | None]] = (
    ("random", scales, _lapses(1.0), 0.0),
    ("lapses of 10%", scales, _lapses(0.1), None),
    (
        "moods: lapses of 0 to 30% by simulation",
        scales,
        lapsing(lambda r: r.uniform(0, 0.3)),
        None,
    ),
    ("one bad run in four", scales, lapsing(lambda r: float(r.random() < 0.25)), None),
    ("drift: a tenth of attitudes changes each time", scales, drifting, None),
    ("yea-sayers, ratings 1–5", rating, formal(_yes), 0.0),
    ("straight-liners at 3, ratings 1–5", rating, formal(lambda _: 3), 0.0),
    ("first-pickers, choices of two", binary, formal(_yes), 0.0),
)
POSITIONS = {"the most frequent": 4, "a middling": 2, "the rarest": 0}


def respondent_rows(n: int) -> list[Row]:
    """What becomes of respondents of each kind."""
    rows = []
    for name, draw, answer, most in RESPONDENTS:
        random = Random(12)
        found = judged(random, bank(random, draw=draw), n, answer)
        goal = name if most is None else f"{name}: promoted {most:.0%}"
        rows.append(Row(goal, _said(found), None if most is None else found.promoted <= most))
    return [*rows, *position_rows(n), *company_rows(n), *other_project_rows()]


def position_rows(n: int) -> list[Row]:
    """Equal noise in three positions, of whom nearly equal shares must be promoted."""
    rows, shares = [], []
    for name, rank in POSITIONS.items():
        random = Random(13)
        items = bank(random, draw=rating)
        found = judged(random, items, n, placed(lambda item, rank=rank: _ranked(item, rank)))  # type: ignore[misc]
        shares.append(found.promoted)
        rows.append(Row(f"40% a step from {name} rating", _said(found), None))
    low, high = min(shares), max(shares)
    text = f"{low:.1%} to {high:.1%}"
    rows.append(Row("equal noise: promoted within a factor of 3", text, high <= 3 * low))
    return rows


def company_rows(n: int) -> list[Row]:
    """Steady respondents among copies of themselves, and among others of whom half are random."""
    random = Random(14)
    copies = judged(random, bank(random, consensus=1.0), n, _lapses(0.0))
    rows = [Row("identical copies: promoted 0%", _said(copies), copies.promoted == 0)]
    for name, noisy in (("nobody", 0), ("60 random personas", 60)):
        random = Random(15)
        items = [_joined(random, item, noisy) for item in bank(random)]
        found = judged(random, items, n, _lapses(0.1))
        rows.append(Row(f"lapses of 10%, {name} more in the same runs", _said(found), None))
    return rows


def other_project_rows() -> list[Row]:
    """Measure somebody before and after a hundred noisy personas answer in another project."""
    random, sizes, people, figures = Random(16), Sizes(questions=QUESTIONS), [], []
    with TemporaryDirectory() as name:
        store = open_store(Path(name) / "data")
        for count in (12, 100):
            project, group = make_place(store, PersonaGroup(name="bench"))
            personas = [Persona(full_name="One") for _ in range(count)]
            people += add_people(store, project, group, personas)
            for number in range(SIMULATIONS):
                simulation = str(UUID(int=random.getrandbits(128)))
                for batch in answer_batches(random, people[-count:], number, sizes):
                    with store.writing(TENANT, None) as repositories:
                        record_responses(repositories, simulation, batch)
            with store.snapshot(TENANT) as snapshot:
                whose = Individual(people[0], None)
                figures.append(measure_individual(snapshot, whose, Policy()))
        store.close()
    text = "none" if figures[0] == figures[1] else "some"
    goal = "figures that 100 noisy personas in another project change: none"
    return [Row(goal, text, figures[0] == figures[1])]


def _joined(random: Random, item: Item, noisy: int) -> Item:
    """Return a question to which so many more gave answers at random, all alike likely."""
    more = [Counter(random.choices(item.values, k=noisy)) for _ in item.given]
    return replace(item, given=[a + b for a, b in zip(item.given, more, strict=True)])


def _said(found: Judged) -> str:
    c = "no C" if found.coefficient is None else f"C {found.coefficient:.3f}"
    return f"{c}, promoted {found.promoted:.1%}, style {found.styled:.1%}"


def main() -> None:
    """Print both tables."""
    print_tables(__doc__, "respondents per figure", questionnaire_rows, respondent_rows)


if __name__ == "__main__":
    main()

"""Who answers how: respondents whose true reliability is known, since it is made here.

Each has an attitude to each question, drawn from what people in general answer. It gives that with
probability √C, else it lapses, and answers as a random person does. Two of its answers both tell
the attitude with probability C, and agree by chance otherwise: C is its true reliability.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from random import Random

from persona_client import Persona
from study.people import all_people
from study.questions import SEED, Item, Value

WAVES = 5  # four in the first project, one in the second


class Manner(StrEnum):
    """How a respondent answers."""

    STEADY = "steady"
    SHIFTING = "shifting"  # steady, but prices weigh more on it from wave to wave
    WAVERING = "wavering"
    RANDOM = "random"
    CONTRADICTORY = "contradictory"  # says the contrary in every other wave, to half of it all
    LATE = "late"  # steady, but there since the third wave only


# Those that change what they hold, in some questions, have no C of their own; in all other respects
# they are steady.
TRUE_C = {Manner.STEADY: 0.95, Manner.WAVERING: 0.6, Manner.RANDOM: 0.0, Manner.LATE: 0.95}
_COUNTS = {
    Manner.SHIFTING: 8,
    Manner.WAVERING: 8,
    Manner.RANDOM: 8,
    Manner.CONTRADICTORY: 8,
    Manner.LATE: 2,
}
# Where a shifting one goes over the five waves: from end to end of the scale, in even steps.
SHIFTS = {"price_first": +1, "feel_prices": -1}


@dataclass(frozen=True)
class Respondent:
    """A consumer, how it truly answers, and all its answers, wave by wave, for each question."""

    persona: Persona
    manner: Manner
    contradicted: frozenset[str]  # keys of the questions in which it contradicts itself
    answers: dict[str, tuple[Value, ...]]

    @property
    def waves(self) -> range:
        """The waves of the first project in which it takes part."""
        return range(2 if self.manner is Manner.LATE else 0, WAVES - 1)


def all_respondents(items: Sequence[Item]) -> list[Respondent]:
    """Return the consumers as respondents, in the order of their manners."""
    people = all_people()
    # Rising prices are felt where money is short: the shifting ones have low incomes.
    shifting = [p for p in people if p.income_level == "Low"][: _COUNTS[Manner.SHIFTING]]
    others = [p for p in people if p not in shifting]
    found = [_respondent(p, Manner.SHIFTING, items) for p in shifting]
    for manner, count in list(_COUNTS.items())[1:]:
        found += [_respondent(others.pop(), manner, items) for _ in range(count)]
    return [_respondent(p, Manner.STEADY, items) for p in others] + found


def _respondent(persona: Persona, manner: Manner, items: Iterable[Item]) -> Respondent:
    random = Random(f"{SEED} {persona.full_name}")
    keys = [item.key for item in items if item.can_contradict]
    half = random.sample(keys, len(keys) // 2) if manner is Manner.CONTRADICTORY else []
    answers = {item.key: _answers(random, item, manner, item.key in half) for item in items}
    return Respondent(persona, manner, frozenset(half), answers)


def _answers(random: Random, item: Item, manner: Manner, contradicts: bool) -> tuple[Value, ...]:
    held = _held(random, item, manner, contradicts)
    faithful = sqrt(TRUE_C.get(manner, TRUE_C[Manner.STEADY]))
    return tuple(v if random.random() < faithful else item.usual(random) for v in held)


def _held(random: Random, item: Item, manner: Manner, contradicts: bool) -> Sequence[Value]:
    """Return the attitude that is held in each wave."""
    values = item.values
    if contradicts and item.kind == "choice":
        one, other = random.sample(values, 2)
        return [one, other] * 2 + [one]
    if contradicts:
        return [values[0], values[-1]] * 2 + [values[0]]
    if manner is Manner.SHIFTING and item.key in SHIFTS:
        last = len(values) - 1
        steps = [round(last * wave / (WAVES - 1)) for wave in range(WAVES)]
        return [values[step] for step in steps][:: SHIFTS[item.key]]
    return [item.usual(random)] * WAVES

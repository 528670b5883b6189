"""Questions, their answers in canonical form, and how far two answers are apart.

A canonical value is an ``int`` (a rating; sentiment in units of 1e-6) or a ``str`` (a choice; a set
of choices or themes as written by :func:`set_value`). Equal answers have equal values, so that they
can be counted, stored and compared on any engine.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, Self

Value = int | str
Exact = int | Fraction

SENTIMENT_UNIT = 10**6

# Control characters are refused in options and themes, so none of them holds it.
_SEPARATOR = "\x1f"


class Kind(StrEnum):
    """How a question is answered. THEMES are those of a text answer."""

    CHOICE = "choice"
    RATING = "rating"
    SENTIMENT = "sentiment"
    CHOICES = "choices"
    THEMES = "themes"

    __hash__ = str.__hash__  # an Enum's own, in Python, takes ten times as long

    @property
    def numeric(self) -> bool:
        """Whether its values are integers, with distances and means."""
        return self in NUMERIC


NUMERIC = (Kind.RATING, Kind.SENTIMENT)
SETS = (Kind.CHOICES, Kind.THEMES)  # answered by any number of items


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """A question and the scale of its answers: the same key with another scale is another one.

    ``options`` are sorted and distinct, since they are declared as a set. ``minimum`` and
    ``maximum`` are in the unit of the values: rating points, or 1e-6 for sentiment.
    """

    key: str
    kind: Kind
    options: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 0

    def __hash__(self) -> int:
        """Hash the key alone: few questions share one, and questions are looked up all the time."""
        return hash(self.key)

    @classmethod
    def choice(cls, key: str, options: Iterable[str]) -> Self:
        """Answered by one of the declared options."""
        return cls(key, Kind.CHOICE, tuple(sorted(set(options))))

    @classmethod
    def choices(cls, key: str, options: Iterable[str]) -> Self:
        """Answered by any number of the declared options."""
        return cls(key, Kind.CHOICES, tuple(sorted(set(options))))

    @classmethod
    def rating(cls, key: str, minimum: int, maximum: int) -> Self:
        """Answered by a whole number from minimum to maximum."""
        return cls(key, Kind.RATING, minimum=minimum, maximum=maximum)

    @classmethod
    def sentiment(cls, key: str) -> Self:
        """Answered by a number in -1…1."""
        return cls(key, Kind.SENTIMENT, minimum=-SENTIMENT_UNIT, maximum=SENTIMENT_UNIT)

    @classmethod
    def themes(cls, key: str) -> Self:
        """Answered by a text, of which the themes count."""
        return cls(key, Kind.THEMES)

    @classmethod
    def of_scale(cls, key: str, scale: str) -> Self:
        """Return the question that has this key and :attr:`scale`."""
        kind, *rest = json.loads(scale)
        if kind == Kind.RATING:
            return cls.rating(key, *rest)
        if kind == Kind.SENTIMENT:
            return cls.sentiment(key)
        return cls(key, Kind(kind), tuple(rest))

    @property
    def scale(self) -> str:
        """The scale alone in canonical form: with ``key`` it identifies the question in a store."""
        bounds = (self.minimum, self.maximum) if self.kind is Kind.RATING else ()
        return json.dumps([self.kind, *self.options, *bounds], ensure_ascii=False)

    @property
    def scored(self) -> bool:
        """Whether answers can differ at all: not with a single option or a single rating."""
        if self.kind is Kind.CHOICE:
            return len(self.options) > 1
        return not self.kind.numeric or self.maximum > self.minimum

    @property
    def unit(self) -> Fraction:
        """What a :func:`distance` of 1 counts as disagreement: the factor of δ.

        It makes the mean disagreement of uniformly random answers 1, so that kinds weigh alike.
        Raises ZeroDivisionError if the question is not ``scored``.
        """
        return _unit(self.kind, len(self.options), self.maximum - self.minimum)


@lru_cache(maxsize=512)
def _unit(kind: Kind, options: int, span: int) -> Fraction:
    if kind is Kind.CHOICE:
        return Fraction(options, options - 1)
    if kind is Kind.RATING:
        return Fraction(6, span * (span + 2))
    return Fraction(3, 2 * SENTIMENT_UNIT**2 if kind is Kind.SENTIMENT else 2)


class Answer(NamedTuple):
    """One recorded answer of an individual."""

    question: Question
    simulation_id: str
    response_id: str
    occurred_at: int  # microseconds since 1970, UTC
    value: Value
    model: str = ""
    prompt_version: str = ""
    shown_first: str = ""  # of the options of a choice


def sentiment_value(sentiment: float) -> int:
    """Convert sentiment to units of 1e-6.

    Raises ValueError if it is outside -1…1, not a number, or has more than six decimals.
    """
    if not -1 <= sentiment <= 1:
        raise ValueError("sentiment is outside -1…1")
    value = round(sentiment * SENTIMENT_UNIT)
    if value / SENTIMENT_UNIT != sentiment:
        raise ValueError("sentiment has more than six decimals")
    return value


def set_value(items: Iterable[str]) -> str:
    """Write a set of strings in canonical form; the empty set is "".

    Raises ValueError if an item holds the control character U+001F, which ends each item.
    """
    distinct = sorted(set(items))
    if any(_SEPARATOR in item for item in distinct):
        raise ValueError("an item holds the control character U+001F")
    return "".join(item + _SEPARATOR for item in distinct)


def items_of(value: Value) -> frozenset[str]:
    """Return the set that :func:`set_value` wrote."""
    return frozenset(str(value).split(_SEPARATOR)[:-1])


# The same sets are compared again and again. They are of tokens, so none of them is long.
set_items = lru_cache(maxsize=512)(items_of)


def themes_value(themes: Iterable[str]) -> str | None:
    """Write the themes of a text, trimmed and casefolded; None if it has none: not an answer."""
    return set_value(theme for raw in themes if (theme := raw.strip().casefold())) or None


def distance(kind: Kind, a: Value, b: Value) -> Exact:
    """How far two answers are apart, exactly, before :attr:`Question.unit` scales it.

    0 or 1 for choices of one, the squared difference of numbers, 1 - Jaccard of sets.
    """
    if kind.numeric:
        return (int(a) - int(b)) ** 2
    if kind is Kind.CHOICE or a == b:
        return int(a != b)
    first, second = set_items(a), set_items(b)
    return 1 - Fraction(len(first & second), len(first | second))


_SORTED = attrgetter("key", "kind", "options", "minimum", "maximum")  # faster than by comparing
_BY_TIME = attrgetter("occurred_at", "response_id")


def first_answers(answers: Iterable[Answer]) -> dict[Question, tuple[Answer, ...]]:
    """Group scored answers by question, one per simulation: the first by (occurred_at, id).

    Questions come sorted, and the answers to each in order of time, whatever the order given.
    """
    given: dict[Question, list[Answer]] = {}
    for question, some in groupby(answers, key=attrgetter("question")):  # mostly come together
        given.setdefault(question, []).extend(some)
    return {q: _first_in_each(given[q]) for q in sorted(given, key=_SORTED) if q.scored}


def _first_in_each(given: Iterable[Answer]) -> tuple[Answer, ...]:
    chosen: dict[str, Answer] = {}
    for answer in sorted(given, key=_BY_TIME):
        chosen.setdefault(answer.simulation_id, answer)
    return tuple(chosen.values())

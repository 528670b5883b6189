"""How well library personas fit a persona group's definition.

Gender, where the group names one, and the age range are requirements: who misses one is no match.
The score is the mean of the parts that the group names, each in 0…1; it is 1 if it names none:

* age: 1 in the middle of the range, falling evenly to 1/2 at its ends. A range that is open at an
  end has no middle, so it is a requirement only.
* income: 1 for the same bracket, 1/2 for an adjacent one, else 0.
* location ("city, country"; a region between is ignored): 1 for the same city and country, 1/2 for
  the country alone. If the group names one place only, 1 wherever the persona's location has it;
  if the persona's location is one place only, 1/2 if the group's city or country is that.
* occupation: the share of the group's words that the persona's occupation has; a more special
  occupation ("Primary school teacher" for "Teacher") fits fully.

"", "All" and "Any" leave a field open. What a persona does not tell (age 0, "") fits no named part.
All texts are compared in their NFKC case-folded form.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import nsmallest
from re import findall
from typing import NamedTuple, TypeVar
from unicodedata import normalize

_OPEN = frozenset({"", "all", "any"})

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Target:
    """What a persona group asks for; ages in years, 0 is open."""

    gender: str = ""
    age_min: int = 0
    age_max: int = 0
    income_level: str = ""
    location: str = ""
    occupation: str = ""


class Candidate(NamedTuple):
    """What matching needs of a library persona; a plain tuple in this order will do."""

    id: bytes
    age: int
    gender: str
    income_level: str
    location: str
    occupation: str


class Match(NamedTuple):
    """A candidate's score in 0…1 and its parts; None for those the group leaves open."""

    id: bytes
    score: float
    age: float | None
    income: float | None
    location: float | None
    occupation: float | None


class _Remembered(dict[K, V]):
    """Computes each distinct value once: a library has few occupations and many personas."""

    def __init__(self, compute: Callable[[K], V]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, key: K) -> V:
        value = self[key] = self._compute(key)
        return value


class Matcher:
    """Scores candidates against one group; keep it for as long as the group's definition holds."""

    def __init__(self, target: Target) -> None:
        low, high = target.age_min, target.age_max
        gender, income = fold(target.gender), fold(target.income_level)
        places, words = _places(target.location), _words(target.occupation)
        self._named = (low > 0 and high > 0, income not in _OPEN, bool(places), bool(words))
        self._ages = _Remembered[int, float | None](lambda age: _age_part(low, high, age))
        self._genders = _Remembered[str, bool](
            lambda text: gender in _OPEN or fold(text) == gender,
        )
        self._incomes = _Remembered[str, float](lambda text: _income_part(income, text))
        self._locations = _Remembered[str, float](lambda text: _location_part(places, text))
        self._occupations = _Remembered[str, float](lambda text: _occupation_part(words, text))

    def match(self, candidate: Candidate) -> Match | None:
        """Score one candidate; None if it misses a requirement."""
        return next(iter(self.rank([candidate], 1)), None)

    def rank(
        self,
        candidates: Iterable[Candidate],
        limit: int,
        after: tuple[float, bytes] | None = None,
    ) -> list[Match]:
        """Return the best matches, by score and then id; with ``after``, those behind that pair."""
        scored = self._scored(candidates)
        if after is not None:
            behind = (-after[0], after[1])
            scored = (entry for entry in scored if entry[:2] > behind)
        return [self._explained(-score, c) for score, _, c in nsmallest(limit, scored)]

    def _scored(self, candidates: Iterable[Candidate]) -> Iterator[tuple[float, bytes, Candidate]]:
        ages, genders, incomes = self._ages, self._genders, self._incomes
        locations, occupations = self._locations, self._occupations
        named = sum(self._named)
        for candidate in candidates:
            key, age, gender, income, location, occupation = candidate
            age_part = ages[age]
            if age_part is None or not genders[gender]:
                continue
            parts = age_part + incomes[income] + locations[location] + occupations[occupation]
            yield -parts / named if named else -1.0, key, candidate

    def _explained(self, score: float, candidate: Candidate) -> Match:
        key, age, _, income, location, occupation = candidate
        parts = (
            self._ages[age],
            self._incomes[income],
            self._locations[location],
            self._occupations[occupation],
        )
        told = (part if named else None for part, named in zip(parts, self._named, strict=True))
        return Match(key, score, *told)


def fold(text: str) -> str:
    """Return the NFKC case-folded form, trimmed; folding can leave it composed otherwise."""
    return normalize("NFKC", normalize("NFKC", text).casefold()).strip()


# Parts that the group leaves open are 0: they don't count among the named ones either.


def _age_part(low: int, high: int, age: int) -> float | None:
    if not low and not high:
        return 0.0
    if not age or age < low or (high and age > high):
        return None
    if not low or not high:
        return 0.0
    return 1 - abs(2 * age - low - high) / (2 * (high - low)) if high > low else 1.0


def _income_part(wanted: str, text: str) -> float:
    if wanted in _OPEN:
        return 0.0
    told = fold(text)
    if told == wanted:
        return 1.0
    adjacent = {wanted, told} in ({"low", "middle"}, {"middle", "high"})
    return 0.5 if adjacent else 0.0


def _location_part(wanted: tuple[str, ...], text: str) -> float:
    told = _places(text)
    if not wanted or not told:
        return 0.0
    if len(wanted) == 1:
        return float(wanted[0] in told)
    if len(told) == 1:
        return 0.5 if told[0] in (wanted[0], wanted[-1]) else 0.0
    if told[-1] != wanted[-1]:
        return 0.0
    return 1.0 if told[0] == wanted[0] else 0.5


def _occupation_part(wanted: frozenset[str], text: str) -> float:
    return len(wanted & _words(text)) / len(wanted) if wanted else 0.0


def _places(text: str) -> tuple[str, ...]:
    """Split "city, region, country"; empty if the text leaves it open."""
    folded = fold(text)
    if folded in _OPEN:
        return ()
    return tuple(place for part in folded.split(",") if (place := part.strip()))


def _words(text: str) -> frozenset[str]:
    folded = fold(text)
    return frozenset() if folded in _OPEN else frozenset(findall(r"\w+", folded))

"""Weighted answers, and the sum of distances from one answer to all of them.

An individual's own answers and those of everybody else are measured by the same sums, in exact
integers and fractions: the same data give the same bits in any order.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import lcm
from typing import NamedTuple, Protocol, Self

from persona_server.measures.answers import Exact, Kind, Value, set_items

Weights = Mapping[Value, int]


class Population(Protocol):
    """Answers with integer weights."""

    @property
    def total(self) -> int:
        """The sum of the weights."""

    def distance(self, value: Value) -> Exact:
        """Sum weight · distance to the value over the population."""

    @property
    def pairs(self) -> Exact:
        """Sum weight · weight · distance over all ordered pairs."""


class Numbers(NamedTuple):
    """Ratings or sentiments: three moments say all that squared differences need."""

    total: int
    first: int  # Σ weight · value
    second: int  # Σ weight · value²

    @classmethod
    def of(cls, weights: Weights) -> Self:
        """Sum over integer values by weight."""
        total = first = second = 0
        for value, weight in weights.items():
            number = int(value)
            total += weight
            first += weight * number
            second += weight * number * number
        return cls(total, first, second)

    def distance(self, value: Value) -> int:
        """Sum w (a - x)² = a² Σw - 2a Σwx + Σwx²: no pass over the population."""
        number = int(value)
        return number * number * self.total - 2 * number * self.first + self.second

    @property
    def pairs(self) -> int:
        """Σ w v (a - x)² = 2 (Σw Σwx² - (Σwx)²)."""
        return 2 * (self.total * self.second - self.first * self.first)


class Choices(NamedTuple):
    """Choices of one: only the weight of the same choice matters."""

    total: int
    weights: Weights

    def distance(self, value: Value) -> int:
        """Return the weight of all other choices."""
        return self.total - self.weights.get(value, 0)

    @property
    def pairs(self) -> int:
        """(Σw)² - Σw²: all but those of equal choices."""
        return self.total * self.total - sum(w * w for w in self.weights.values())


class Sets(NamedTuple):
    """Sets of choices or themes, as the bits of whole numbers: comparing them is mostly the work.

    ``places`` has the bit of each item; members are bits, their number, and the weight.
    """

    total: int
    places: Mapping[str, int]
    members: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, weights: Weights) -> Self:
        """Take sets by weight."""
        places: dict[str, int] = {}
        members = [
            (sum([1 << places.setdefault(item, len(places)) for item in items]), len(items), weight)
            for items, weight in ((set_items(value), weight) for value, weight in weights.items())
        ]
        return cls(sum(weights.values()), places, tuple(members))

    def distance(self, value: Value) -> Exact:
        """Sum w (1 - Jaccard), by size of the union, over one common denominator."""
        items, places = set_items(value), self.places
        size, one = len(items), sum([1 << places[item] for item in items if item in places])
        apart: dict[int, int] = {}
        for other, its_size, weight in self.members:
            common = (one & other).bit_count()
            union = size + its_size - common
            apart[union] = apart.get(union, 0) + weight * (union - common)
        apart.pop(0, None)  # both empty: alike
        denominator = lcm(*apart)
        return Fraction(sum(n * (denominator // u) for u, n in apart.items()), denominator)

    @property
    def pairs(self) -> Exact:
        """Σ w v (1 - Jaccard), each two sets once: the square of their number."""
        apart: dict[int, int] = {}
        for i, (one, size, weight) in enumerate(self.members):
            for other, its_size, its_weight in self.members[:i]:
                both = size + its_size
                common = (one & other).bit_count()
                union = both - common
                apart[union] = apart.get(union, 0) + weight * its_weight * (both - 2 * common)
        apart.pop(0, None)  # both empty: alike
        denominator = lcm(*apart)
        return Fraction(2 * sum(n * (denominator // u) for u, n in apart.items()), denominator)


def population(kind: Kind, weights: Weights) -> Population:
    """Return the population of the values, by weight, of a question of this kind."""
    if kind.numeric:
        return Numbers.of(weights)
    if kind is Kind.CHOICE:
        return Choices(sum(weights.values()), weights)
    return Sets.of(weights)

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
    """Sets of choices or themes."""

    total: int
    members: tuple[tuple[frozenset[str], int], ...]

    def distance(self, value: Value) -> Exact:
        """Sum w (1 - Jaccard), by size of the union, over one common denominator."""
        items = set_items(value)
        size = len(items)
        apart: dict[int, int] = {}
        for member, weight in self.members:
            common = len(items & member)
            union = size + len(member) - common
            apart[union] = apart.get(union, 0) + weight * (union - common)
        apart.pop(0, None)  # both empty: alike
        denominator = lcm(*apart)
        return Fraction(sum(n * (denominator // u) for u, n in apart.items()), denominator)

    @property
    def pairs(self) -> Exact:
        """Σ w v (1 - Jaccard), each two sets once: the square of their number.

        Sets are compared as the bits of whole numbers, which is twice as fast.
        """
        places: dict[str, int] = {}
        bits = [
            (sum(1 << places.setdefault(item, len(places)) for item in one), len(one), weight)
            for one, weight in self.members
        ]
        apart: dict[int, int] = {}
        for i, (one, size, weight) in enumerate(bits):
            for other, its_size, its_weight in bits[:i]:
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
    total = sum(weights.values())
    if kind is Kind.CHOICE:
        return Choices(total, weights)
    return Sets(total, tuple((set_items(value), weight) for value, weight in weights.items()))

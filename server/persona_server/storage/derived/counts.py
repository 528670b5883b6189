"""How many individuals gave each value, packed: pairs of number and count, in order of numbers.

What is not counted by value is summed, as JSON.

A row holds at most 101 of them, all positions of a rating or 100 options of a choice, so that it
stays below the 2,030 bytes that share a page with others. Each set has a row of its own: its number
is a hash, and there may be as many as individuals.
"""

import json
from collections.abc import Iterable, Mapping
from struct import Struct

from persona_server.measures.answers import Kind, Question
from persona_server.measures.individual.crowds import WIDE
from persona_server.measures.populations import Numbers

PAIR = Struct(">qI")
_OPTIONS = 100  # of a row


def by_value(question: Question) -> bool:
    """Return whether a scored question's first answers are counted by value, and not summed."""
    if question.kind is Kind.RATING:
        return question.maximum - question.minimum < WIDE
    return question.kind is not Kind.SENTIMENT


def bucket(question: Question, number: int) -> int:
    """Return the row of a question and simulation in which a number is counted."""
    if question.kind is Kind.RATING:
        return 0
    return number // _OPTIONS if question.kind is Kind.CHOICE else number


def plus(counts: bytes, changes: Mapping[int, int]) -> bytes:
    """Return packed counts with changes; b"" if nothing is left."""
    found = dict(PAIR.iter_unpack(counts))
    for number, change in changes.items():
        found[number] = found.get(number, 0) + change
    return b"".join(PAIR.pack(number, found[number]) for number in sorted(found) if found[number])


def unpacked(counts: bytes) -> Iterable[tuple[int, int]]:
    """Yield each number with its count."""
    return PAIR.iter_unpack(counts)


def summed(sums: str) -> Numbers:
    """Return the sums of numbers, of which the first four powers are kept."""
    return Numbers(*json.loads(sums)[:3])

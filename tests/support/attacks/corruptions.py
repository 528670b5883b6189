"""Encoded messages that broke on their way, or never were any."""

import random
from collections.abc import Callable
from typing import TypeAlias

LONG = 64 << 10  # bytes of a long message: as many as one persona may have
MOST_RANDOM = 300

# Makes of a message what is left of it; the last argument is another one, to take parts of.
Accident: TypeAlias = Callable[[random.Random, bytes, bytes], bytes]


def corrupted(chance: random.Random, raw: bytes, other: bytes) -> bytes:
    """Return a message after one or two accidents; `other` is what may be spliced into it."""
    accidents = chance.choices(ACCIDENTS, k=chance.choice((1, 2)))
    for accident in accidents:
        raw = accident(chance, raw, other)
    return raw


def noise(chance: random.Random, _raw: bytes, _other: bytes) -> bytes:
    """Return random bytes."""
    return chance.randbytes(chance.randint(1, MOST_RANDOM))


def truncated(chance: random.Random, raw: bytes, _other: bytes) -> bytes:
    """Return the start of a message."""
    return raw[: chance.randint(0, len(raw))]


def flipped(chance: random.Random, raw: bytes, _other: bytes) -> bytes:
    """Return a message with one to three of its bits turned."""
    bits = bytearray(raw)
    for _ in range(chance.randint(1, 3) if raw else 0):
        bits[chance.randrange(len(bits))] ^= 1 << chance.randrange(8)
    return bytes(bits)


def spliced(chance: random.Random, raw: bytes, other: bytes) -> bytes:
    """Return the start of one message and the end of another."""
    return raw[: chance.randint(0, len(raw))] + other[chance.randint(0, len(other)) :]


def repeated(chance: random.Random, raw: bytes, _other: bytes) -> bytes:
    """Return a message in which a part comes several times."""
    start, end = sorted((chance.randint(0, len(raw)), chance.randint(0, len(raw))))
    return raw[:end] + raw[start:end] * chance.randint(1, 3) + raw[end:]


def long(chance: random.Random, raw: bytes, _other: bytes) -> bytes:
    """Return a message again and again, which encodes it once with longer lists; bits may turn."""
    whole = raw * max(1, LONG // max(1, len(raw)))
    return flipped(chance, whole, b"") if chance.random() < 0.5 else whole


ACCIDENTS: tuple[Accident, ...] = (noise, truncated, flipped, spliced, repeated)

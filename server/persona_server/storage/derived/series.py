"""A series: every answer of one individual to one question, in rows of bounded size.

Records stand in order of (occurred_at, response id), big-endian, so that the first 24 bytes of each
are its position. Every 16 of them make a piece; the rest, at least one, stand in the row of the
series itself, where the next answer is appended without reading the pieces. Equal answers make
equal bytes, in whatever order they came.
"""

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import NamedTuple

from persona_server.measures.answers import Answer, Kind, Question, Value
from persona_server.storage.keys import id_text

# occurred_at (microseconds), response id, simulation id, number, id of its model, place of the
# option shown first among the options of the question
RECORD = Struct(">q16s16sqqH")
PIECE = 16  # records: a row stays below 1,000 bytes, of the 2,030 that share a page with others


class Entry(NamedTuple):
    """One answer of a series; entries sort by (occurred_at, response id).

    The number is the value itself, the place of a choice among the options, or the id of a set.
    """

    occurred_at: int
    response: bytes
    simulation: bytes
    number: int
    model: int
    shown_first: int


class StoredSeries(NamedTuple):
    """The row of a series: its latest records, how many full pieces are before, and `repeats`."""

    records: bytes
    pieces: int
    repeats: int


class Cut(NamedTuple):
    """A series as it is stored: its pieces, and the row that follows them."""

    pieces: list[bytes]
    row: StoredSeries


def pack(entry: Entry) -> bytes:
    """Return the record of an answer."""
    return RECORD.pack(*entry)


def cut(entries: Sequence[Entry]) -> Cut:
    """Return the rows of one or more answers in order."""
    packed = [RECORD.pack(*entry) for entry in entries]
    whole = (len(packed) - 1) // PIECE
    pieces = [b"".join(packed[i * PIECE : (i + 1) * PIECE]) for i in range(whole)]
    simulations = {entry.simulation for entry in entries}
    times = {entry.occurred_at for entry in entries}
    repeats = len(simulations) < len(entries) or len(times) < len(entries)
    return Cut(pieces, StoredSeries(b"".join(packed[whole * PIECE :]), whole, int(repeats)))


def entries(records: bytes) -> list[Entry]:
    """Return the answers of records, in order of time."""
    return [Entry(*record) for record in RECORD.iter_unpack(records)]


class Texts(NamedTuple):
    """What the records of an individual name by an id: the tokens of sets, and models."""

    sets: dict[int, str]
    models: dict[int, tuple[str, str]]


def answers(question: Question, given: Iterable[Entry], texts: Texts) -> list[Answer]:
    """Return entries as measures take them, with ids as text, and sets as those of tokens."""
    simulations: dict[bytes, str] = {}
    found = []
    for at, response, simulation, number, model, shown in given:
        if (text := simulations.get(simulation)) is None:
            text = simulations[simulation] = id_text(simulation)
        found.append(
            Answer(
                question,
                text,
                id_text(response),
                at,
                value_of(question, number, texts.sets),
                *texts.models[model],
                question.options[shown] if question.kind is Kind.CHOICE else "",
            )
        )
    return found


def value_of(question: Question, number: int, sets: dict[int, str]) -> Value:
    """Return the value that a number stands for."""
    if question.kind.numeric:
        return number
    return question.options[number] if question.kind is Kind.CHOICE else sets[number]

"""A series: every answer of one individual to one question, in rows of bounded size.

Records stand in order of (occurred_at, response id), big-endian, so that the first 24 bytes of each
are its position. Every 16 of them make a piece; the rest, at least one, stand in the row of the
series itself, where the next answer is appended without reading the pieces. Equal answers make
equal bytes, in whatever order they came.
"""

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct
from typing import Any, NamedTuple

from persona_server.measures.answers import Answer, Kind, Question

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


Fields = tuple[Any, ...]  # of an entry, in its order


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


def fields(records: bytes) -> list[Fields]:
    """Return the answers of records as plain tuples, which are made in half the time."""
    return list(RECORD.iter_unpack(records))


def entries(records: bytes) -> list[Entry]:
    """Return the answers of records, in order of time."""
    return [Entry(*record) for record in RECORD.iter_unpack(records)]


class Series(dict[Question, list[Answer]]):
    """All answers of an individual, in order of time, by question as first asked.

    `ids` has the id of each question.
    """

    def __init__(self, given: Mapping[Question, list[Answer]], ids: Mapping[Question, int]) -> None:
        super().__init__(given)
        self.ids = ids


class Texts(NamedTuple):
    """What the records of an individual name by an id: the tokens of sets, and models."""

    sets: dict[int, str]
    models: dict[int, tuple[str, str]]


def answers(
    question: Question, given: Iterable[Fields], texts: Texts, simulations: Mapping[bytes, str]
) -> list[Answer]:
    """Return the fields of records as measures take them, with sets as those of tokens.

    `simulations` has their ids as text; that of a response is left without its dashes.
    """
    models, numeric, chosen = texts.models, question.kind.numeric, question.kind is Kind.CHOICE
    options, new = question.options, tuple.__new__  # by its name, an answer takes twice as long
    named: Sequence[str] | Mapping[int, str] = options if chosen else texts.sets
    return [
        new(
            Answer,
            (
                question,
                simulations[simulation],
                response.hex(),
                at,
                number if numeric else named[number],
                *models[model],
                options[shown] if chosen else "",
            ),
        )
        for at, response, simulation, number, model, shown in given
    ]

"""A series: every answer of one individual to one question, in the two columns that keep it.

`records` has 52 bytes for each answer, in order of (occurred_at, response id): big-endian, so that
the first 24 are its position. The number is the value itself, the place of a choice among the
options, or that of a set in `texts`. `texts` is JSON, `[[[model, prompt_version], …], [set, …]]`,
each distinct one once, in the order of their first records. So equal answers make equal bytes, in
whatever order they came. Appending costs the same at any length, and ten records are read in two
microseconds (JSON would take four).
"""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from persona_server.measures.answers import Answer, Kind, Question, Value
from persona_server.storage.keys import id_text

# occurred_at (microseconds), response id, simulation id, number, place of its model in `texts`
RECORD = Struct(">q16s16sqI")
_SHORT = 2048  # characters of texts worth remembering; those of themes may be of many MiB


class Entry(NamedTuple):
    """One answer of a series; entries sort by (occurred_at, response id)."""

    occurred_at: int
    response: bytes
    simulation: bytes
    value: Value
    model: str
    prompt_version: str


class StoredSeries(NamedTuple):
    """The two columns of a row of `series`."""

    records: bytes
    texts: str


class Texts(NamedTuple):
    """Column `texts`: what the records name by its place."""

    models: tuple[tuple[str, str], ...]
    values: tuple[str, ...]


def first(question: Question, entry: Entry) -> StoredSeries:
    """Return the series of one answer."""
    number = number_of(question, entry.value)
    values = () if number is not None else (str(entry.value),)
    record = RECORD.pack(entry.occurred_at, entry.response, entry.simulation, number or 0, 0)
    return StoredSeries(record, _written(((entry.model, entry.prompt_version),), values))


def inserted(question: Question, series: StoredSeries, entry: Entry, place: int) -> StoredSeries:
    """Return a series with one answer more, before the one that stands at this place in time."""
    at, response, simulation, value, name, prompt_version = entry
    texts = read_texts(series.texts)
    models, values = texts
    model, start = (name, prompt_version), place * RECORD.size
    if start < len(series.records) and (values or models != (model,)):
        # Texts may have to change their places.
        return encode(question, [*decode(question, series), entry])
    if model not in models:
        models = (*models, model)
    if (number := number_of(question, value)) is None:
        if value not in values:
            values = (*values, str(value))
        number = values.index(str(value))
    record = RECORD.pack(at, response, simulation, number, models.index(model))
    records = series.records[:start] + record + series.records[start:]
    same = models is texts.models and values is texts.values
    return StoredSeries(records, series.texts if same else _written(models, values))


def encode(question: Question, entries: Iterable[Entry]) -> StoredSeries:
    """Return the series of one or more answers in any order."""
    models: dict[tuple[str, str], int] = {}
    values: dict[str, int] = {}
    records = []
    for at, response, simulation, value, *model in sorted(entries):
        if (number := number_of(question, value)) is None:
            number = values.setdefault(str(value), len(values))
        name, prompt_version = model
        used = models.setdefault((str(name), str(prompt_version)), len(models))
        records.append(RECORD.pack(at, response, simulation, number, used))
    return StoredSeries(b"".join(records), _written(tuple(models), tuple(values)))


def decode(question: Question, series: StoredSeries) -> list[Entry]:
    """Return the answers of a series, in order of time."""
    models = read_texts(series.texts).models
    named = names(question, series)
    return [
        Entry(at, response, simulation, named[number] if named else number, *models[model])
        for at, response, simulation, number, model in RECORD.iter_unpack(series.records)
    ]


def number_of(question: Question, value: Value) -> int | None:
    """Return the number of a value in every series of a question, None if each has its own."""
    if isinstance(value, int):
        return value
    return question.options.index(value) if question.kind is Kind.CHOICE else None


def names(question: Question, series: StoredSeries) -> tuple[str, ...]:
    """Return what the numbers of a series stand for, nothing where they are the values."""
    if question.kind is Kind.CHOICE:
        return question.options
    return read_texts(series.texts).values


def answers(question: Question, entries: Sequence[Entry]) -> list[Answer]:
    """Return entries as measures take them, with ids as text."""
    texts = {raw: id_text(raw) for raw in {entry.simulation for entry in entries}}
    return [
        Answer(question, texts[simulation], id_text(response), at, value, model, prompt_version)
        for at, response, simulation, value, model, prompt_version in entries
    ]


def read_texts(column: str) -> Texts:
    """Return what column `texts` holds; numeric series of one model mostly have the same."""
    return (_short if len(column) <= _SHORT else _parsed)(column)


def _parsed(column: str) -> Texts:
    models, values = json.loads(column)
    return Texts(tuple((model, prompt) for model, prompt in models), tuple(values))


_short = lru_cache(maxsize=512)(_parsed)


def _written(models: tuple[tuple[str, str], ...], values: tuple[str, ...]) -> str:
    common = len(models) == 1 and sum(map(len, values)) <= _SHORT
    return (_common if common else _dumped)(models, values)


def _dumped(models: tuple[tuple[str, str], ...], values: tuple[str, ...]) -> str:
    return json.dumps([models, values], ensure_ascii=False, separators=(",", ":"))


_common = lru_cache(maxsize=512)(_dumped)

"""Answers from every kind of file: numbers, times and keys as people and programs write them."""

import gzip
import io
import json
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow
import pytest
from cli.answers import jsonl, rated
from files.answers import said
from pyarrow import parquet

from persona_cli.files.answers.answer_files import AnswerFormat
from persona_client import Response

PERSONA = "0190b5a4-0000-7000-8000-000000000001"
HEADER = ["persona_id", "question_key", "kind", "value", "min", "max", "options"]
ROWS: list[list[Any]] = [
    [PERSONA, "stars", "rating", 4, 1, 5, None],
    [PERSONA, "mood", "sentiment", 0.5, None, None, None],
    [PERSONA, "brew", "choice", "A; B", None, None, '["A; B","C"]'],
]


def lines(delimiter: str, end: str = "\n", after: str = "") -> str:
    cells = [HEADER, *ROWS]
    rows = (
        delimiter.join('"' + str("" if c is None else c).replace('"', '""') + '"' for c in row)
        for row in cells
    )
    return "".join(row + after + end for row in rows)


def workbook() -> bytes:
    book, stream = openpyxl.Workbook(), io.BytesIO()
    sheet = book.create_sheet(index=0)
    for row in [HEADER, *ROWS]:
        sheet.append(row)
    book.save(stream)
    return stream.getvalue()


def columns() -> bytes:
    """The same as Parquet, whose column of values is of texts, and options are lists."""
    held = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    held = [one | {"value": str(one["value"])} for one in held]
    for one in held:
        one["options"] = json.loads(one["options"]) if one["options"] else None
    stream = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(held), stream)
    return stream.getvalue()


def objects() -> list[dict[str, Any]]:
    return [{k: v for k, v in zip(HEADER, row, strict=True) if v is not None} for row in ROWS]


KINDS: dict[str, str | bytes] = {
    "comma": lines(","),
    "semicolon, decimal comma": lines(";").replace('"0.5"', '"0,5"').replace('"4"', '"4,0"'),
    "sep=": "sep=;\r\n" + lines(";", "\r\n"),
    "delimiter at the end": lines(",", after=","),
    "line ends of a Mac": lines(",", "\r"),
    "UTF-16": lines("\t").encode("utf-16"),
    "gzip": gzip.compress(lines(",").encode(), mtime=0),
    "Excel": workbook(),
    "Parquet": columns(),
    "JSON": json.dumps(objects(), indent=2),
    "JSON in a member": json.dumps({"responses": objects()}),
    "JSON lines": jsonl(objects()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_table_is_read_from_every_kind_of_file(kind: str) -> None:
    stars, mood, brew = said(KINDS[kind])
    assert (stars.rating.value, stars.rating.min, stars.rating.max) == (4, 1, 5)
    assert mood.sentiment == 0.5
    assert (brew.choice.value, list(brew.choice.options)) == ("A; B", ["A; B", "C"])


def one(cells: dict[str, Any]) -> Any:
    """Return what a row of CSV becomes."""
    row = {"persona_id": PERSONA, "question_key": "q", "kind": "sentiment", "value": "0"} | cells
    text = ",".join(row) + "\n" + ",".join('"' + cell + '"' for cell in row.values()) + "\n"
    [found] = said(text)
    return found


@pytest.mark.parametrize(
    ("cell", "value"),
    [(" 0.5 ", 0.5), ("٠.٥", 0.5), ("-,25", -0.25), ("1e-1", 0.1), ("0_5", None),
     ("-0_0.2_5", None), ("true", None), ("1,2,3", None), ("0x1", None), ("inf", None)],
)  # fmt: skip
def test_a_number_is_one_that_everybody_would_read(cell: str, value: float | None) -> None:
    found = one({"value": cell})
    if value is None:
        assert found == f"value must be a number; got {cell!r}"
    else:
        assert found.sentiment == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [("4.0", 4), ("4,00", 4), ("٤", 4), (" 4 ", 4), ("4.000", None), ("4_0", None), ("true", None)],
)
def test_a_rating_is_a_whole_number(cell: str, value: int | None) -> None:
    found = one({"kind": "rating", "value": cell, "min": "1", "max": "5"})
    if value is None:
        assert found == f"value must be a whole number; got {cell!r}"
    else:
        assert found.rating.value == value


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"sentiment": True}, "sentiment must be a number"),
        ({"sentiment": "0_5"}, "sentiment must be a number"),
        ({"sentiment": " 0.5"}, "sentiment must be a number"),
        ({"rating": {"value": "4_0", "min": 1, "max": 50}}, "rating.value must be a whole number"),
        ({"rating": {"value": False, "min": 0, "max": 5}}, "rating.value must be a whole number"),
        ({"text": "\ud83d"}, "text must be a string of valid Unicode"),
        ({"choice": {"\ud83d": "x"}}, "is not a known field"),
        ({"text": "x", "occurred_at": "0001-01-01T00:00:00+01:00"}, "occurred_at"),
    ],
)
def test_json_takes_what_rest_takes(given: dict[str, Any], why: str) -> None:
    good = {"persona_id": PERSONA, "question_key": "q", "sentiment": "0.5"}
    found, next_one = said(jsonl([{"persona_id": PERSONA, "question_key": "q"} | given, good]))
    assert isinstance(found, str)
    assert why in found
    assert next_one.sentiment == 0.5  # a number as text, as REST reads it


@pytest.mark.parametrize(
    ("kind", "value"), [("text", "\ud83d"), ("choices", ["\ud83d"]), ("choice", "\ud83d")]
)
def test_half_a_character_is_refused_by_its_cell(kind: str, value: Any) -> None:
    row = {"persona_id": PERSONA, "question_key": "q", "kind": kind, "value": value}
    assert said(json.dumps([row])) == ["value must be a string of valid Unicode"]


def test_a_time_is_within_the_calendar() -> None:
    found = one({"occurred_at": "0001-01-01T00:00:00+01:00"})
    assert found == "occurred_at is outside the calendar: '0001-01-01T00:00:00+01:00'"
    assert one({"occurred_at": "1970-01-01"}).occurred_at.ToJsonString() == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "make",
    [
        lambda row: jsonl([row | {"text": "x"}]),
        lambda row: json.dumps([row | {"kind": "text", "value": "x"}]),
    ],
)
def test_a_time_without_a_zone_is_in_the_one_that_is_said(make: Any) -> None:
    row = {"persona_id": PERSONA, "question_key": "q", "occurred_at": "2026-07-01 10:00:00"}
    [refused] = said(make(row))
    assert "occurred_at must" in refused
    [found] = said(make(row), zone=ZoneInfo("Europe/Lisbon"))
    assert isinstance(found, Response)
    assert found.occurred_at.ToJsonString() == "2026-07-01T09:00:00Z"


def test_the_layout_can_be_said() -> None:
    [found] = said(jsonl([rated(PERSONA)]), form=AnswerFormat.JSONL)
    assert found.rating.value == 4
    [refused] = said(jsonl([rated(PERSONA)]), form=AnswerFormat.CSV)
    assert refused.startswith("lacks columns that the first row must name")

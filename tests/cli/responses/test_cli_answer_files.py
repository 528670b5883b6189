"""From lines to answers: what JSON lines and CSV say, what is refused, and the ids made."""

import json
import uuid
from typing import Any

import pytest
from cli.answers import as_csv, jsonl, rated
from files.answers import SIMULATION, read

from persona_cli.files.answers.answer import SimulationResponse
from persona_cli.files.json_lines import LineError
from persona_cli.terminal.output import json_line
from persona_client import Response

OTHER = "0190b5a4-0000-7000-8000-0000000000bb"
PERSONA = "0190b5a4-0000-7000-8000-000000000001"
CELLS = {"persona_id": PERSONA, "question_key": "q"}


def answers(text: str, simulation: str = SIMULATION) -> list[SimulationResponse]:
    found = [item for _, item in read(text, simulation_id=simulation)]
    assert all(isinstance(item, SimulationResponse) for item in found), found
    return [item for item in found if isinstance(item, SimulationResponse)]


def refusal(row: dict[str, Any]) -> str:
    [(number, item)] = read(as_csv([CELLS | row]))
    assert number == 2
    assert isinstance(item, LineError)
    return str(item)


RATING = {"kind": "rating", "min": "1", "max": "5"}
QUOTED = 'It "lasts",\nso far.'


@pytest.mark.parametrize(
    ("cells", "answer"),
    [
        (RATING | {"value": "4"}, {"rating": {"value": 4, "min": 1, "max": 5}}),
        (
            {"kind": "rating", "value": "-4.0", "min": "-5.0", "max": "0"},
            {"rating": {"value": -4, "min": -5, "max": 0}},
        ),
        (
            {"kind": "choice", "value": "A", "options": "A|B, C | D"},
            {"choice": {"value": "A", "options": ["A", "B, C", "D"]}},
        ),
        (
            {"kind": "choice", "value": "A|B", "options": '["A|B", "[C"]'},
            {"choice": {"value": "A|B", "options": ["A|B", "[C"]}},
        ),
        (
            {"kind": "choices", "value": "B|A", "options": "A|B"},
            {"choices": {"values": ["B", "A"], "options": ["A", "B"]}},
        ),
        (
            {"kind": "choices", "value": "", "options": "A|B"},
            {"choices": {"options": ["A", "B"]}},
        ),
        ({"kind": "sentiment", "value": "-0.25"}, {"sentiment": -0.25}),
        (
            {"kind": "text", "value": QUOTED, "themes": "quality|time"},
            {"text": QUOTED, "themes": ["quality", "time"]},
        ),
        ({"kind": "text", "value": ""}, {"text": ""}),
    ],
)
def test_csv_says_the_same_as_json(cells: dict[str, str], answer: dict[str, Any]) -> None:
    more = {
        "question_text": "Würden Sie?", "quote": "Ja", "model": "m", "prompt_version": "3",
        "occurred_at": "2026-03-01T09:30:00+01:00", "id": OTHER,
    }  # fmt: skip
    given = CELLS | more
    [from_csv] = answers(as_csv([given | cells]))
    [from_json] = answers(jsonl([given | answer]))
    assert from_csv[:2] == from_json[:2]  # simulation and response
    assert from_csv.response.occurred_at.ToJsonString() == "2026-03-01T08:30:00Z"
    assert from_csv.response.id == OTHER


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_spreadsheets_write_is_read(delimiter: str) -> None:
    rows = [CELLS | {"kind": "text", "value": f"a{delimiter}b\n\nc"}] * 2
    text = "\r\n" + as_csv(rows, delimiter).replace("\n", "\r\n")
    found = read(text)
    assert [number for number, _ in found] == [3, 6]  # where each row begins
    assert [item.response.text for _, item in found if isinstance(item, SimulationResponse)] == [
        f"a{delimiter}b\r\n\r\nc"
    ] * 2


def test_a_date_is_its_midnight_in_utc() -> None:
    [one] = answers(as_csv([CELLS | {"kind": "text", "occurred_at": "2026-03-01"}]))
    assert one.response.occurred_at.ToJsonString() == "2026-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"kind": "stars", "value": "3"}, "kind must be one of choice, choices, rating,"),
        (RATING | {"value": "3.5"}, "value must be a whole"),
        ({"kind": "rating", "value": "3", "min": "1"}, "max must be a whole number"),
        (RATING | {"value": "9"}, "rating.value must be 1 to 5"),
        (
            RATING | {"value": "9999999999"},
            "value must be a whole number from -2147483648 to 2147483647",
        ),
        (RATING | {"value": "3", "options": "a"}, "options does not belong to a rating"),
        ({"kind": "choice", "value": "C", "options": "A|B"}, "choice.value must be one of"),
        ({"kind": "choice", "value": "A", "options": "[A, B]"}, "options starts with [ but"),
        ({"kind": "choice", "value": "1", "options": "[1, 2]"}, "must be a JSON array of strings"),
        ({"kind": "sentiment", "value": ""}, "value must be a number"),
        ({"kind": "sentiment", "value": "nan"}, "value must be a number"),
        ({"kind": "sentiment", "value": "0.1234567"}, "at most 6 decimals"),
        ({"kind": "text", "persona_id": "me"}, "persona_id"),
        ({"kind": "text", "question_key": " "}, "question_key is required"),
        ({"kind": "text", "occurred_at": "2026-03-01 10:00"}, "must name its time zone"),
        ({"kind": "text", "occurred_at": "1.3.2026"}, "occurred_at must be a time such as"),
        ({"kind": "text", "simulation_id": "one"}, "simulation_id must be a UUID"),
    ],
)
def test_a_row_that_is_no_answer_says_why(cells: dict[str, str], why: str) -> None:
    assert why in refusal(cells)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("persona_id,question_key,kind\na,b,c\n", "first row must name: value"),
        ("persona_id,question_key,kind,value,mood\na,b,c,d,e\n", "does not have: mood"),
        ("persona_id,question_key,kind,value\na,b\n", "has 2 cells, but the first row names 4"),
        ("persona_id,kind,kind,value\na,b,c,d\n", "two columns with the same name"),
        ('persona_id,question_key,kind,value\na,b,c,"d"e\n', "is not CSV"),
        ('persona_id,question_key,kind,value\na,b,c,"d\n', "is not CSV"),
        ("persona_id,question_key,kind,value\na,ä,c,".encode() + b"\xff\n", "is not UTF-8"),
        ("[1]\n", "is not a JSON object"),
        (jsonl([{"question_key": "q", "mood": 1}]), "that a response does not have: mood"),
        (jsonl([{"mood": 1}]), "has a layout that is not known (mood): a table with a row for"),
        (jsonl([rated("me")]), "persona_id"),
    ],
)
def test_a_line_that_is_no_row_says_why(text: str | bytes, why: str) -> None:
    [(_, item)] = read(text)
    assert isinstance(item, LineError)
    assert why in str(item)


def test_a_bad_row_leaves_the_next_one_whole() -> None:
    good = f"{PERSONA},q,text,fine\n"
    text = f'persona_id,question_key,kind,value\n{PERSONA},q,text,"a"b\n\n{good}'
    (_, bad), (number, item) = read(text)
    assert isinstance(bad, LineError)
    assert isinstance(item, SimulationResponse)
    assert (number, item.response.text) == (4, "fine")


def test_a_row_names_its_simulation_or_the_option_does() -> None:
    rows = [CELLS | {"kind": "text", "simulation_id": OTHER.upper()}, CELLS | {"kind": "text"}]
    assert [one.simulation_id for one in answers(as_csv(rows))] == [OTHER, SIMULATION]
    (_, first), (_, second) = read(as_csv(rows), simulation_id="")
    assert isinstance(first, SimulationResponse)
    assert isinstance(second, LineError)
    assert "--simulation" in str(second)


def test_made_ids_are_those_of_the_content() -> None:
    def made(simulation: str = SIMULATION, **change: Any) -> str:
        [one] = answers(jsonl([rated(PERSONA, **change)]), simulation)
        assert uuid.UUID(one.response.id).version == 5
        return one.response.id

    assert made() == made()
    different = [made(), made(OTHER), made(value=3), made(key="b"), made(quote="x")]
    assert len(set(different)) == len(different)


def test_what_a_list_prints_is_read_again() -> None:
    response = Response(id=OTHER, simulation_id=SIMULATION, persona_id=PERSONA, question_key="q")
    response.sentiment = 0.5
    printed = json.loads(json_line(response))
    assert printed["library_persona_id"] is None
    assert "rating" not in printed  # of a oneof, what is set
    [read_again] = answers(jsonl([printed]), simulation="")
    assert (read_again.simulation_id, read_again.response.sentiment) == (SIMULATION, 0.5)

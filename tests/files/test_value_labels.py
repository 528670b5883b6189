"""Codebooks with value labels: codes in cells, and what they stand for."""

import json
from pathlib import Path
from typing import Any

import pytest
from files.answers import said
from files.test_wide_answers import book

from persona_cli.files.answers.drafting import draft_codebook

TOML = """
respondent = "who"

[questions.agree]
kind = "rating"
options = ["1=Strongly disagree", "3=Neither", "5=Strongly agree"]

[questions.sex]
kind = "choice"
options = ["1=Male", "2=Female", "x=No answer = none"]

[questions.seen]
kind = "choices"
options = ["1=TV, radio", "2=Shop"]

[questions.why]
kind = "text"
themes = "why_coded"
"""
TABLE = """question,kind,options,scale,themes
who,respondent,,,
agree,rating,1=Strongly disagree|3=Neither|5=Strongly agree,,
sex,choice,1=Male|2=Female|x=No answer = none,,
seen,choices,"1=TV, radio|2=Shop",,
why,text,,,why_coded
"""


@pytest.mark.parametrize(("held", "name"), [(TOML, "book.toml"), (TABLE, "book.csv")])
def test_codes_are_answers_by_their_labels(tmp_path: Path, held: str, name: str) -> None:
    rows = "who;agree;sex;seen;why;why_coded\nr;4;2.00;1,2;Dear and late;price, service\n"
    agree, sex, seen, why = said(rows, codebook=book(tmp_path, held, name))
    assert (agree.rating.value, agree.rating.min, agree.rating.max) == (4, 1, 5)
    assert sex.choice.value == "Female"
    assert list(sex.choice.options) == ["Male", "Female", "No answer = none"]
    assert list(seen.choices.values) == list(seen.choices.options) == ["TV, radio", "Shop"]
    assert (why.text, list(why.themes)) == ("Dear and late", ["price", "service"])


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"agree": "Strongly agree"}, 5),
        ({"agree": "5 - Strongly agree"}, 5),
        ({"agree": "5.0"}, 5),
        ({"agree": 1}, 1),
        ({"agree": "Agree"}, "agree must be a whole number; got 'Agree'"),
        ({"agree": "6"}, "agree: rating.value must be 1 to 5, is 6"),
        ({"sex": "Male"}, "Male"),
        ({"sex": "x"}, "No answer = none"),
        (
            {"sex": "3"},
            "sex: choice.value must be one of the options: "
            "got '3', not 'Male', 'Female', 'No answer = none'",
        ),
        ({"sex": 2.0}, "Female"),
        ({"seen": [2]}, ["Shop"]),
        ({"seen": "TV, radio|2"}, ["TV, radio", "Shop"]),
    ],
)
def test_a_cell_is_a_code_a_label_or_both(
    tmp_path: Path, cells: dict[str, Any], found: Any
) -> None:
    [answer] = said(json.dumps([{"who": "r", **cells}]), codebook=book(tmp_path, TOML))
    if not isinstance(answer, str):
        kind = answer.WhichOneof("answer")
        given = getattr(answer, kind)
        answer = list(given.values) if kind == "choices" else given.value
    assert answer == found


def test_a_draft_has_the_labels_that_cells_have(tmp_path: Path) -> None:
    rows = [
        {"who": "a", "nps": "0 - Not likely", "brew": "2) Tea", "code": "1", "at": "1: a"},
        {"who": "b", "nps": "7", "brew": "1) Filter", "code": "3", "at": "1: b"},
        {"who": "c", "nps": "10 - Very likely", "brew": "2) Tea", "code": "1", "at": "x"},
    ]
    lines = list(draft_codebook(rows))
    assert '# where numbers stand for options: kind = "choice", options = ["1=…", "3=…"]' in lines
    found = book(tmp_path, "\n".join(["respondent = 'no'", *lines]))
    made = {q.column: (q.kind, q.scale, dict(q.labels)) for q in found.questions}
    assert made["nps"] == ("rating", (0, 10), {"0": "Not likely", "10": "Very likely"})
    assert made["brew"] == ("choice", (0, 0), {"1": "Filter", "2": "Tea"})
    assert made["code"] == ("rating", (1, 5), {})
    assert made["at"][2] == {}

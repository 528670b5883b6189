"""Tables of respondents: codebooks, what cells answer, what is skipped, drafts."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from files.answers import SIMULATION, said

from persona_cli.files.answers.answer_files import AnswerFiles, AnswerOptions
from persona_cli.files.answers.codebook import Codebook, read_codebook
from persona_cli.files.answers.drafting import draft_codebook
from persona_cli.files.inputs import InputFile, LineReader
from persona_cli.files.json_lines import LineError
from persona_cli.runs.journal import Journal
from persona_cli.runs.resuming import batches
from persona_cli.terminal.failures import CommandError

TOML = """
respondent = "who"
occurred_at = "when"
model = "llm"

[questions.stars]
key = "rated"
kind = "rating"
scale = "1-5"
text = "How many stars?"

[questions.brew]
kind = "choice"
options = ["Filter", "1"]

[questions.seen]
kind = "choices"
options = ["TV, radio", "Shop", "Web"]

[questions.mood]
kind = "sentiment"

[questions.why]
kind = "text"
"""
TABLE = """question,key,kind,options,scale,text
who,,respondent,,,
when,,occurred_at,,,
llm,,model,,,
stars,rated,rating,,1 to 5,How many stars?
brew,,choice,Filter|1,,
seen,,choices,"[""TV, radio"", ""Shop"", ""Web""]",,
mood,,sentiment,,,
why,,text,,,
"""
HEADER = "who;when;llm;stars;brew;seen;mood;why;further\n"
GOOD = 'r-1;2026-04-01T10:00:00Z;m;4,0;1;TV, radio;-0,25;"It, ""lasts"".";x\n'


def book(folder: Path, text: str = TOML, name: str = "book.toml") -> Codebook:
    path = folder / name
    path.write_text(text)
    return read_codebook(str(path))


@pytest.mark.parametrize(("text", "name"), [(TOML, "book.toml"), (TABLE, "book.csv")])
def test_a_codebook_says_what_columns_are(tmp_path: Path, text: str, name: str) -> None:
    stars, brew, seen, mood, why = said(HEADER + GOOD, codebook=book(tmp_path, text, name))
    assert (stars.question_key, stars.question_text) == ("rated", "How many stars?")
    assert (stars.rating.value, stars.rating.min, stars.rating.max) == (4, 1, 5)
    assert (brew.choice.value, list(brew.choice.options)) == ("1", ["Filter", "1"])
    assert list(seen.choices.values) == ["TV, radio"]
    assert (mood.sentiment, why.text) == (-0.25, 'It, "lasts".')
    for one in (stars, brew, seen, mood, why):
        assert (one.persona_external_id, one.model) == ("r-1", "m")
        assert one.occurred_at.ToJsonString() == "2026-04-01T10:00:00Z"


def test_a_date_of_toml_is_a_text_as_any_table_has_it(tmp_path: Path) -> None:
    dated = TOML.replace('"when"', "2026-01-01")
    dated = dated.replace('"How many stars?"', "2026-01-02T10:00:00")
    found = book(tmp_path, dated.replace('["Filter", "1"]', "[2026-01-03, 2026-01-04]"))
    assert found.fields["occurred_at"] == "2026-01-01"
    stars, brew, *_ = found.questions
    assert (stars.text, brew.options) == ("2026-01-02T10:00:00", ("2026-01-03", "2026-01-04"))


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("Shop", ["Shop"]),
        ("TV, radio;Shop", ["TV, radio", "Shop"]),
        ("Shop, Web", ["Shop", "Web"]),
        ("Shop | Web |", ["Shop", "Web"]),
        ('["Shop", "TV, radio"]', ["Shop", "TV, radio"]),
        ("['Shop', 'Web']", ["Shop", "Web"]),
        ("['Shop' 'Web']", ["Shop", "Web"]),
        ("[Shop, Web]", ["Shop", "Web"]),
        (["Web"], ["Web"]),
    ],
)
def test_several_options_are_found_in_a_cell(tmp_path: Path, cell: Any, values: list[str]) -> None:
    [found] = said(json.dumps([{"who": "r", "seen": cell}]), codebook=book(tmp_path))
    assert list(found.choices.values) == values


def test_an_option_in_brackets_is_no_list(tmp_path: Path) -> None:
    known = book(tmp_path, TOML.replace('"Web"]', '"[None]"]'))
    [found] = said(json.dumps([{"who": "r", "seen": "[None]"}]), codebook=known)
    assert list(found.choices.values) == ["[None]"]


def test_every_cell_of_a_question_is_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    rows = [
        GOOD,
        "r-2;;;9;Tea;;x;;\n",
        ";;;1;Filter;;;;\n",
        "r-3;4/1/2026 10:00;;1;1;;;;\n",
        "a;b\n",
    ]
    path.write_text(HEADER + "".join(rows))
    options = AnswerOptions(simulation_id=SIMULATION, codebook=book(tmp_path))
    with AnswerFiles([InputFile(str(path))], options) as answers:
        found = list(answers.items(0, lambda _: None))
        skipped = answers.tally.skipped
    refused = [(n, str(i), i.count) for n, i in found if isinstance(i, LineError)]
    assert refused == [
        (3, "stars: rating.value must be 1 to 5, is 9", 1),
        (3, "brew: choice.value must be one of the options: got 'Tea', not 'Filter', '1'", 1),
        (3, "mood must be a number; got 'x'", 1),
        (4, "who is blank, so that nobody knows who answered", 2),
        (5, "when must be a time such as 2026-03-01T09:30:00Z, not '4/1/2026 10:00'", 2),
        (6, "has 2 cells, but the first row names 9", 5),
    ]
    recorded = sum(not isinstance(item, LineError) for _, item in found)
    assert (recorded, skipped) == (5, 8)
    assert recorded + skipped + sum(count for *_, count in refused) == 5 * len(rows)


def test_a_time_without_a_zone_is_in_the_one_that_is_said(tmp_path: Path) -> None:
    row = GOOD.replace("T10:00:00Z", " 10:00:00")
    found = said(HEADER + row, codebook=book(tmp_path), zone=ZoneInfo("Europe/Lisbon"))
    assert {one.occurred_at.ToJsonString() for one in found} == {"2026-04-01T09:00:00Z"}


def test_a_time_without_any_zone_is_utc_which_is_said(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(HEADER + GOOD + GOOD.replace("T10:00:00Z", " 10:00:00"))
    options = AnswerOptions(simulation_id=SIMULATION, codebook=book(tmp_path))
    with AnswerFiles([InputFile(str(path))], options) as answers:
        found = [item for _, item in answers.items(0, lambda _: None)]
        notes = dict(answers.tally.notes)
    assert not any(isinstance(item, LineError) for item in found)
    times = {i.response.occurred_at.ToJsonString() for i in found if not isinstance(i, LineError)}
    assert times == {"2026-04-01T10:00:00Z"}
    said_of = "when is taken as UTC where it names no time zone (--timezone says another one)"
    assert notes == {said_of: 5}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[questions.q]\nkind = 'stars'", "q: kind must be one of choice, choices, rating"),
        ("[questions.q]\nkind = 'rating'", "q: a rating needs its scale"),
        ("[questions.q]\nkind = 'rating'\nscale = 'five'", "q: scale must be such as 1-5"),
        ("[questions.q]\nkind = 'choice'", "q: a choice needs its options"),
        ("[questions.q]\nkind = 'rating'\noptions = ['a=Bad', 'b=Good']", "whole numbers as codes"),
        (
            "[questions.q]\nkind = 'choice'\noptions = ['1=Bad', '1=Good']",
            "one code for two labels",
        ),
        ("[questions.q]\nkind = 'text'\nmood = 1", "q: has mood; there are"),
        ("[questions.q]\nkind = 'text'", "must say which column is the respondent"),
        ("respondent = 'q'\n[questions.q]\nkind = 'text'", "names 'q' twice"),
        ("respondent = 'q'", "names no question"),
        ("questions = 1", "must have a table for each question"),
        ("[", "is not TOML"),
        (f"a = {'[' * 9000}", "is nested too deeply"),
        (f"{'.'.join('a' * 3000)} = 1", "is nested too deeply"),
    ],
)
def test_a_codebook_that_says_nothing_clear_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(CommandError) as refused:
        book(tmp_path, text)
    assert why in str(refused.value)


def test_a_table_of_respondents_needs_a_codebook_that_fits(tmp_path: Path) -> None:
    [without] = said(HEADER + GOOD)
    assert "has a layout that is not known (who, when, llm, stars" in without
    assert "--draft-codebook" in without
    [other] = said("who;when\nr-1;\n", codebook=book(tmp_path))
    assert other == "lacks columns that the codebook names: llm, stars, brew, seen, mood, why"


def test_a_draft_says_what_cells_look_like(tmp_path: Path) -> None:
    rows = [
        {"ResponseId": "R1", "respondent": "r-1", "EndDate": "2026-04-01", "age": "25",
         "stars": "4", "nps": "4", "seen": "TV, radio; Shop", "brew": "Filter", "mood": "0,6",
         "why": "It lasts.", "empty": "", 'a"b': "x"},
        {"ResponseId": "R2", "respondent": "r-2", "EndDate": "2026-04-01", "age": "31",
         "stars": "9", "nps": "2", "seen": "Shop", "brew": "Other", "mood": "-.5",
         "why": "", "empty": "", 'a"b': "x"},
    ]  # fmt: skip
    drafted = "\n".join(draft_codebook(rows))
    found = book(tmp_path, drafted)
    assert found.fields == {"persona_external_id": "respondent", "occurred_at": "EndDate"}
    made = {
        q.column: (q.kind, q.scale if q.kind == "rating" else q.options) for q in found.questions
    }
    assert made == {
        "stars": ("rating", (0, 10)),
        "nps": ("rating", (0, 10)),
        "seen": ("choices", ("TV, radio", "Shop")),
        "brew": ("choice", ("Filter", "Other")),
        "mood": ("sentiment", ()),
        "why": ("text", ()),
        "empty": ("text", ()),
        'a"b': ("choice", ("x",)),
    }
    assert '"ResponseId", "age"' in drafted


def test_a_row_that_two_batches_share_resumes_where_it_was_cut(tmp_path: Path) -> None:
    names = [f"q{i}" for i in range(1500)]
    held = "respondent = 'who'\n" + "".join(f"[questions.{n}]\nkind = 'text'\n" for n in names)
    path = tmp_path / "wide.csv"
    path.write_text(f"who,{','.join(names)}\n" + f"r{',x' * 1500}\n" * 2)
    options = AnswerOptions(simulation_id=SIMULATION, codebook=book(tmp_path, held))
    journal = Journal("import")

    def cut() -> list[list[str]]:
        with AnswerFiles([InputFile(str(path))], options) as answers:
            reader = LineReader(answers.inputs, answers.items, lambda _: "")
            lines = reader.lines(lambda _where, _why: None, lambda _: None)
            found = batches(lines, journal, lambda answer: answer.response)
            return [[line.item.response.question_key for line in batch] for batch in found]

    first = cut()
    assert [len(batch) for batch in first] == [1000, 1000, 1000]
    assert journal.boundaries == [(0, 2, 999), (0, 3, 499), (0, 3, 1499)]
    assert cut() == first

"""Templates, cases of income, names in texts, and mapping files."""

import time
from pathlib import Path

import pytest

from persona_cli.files.layouts.levels import level_of, parse_levels
from persona_cli.files.layouts.names import name_in
from persona_cli.files.layouts.templates import parse_template
from persona_cli.files.layouts.user_mapping import user_mapping
from persona_cli.files.layouts.values import split_texts
from persona_cli.terminal.failures import CommandError

ROW = {
    "first": "Mira",
    "last": "Sandberg",
    "a.b": 1,
    "c": {"d": {"e": [1]}},
    "blank": "",
    "no": None,
}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("first", "Mira"),
        ("{first} {last}", "Mira Sandberg"),
        ("{blank} {last}", "Sandberg"),
        ("{first}, {blank}, {last}", "Mira, Sandberg"),
        ("{first}, {no}, Sweden", "Mira, Sweden"),
        ("{blank}, Sweden", None),
        ("Dr. {last}", "Dr. Sandberg"),
        ("{a.b}", 1),
        ("c.d.e", [1]),
        ("{c.d} x", None),
        ("{missing}", None),
        ("'Sweden'", "Sweden"),
    ],
)
def test_a_template_leaves_out_what_is_not_there(template: str, value: object) -> None:
    made = parse_template(template)
    assert made.value(ROW) == value
    assert parse_template(str(made)) == made


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("Less than $5,000", "Low"),
        ("$19,999", "Low"),
        ("20k", "Middle"),
        ("$20,000 to $40,000", "Middle"),
        ("$50k–75k", "Middle"),
        ("50–70k", "Middle"),
        ("20.000 €", "Middle"),
        ("74 999,50", "Middle"),
        ("75k", "High"),
        ("1.5m", "High"),
        ("more than 75,000", "High"),
        ("upper-MIDDLE", "High"),
        ("1e+05", "High"),
        ("1E5", "High"),
        ("2.5e+04", "Middle"),
        ("$1,234e+01", "Low"),
        ("1.234e+05 USD", "High"),
        ("1e+04 to 6e+04", "Middle"),
        ("1e999", ""),
        ("30000EUR", "Middle"),
        ("80kUSD", "High"),
        ("30000x", ""),
        ("10th percentile", ""),
        ("1,2,3", ""),
        ("no answer", ""),
        ("1 2 3", "Low"),
    ],
)
def test_amounts_and_words_are_cases_of_income(value: str, level: str) -> None:
    cases = parse_levels("Upper-middle=High,1 2 3=low,<20k=Low,20k-75k=Middle,>=75k=High")
    assert level_of(value, cases) == level
    assert level_of(value, parse_levels("x=Low,*=Middle")) == "Middle"


def test_a_case_without_a_level_is_said() -> None:
    with pytest.raises(CommandError, match="each case ends with"):
        user_mapping(["income_level=wealth:<20k=Poor"], (), "")


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["Mary Ann Alberti, 41, paints."], "Mary Ann Alberti"),
        (["At work, Ana de la Cruz leads.", "Ana de la Cruz's garden grows."], "Ana de la Cruz"),
        (["Óscar Peña cooks.", None, "Every Sunday Óscar swims."], "Óscar Peña"),
        (["a retired teacher"], ""),
        ([], ""),
    ],
)
def test_a_name_is_found_in_texts(texts: list[str | None], name: str) -> None:
    assert name_in(texts) == name


@pytest.mark.parametrize(
    ("cell", "texts"),
    [
        ("a, b, c", ["a", "b", "c"]),
        ("a, b; c", ["a, b", "c"]),
        ("a; b|c", ["a; b", "c"]),
        ('["a", "b, c"]', ["a", "b, c"]),
        ("['a', \"it's\"]", ["a", "it's"]),
        ("[unclosed, b", ["[unclosed", "b"]),
        ("['a' \"it's\"\n 'b c' None]", ["a", "it's", "b c"]),  # NumPy's, as pandas writes it
        ("[a b, 'c, d', 'e\\'f', NULL, 'NULL']", ["a b", "c, d", "e'f", "NULL"]),  # DuckDB's
        ("[Red Bull]", ["Red Bull"]),
        ('{a b,"c, d"}', ["a b", "c, d"]),  # PostgreSQL's
        ("{}", []),
        ("[a], [b]", ["[a]", "[b]"]),
        (" Red Bull ", ["Red Bull"]),
        ("", []),
    ],
)
def test_a_cell_is_split_as_its_writer_meant(cell: str, texts: list[str]) -> None:
    assert split_texts(cell) == texts


@pytest.mark.parametrize(
    ("start", "again", "end"),
    [
        ("[a", " ", "[]"),
        ("['a'", " ", "x]"),
        ("[", "'a' ", ",]"),
        ("[", "a ", "[]"),
        ("['", "\\a", "]"),
    ],
)
def test_no_cell_costs_more_than_its_length(start: str, again: str, end: str) -> None:
    def seconds(times: int) -> float:
        begun = time.thread_time()
        split_texts(start + again * times + end)
        return time.thread_time() - begun

    few, many = (min(seconds(times) for _ in range(3)) for times in (1_000, 16_000))
    assert many < 5 * 16 * few + 0.01  # 256 times as much where each is tried with each


def test_a_mapping_file_says_what_options_say(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(
        'layout = "edsl"\ndrop = ["secret"]\n[fields]\nfull_name = ["name", "{first} {last}"]\n'
        'income_level = "wealth"\nage = "years"\n[levels]\n"<20k" = "Low"\n"*" = "High"\n'
    )
    said = user_mapping((), (), str(file))
    by_options = user_mapping(
        ["income_level={wealth}:<20k=Low,*=High", "age=years"], ["secret"], ""
    )
    assert said.layout == "edsl"
    assert [str(each) for each in said.fields.pop("full_name")] == ["{name}", "{first} {last}"]
    assert (said.fields, said.levels, said.dropped) == (
        by_options.fields, by_options.levels, by_options.dropped,
    )  # fmt: skip
    over = user_mapping(["age="], (), str(file))
    assert over.fields["age"] == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("fields", "is not TOML"),
        (f"fields = {'[' * 9000}", "is nested too deeply"),
        ("[columns]\na = 'b'", "has columns"),
        ("[fields]\nname = 'b'", "no field 'name'"),
        ("[fields]\nage = '{first'", "age: .* left open"),
        ("[fields]\nage = 7", "must be a text or a list"),
        ("fields = 7", "must be a table"),
        ("[levels]\nx = 'Some'", "each case ends with"),
        ("[levels]\nx = 7", "each case ends with"),
    ],
)
def test_a_mapping_file_that_is_none_is_said(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(text)
    with pytest.raises(CommandError, match=why) as raised:
        user_mapping((), (), str(file))
    assert str(raised.value).startswith(f"{file}: ")


@pytest.mark.parametrize("word", ["$20,000 to $39,999", "a=b", "20KEUR,", "Mittel"])
def test_a_case_in_a_mapping_file_may_hold_any_character(tmp_path: Path, word: str) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(f'[levels]\n"{word}" = "Middle"\n')
    [level] = user_mapping((), (), str(file)).levels
    assert (level.case, level.level) == (word, "Middle")
    assert level_of(word.lower(), (level,)) == "Middle"


@pytest.mark.parametrize("template", ["{first", "first}", "{first} {last", "'Sweden", "{}"])
def test_a_brace_or_quote_that_is_left_open_is_said(template: str) -> None:
    with pytest.raises(CommandError, match=r"full_name: .* is left open"):
        user_mapping([f"full_name={template}"], (), "")


@pytest.mark.parametrize(
    ("maps", "drops", "lacking"),
    [
        (["full_name={first} {row}", "age=c.d"], ["last"], ""),
        (["full_name=first", "age=Age"], [], "Age"),
        (["full_name={first} {lst}"], [], "lst"),
        ([], ["first", "Last"], "Last"),
        (["full_name="], [], ""),
    ],
)
def test_a_column_that_is_named_must_be_there(
    maps: list[str], drops: list[str], lacking: str
) -> None:
    assert user_mapping(maps, drops, "").lacking(ROW) == lacking


def test_of_templates_one_after_the_other_one_must_have_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text('[fields]\nfull_name = ["nick", "{first} {last}"]\nage = ["years", "Age"]\n')
    assert user_mapping((), (), str(file)).lacking(ROW) == "years"
    assert user_mapping((), (), str(file)).lacking({**ROW, "Age": 1}) == ""

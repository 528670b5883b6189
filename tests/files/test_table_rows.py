"""A broken row is refused with its place, and the others are read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from files.reading import numbered, rows, table

from persona_cli.files.inputs import InputFile
from persona_cli.files.json_lines import MAX_LINE
from persona_cli.files.looked_files import LookedFiles
from persona_cli.files.tables.kinds import Kind
from persona_cli.files.tables.table import FileError, Reading


def csv(*lines: str) -> bytes:
    return "\n".join(("a,b", *lines)).encode()


def test_a_row_has_the_number_of_its_first_line() -> None:
    found = numbered(csv('1,"x\ny"', "", " , ", "2,z"))
    assert found == [(2, {"a": "1", "b": "x\ny"}), (6, {"a": "2", "b": "z"})]


def test_rows_that_are_none_are_refused_alone() -> None:
    found = numbered(
        "a,b\nü,ß\n1\n1,2,3\n".encode() + b"1,\xff\n1,2,\n" + csv("x" * MAX_LINE, "3,4")[4:]
    )
    assert [number for number, row in found if isinstance(row, dict)] == [2, 6, 8]
    refused = {number: row for number, row in found if isinstance(row, str)}
    assert refused.keys() == {3, 4, 5, 7}
    assert refused[3].startswith("has 1 cell,")
    assert refused[4].startswith("has 3 cells")
    assert "--encoding" in refused[5]
    assert "too long" in refused[7]


def test_an_open_quote_takes_no_other_row() -> None:
    for count in (100, 20_000):  # closed nowhere, and not within what a row may have
        lines = [f"{i},answer {i}" for i in range(count)]
        lines[10] = '10,"It lasts'
        found = numbered(csv(*lines))
        assert [number for number, _ in found] == list(range(2, count + 2))
        assert [number for number, row in found if isinstance(row, str)] == [12]
    lines = [f"{i},answer {i}" for i in range(100)]
    lines[10], lines[50] = '10,"It lasts', '50,"so, far"'
    refused = [row for _, row in numbered(csv(*lines)) if isinstance(row, str)]
    assert len(refused) == 1
    assert "up to line 52" in refused[0]


def test_a_file_of_open_quotes_ends_in_one_error() -> None:
    """Each line opens a quote and closes that of the line before, so each is read as a row."""
    with pytest.raises(FileError, match="too many quotes that are not closed"):
        numbered(csv(*['a","'] * 200_000))


def test_many_columns_take_no_longer_for_each() -> None:
    names = [f"c{i}" for i in range(60_000)]
    assert numbered(",".join(names).encode() + b"\n") == []
    with pytest.raises(FileError, match="same name: c7"):
        numbered(",".join([*names, "c7"]).encode() + b"\n")


def test_to_say_what_is_wrong_with_an_item_those_long_past_are_not_looked_at() -> None:
    count, item = 1500, b'{"' + b"x" * 600 + b'"}'
    found = numbered(b"[" + (item + b",") * count + b"{}]")
    assert [number for number, row in found if not isinstance(row, str)] == [count + 1]
    columns = [int(re.findall(r"column (\d+)", row)[0]) for _, row in found[:count]]
    assert max(columns) < 70_000


def test_of_a_file_that_begins_badly_little_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "people.jsonl"
    path.write_text("{broken\n" * 20_000 + '{"full_name": "Eva"}\n')
    file, files = InputFile(str(path)), LookedFiles(Reading())
    looked = files.look(file)
    assert looked.rows[-1] == (20_001, {"full_name": "Eva"})
    assert len(looked.rows) < 1000
    assert sum(1 for _ in files.rows(file, looked, lambda _: None)) == 20_001


def test_files_that_were_joined_are_read_as_their_parts() -> None:
    """As `cat` joins them: with a byte order mark where each begins, and its column names."""
    mark = "\ufeff".encode()
    table = b'"name","note"\n"Lind, Eva","x"\n'
    eva, why = {"name": "Lind, Eva", "note": "x"}, "repeats the names of the columns"
    assert numbered((mark + table) * 2) == [(2, eva), (3, why), (4, eva)]
    assert rows(mark + table + mark + b'"Lind, Eva","x"\n') == [eva, eva]
    assert rows((mark + b'{"name": "Eva"}\n') * 2) == [{"name": "Eva"}] * 2


def test_columns_without_names_are_told_by_their_place_or_are_none() -> None:
    assert rows(b",name,\n0,Mira,\n") == [{"column 1": "0", "name": "Mira"}]
    assert rows(b"name\nA teacher, who keeps bees\n") == [{"name": "A teacher, who keeps bees"}]


def test_the_delimiter_is_the_one_that_fits_all_lines() -> None:
    assert rows(b"name, first;note\nMira;a,b,c\nJon;d\n") == [
        {"name, first": "Mira", "note": "a,b,c"},
        {"name, first": "Jon", "note": "d"},
    ]
    assert rows(b"a;b\n0,5;1,5\n") == [{"a": "0,5", "b": "1,5"}]


def test_lines_of_json_are_refused_one_by_one() -> None:
    raw = b'{bad\n\n{"a":1}\n[1]\n{"a":1,"a":2}\n{"a":"\xff"}\n{"a":NaN}\n{"a":2}'
    found = dict(numbered(raw))
    assert (found[3], found[8]) == ({"a": 1}, {"a": 2})
    starts = {
        1: "is not JSON",
        4: "is not a JSON object",
        5: "repeats",
        6: "is not UTF-8",
        7: "con",
    }
    assert all(found[number].startswith(why) for number, why in starts.items())
    assert len(found) == 7


def test_items_of_an_array_are_refused_one_by_one() -> None:
    found = dict(
        numbered(b'[{"a":1},\n 7, {"a":1,"a":2}, {"a":1,}, {"a":NaN}, {"a":"\xff"}, {"a":2}]')
    )
    assert (found[1], found[7]) == ({"a": 1}, {"a": 2})
    assert found[2] == "is not a JSON object"
    assert found[4].startswith("is not JSON: ")
    assert found[6] == "is not UTF-8"
    assert len(found) == 7


def test_a_large_array_is_read_piece_by_piece() -> None:
    person = {"name": "Jürgen", "note": "x" * 1000}
    for head, tail in (("[", "]"), ('{"version": "1", "folk": [', '], "more": {}}')):
        raw = (head + ",\n".join([json.dumps(person)] * 5000) + tail).encode()
        read = table(raw)
        assert next(read.rows) == (1, person)
        assert sum(row == person for _, row in read.rows) == 4999


LARGE = [{"full_name": f"{i}", "bio": "b" * 300} for i in range(4000)]  # more than a head holds
BESIDE: dict[str, Any] = {"tags": ["x", "y"], "meta": {"n": [{"a": 1}]}, "none": []}


@pytest.mark.parametrize("name", ["personas", "responses", "folk"])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("is_pipe", [False, True])
def test_a_large_object_is_read_past_what_holds_no_rows(
    name: str, indent: int | None, is_pipe: bool
) -> None:
    raw = json.dumps({**BESIDE, name: LARGE, "end": 1}, indent=indent).encode()
    found = table(raw, is_pipe=is_pipe)
    assert [row for _, row in found.rows] == LARGE
    assert found.kind == Kind.LARGE_JSON


def test_of_two_lists_of_a_large_object_one_has_to_be_named() -> None:
    raw = json.dumps({"drafts": LARGE[:2], "personas": LARGE}).encode()
    with pytest.raises(FileError, match='"drafts", which was read, and "personas": --member'):
        list(table(raw).rows)
    assert [row for _, row in table(raw, Reading(member="personas")).rows] == LARGE
    with pytest.raises(FileError, match='has no list "people"'):
        list(table(raw, Reading(member="people")).rows)


@pytest.mark.parametrize("end", [b"", b"}}", b"} more"])
def test_a_large_object_without_its_end_or_with_more_is_no_json(end: bytes) -> None:
    raw = json.dumps({"personas": LARGE}).encode().removesuffix(b"}") + end
    with pytest.raises(FileError, match="cut off, or more follows"):
        list(table(raw).rows)


@pytest.mark.parametrize("name", ["personas", "responses"])
def test_an_object_on_one_line_is_the_same_in_a_pipe(name: str) -> None:
    raw = json.dumps({name: LARGE[:300]}).encode()  # more than comes at once
    for is_pipe in (False, True):
        assert [row for _, row in table(raw, is_pipe=is_pipe).rows] == LARGE[:300]


def test_what_holds_one_list_is_no_row_and_what_has_more_is() -> None:
    person = {"name": "x", "persona": {"traits": ["a"]}, "faculties": [{"type": "y"}]}
    assert rows(json.dumps(person).encode()) == [person]
    assert rows(json.dumps({"n": 1, "folk": [person]}).encode()) == [person]


@pytest.mark.parametrize("member", ["", "folk"])
def test_lines_with_a_list_in_each_are_rows_however_they_come(member: str) -> None:
    """The first line of a pipe does not tell whether it is alone."""
    lines = [{"name": name, "folk": [{"name": f"{name}'s"}]} for name in ("A", "B")]
    raw = [json.dumps(line).encode() + b"\n" for line in lines]
    for most in (len(raw[0]), len(raw[0]) - 1, 1 << 16):
        found = table(b"".join(raw), Reading(member=member), is_pipe=True, most=most)
        assert (found.kind, [row for _, row in found.rows]) == (Kind.JSON_LINES, lines)
    alone = table(raw[0], Reading(member=member), is_pipe=True)
    assert (alone.kind, [row for _, row in alone.rows]) == (Kind.JSON, lines[0]["folk"])

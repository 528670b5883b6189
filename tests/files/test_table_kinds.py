"""What a file is, is found by its content; each kind gives the same rows."""

import io
import json
import math
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from datetime import UTC, date, datetime
from encodings.aliases import aliases
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pyarrow
import pytest
import yaml
import zstandard
from files.reading import PEOPLE, as_csv, as_lines, as_texts, numbered, rows, table, zipped
from pyarrow import parquet

from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.kinds import Kind
from persona_cli.files.tables.table import FileError, Reading


def as_excel(*sheets: tuple[str, list[list[Any]]], hidden: str = "") -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, lines in sheets:
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
        sheet.sheet_state = "hidden" if name == hidden else "visible"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def as_parquet(people: list[dict[str, Any]]) -> bytes:
    written = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(people), written)
    return written.getvalue()


PRETTY = json.dumps(PEOPLE, indent=2, ensure_ascii=False).encode()
SHEET = ("people", [list(PEOPLE[0]), *(list(one.values()) for one in PEOPLE)])
TYPED = {
    "JSON lines": as_lines(),
    "JSON lines, one": as_lines().splitlines()[0],
    "JSON, pretty": PRETTY,
    "JSON, one line": json.dumps(PEOPLE).encode(),
    "JSON, wrapped": json.dumps({"version": 3, "personas": PEOPLE}).encode(),
    "JSON, wrapped in another word": json.dumps({"at": "x", "folk": PEOPLE}, indent=1).encode(),
    "JSON, one after the other": b"\n".join(json.dumps(one, indent=2).encode() for one in PEOPLE),
    "JSON, in one line": b"".join(json.dumps(one).encode() for one in PEOPLE),
    "JSON, a comma behind each": b"".join(json.dumps(one).encode() + b",\n" for one in PEOPLE),
    "JSON, with a mark": b"\xef\xbb\xbf" + PRETTY,
    "JSON, UTF-16": PRETTY.decode().encode("utf-16"),
    "YAML": yaml.safe_dump(PEOPLE, allow_unicode=True).encode(),
    "YAML, wrapped": yaml.safe_dump({"personas": PEOPLE}).encode(),
    "YAML, documents": yaml.safe_dump_all(PEOPLE).encode(),
    "Excel": as_excel(SHEET),
    "Parquet": as_parquet(PEOPLE),
}


@pytest.mark.parametrize("pack", [bytes, zipped, zstandard.compress], ids=["", "gzip", "zstd"])
@pytest.mark.parametrize("kind", TYPED)
@pytest.mark.parametrize("is_pipe", [False, True], ids=["file", "pipe"])
def test_each_kind_gives_the_same_rows(kind: str, pack: Any, is_pipe: bool) -> None:
    raw = TYPED[kind]
    read = table(pack(raw), is_pipe=is_pipe)
    assert read.kind.startswith(kind.partition(",")[0])
    assert [row for _, row in read.rows] == PEOPLE[: 1 if kind.endswith(", one") else 2]


def test_a_formula_without_its_result_is_refused_and_one_with_it_is_read() -> None:
    """Programs that don't calculate write such ones. A result may be an empty text."""
    names, cells = ["name", "age"], ("=20+1", "=20+2", '=""', "=1/0", None)
    raw = as_excel(("people", [names, *([f"{i}", cell] for i, cell in enumerate(cells))]))
    result = b"</f><v /></c>"
    calculated = changed(
        raw,
        (b'<c r="B3"><f>20+2' + result, b'<c r="B3"><f>20+2</f><v>22</v></c>'),
        (b'<c r="B4"><f>""' + result, b'<c r="B4" t="str"><f>""' + result),
        (b'<c r="B5"><f>1/0' + result, b'<c r="B5" t="e"><f>1/0</f><v>#DIV/0!</v></c>'),
    )
    first, *others = [row for _, row in table(calculated).rows]
    assert isinstance(first, LineError)
    assert str(first) == "age is a formula without its result: save it calculated"
    assert first.source == '{"age":"=20+1"}'
    assert isinstance(broken := others.pop(2), LineError)
    assert str(broken) == "age is the error #DIV/0!: mend or empty the cell"
    assert others == [{"name": i, "age": age} for i, age in (("1", 22), ("2", ""), ("4", ""))]


def test_a_cell_that_could_not_be_computed_is_refused_and_a_text_like_it_is_read() -> None:
    """As #N/A is where a sheet was looked up in another one, and then pasted as values."""
    raw = as_excel(("people", [["name", "age"], ["a", 1], ["b", "#REF!"], ["c", "x"]]))
    broken = changed(raw, (b'<c r="B2" t="n"><v>1</v>', b'<c r="B2" t="e"><v>#N/A</v>'))
    with_text = changed(broken, (b'<c r="B3" t="e"><v>#REF!', b'<c r="B3" t="str"><v>#REF!'))
    first, second, third = [row for _, row in table(with_text).rows]
    assert isinstance(first, LineError)
    assert (str(first), first.source) == (
        "age is the error #N/A: mend or empty the cell",
        '{"age":"#N/A"}',
    )
    assert (second, third) == ({"name": "b", "age": "#REF!"}, {"name": "c", "age": "x"})


def test_a_text_without_quotes_stays_one_in_yaml() -> None:
    """As a country, a code or an hour is, of which YAML 1.1 makes something else."""
    texts = {"country": "NO", "zip": "01234", "opens": "9:30", "on": "yes", "born": "2001-02-03"}
    others = {"age": 41, "income": 1.5, "is": True, "note": None, "empty": None}
    lines = "".join(f"{key}: {value}\n" for key, value in texts.items())
    raw = f"{lines}age: 41\nincome: 1.5\nis: true\nnote: null\nempty:\n".encode()
    assert rows(raw) == [texts | others]
    assert rows(b"- &a\n  x: 1\n- <<: *a\n  y: 2\n") == [{"x": 1}, {"x": 1, "y": 2}]


def test_of_numbers_that_json_has_not_no_more_than_nan_is_lost() -> None:
    values = [math.inf, -math.inf, math.nan, 1.0]
    raw = as_parquet([{"n": value, "all": values} for value in values])
    told = ["Infinity", "-Infinity", None, 1]
    alone = ["Infinity", "-Infinity", "", 1]
    assert rows(raw) == [{"n": value, "all": told} for value in alone]


def changed(workbook: bytes, *changes: tuple[bytes, bytes]) -> bytes:
    """Return a workbook with other texts in its first sheet."""
    written = io.BytesIO()
    with ZipFile(io.BytesIO(workbook)) as source, ZipFile(written, "w") as target:
        for name in source.namelist():
            raw = source.read(name)
            if name.endswith("sheet1.xml"):
                for before, after in changes:
                    assert before in raw, raw
                    raw = raw.replace(before, after)
            target.writestr(name, raw)
    return written.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "mac"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_each_dialect_of_a_spreadsheet_gives_the_same_rows(
    delimiter: str, end: str, encoding: str
) -> None:
    for raw in (as_csv(delimiter, end), f"sep={delimiter}{end}{as_csv(delimiter, end)}"):
        assert rows(raw.encode(encoding)) == as_texts()


@pytest.mark.parametrize("number", [*range(1, 9), *range(14, 32), 127, 0x85, 0x2028])
def test_a_text_may_hold_control_characters(number: int) -> None:
    """`persona export` writes those of narratives as they are."""
    found = rows(f"Name,Note\nMira é,a{chr(number)}b\n".encode())
    assert found == [{"Name": "Mira é", "Note": f"a{chr(number)}b"}]


@pytest.mark.parametrize("number", [0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029])
def test_what_parts_lines_for_python_alone_is_within_a_column_name(number: int) -> None:
    name = f"Name{chr(number)}"
    assert rows(f"{name};a,Note\nd;e,c\n".encode()) == [{f"{name};a": "d;e", "Note": "c"}]


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029"])  # others are escapes in JSON
@pytest.mark.parametrize("is_pipe", [False, True])
def test_what_parts_lines_for_python_alone_parts_none_of_json(mark: str, is_pipe: bool) -> None:
    people = [{"note": f"a{mark}b"}, {"note": "c"}]
    lines = [json.dumps(one, ensure_ascii=False) for one in people]
    for line in (lines[0], f'{{"note": "x{mark}{{y"'):  # a good one, and one that has no end
        found = table("\n".join((line, lines[1])).encode(), is_pipe=is_pipe)
        assert found.kind == Kind.JSON_LINES
        assert [row for _, row in found.rows if isinstance(row, dict)][-1] == people[1]
    assert rows(lines[0].encode(), is_pipe=is_pipe) == people[:1]


@pytest.mark.parametrize("raw", [b"Name\na\0b\n", b"Name\n\xe9\x02\n", b"a\x01\x02\n"])
def test_what_is_no_text_is_refused(raw: bytes) -> None:
    with pytest.raises(FileError, match="binary file"):
        rows(raw)


def test_an_encoding_is_found_or_said() -> None:
    text = "Name;Ort\nJürgen;Köln\n"
    found = table(text.encode("cp1252"))
    assert (found.note, [row for _, row in found.rows]) == (
        "; between cells, read as cp1252",
        [{"Name": "Jürgen", "Ort": "Köln"}],
    )
    assert rows("Name\né 😀\n".encode()) == [
        {"Name": "é 😀"}
    ]  # which ends within a file's last bytes
    said = rows("Имя,Город\nМира,Псков\n".encode("cp1251"), Reading(encoding="windows-1251"))
    assert said == [{"Имя": "Мира", "Город": "Псков"}]


@pytest.mark.parametrize("raw", [b"a,b\n1,\xe9\n", b"\\x\n\xff\n", b'[{"a": "\xff"}]'])
def test_what_is_said_to_be_an_encoding_is_one_or_an_error(raw: bytes) -> None:
    others = ("utf-99", "a\0b", "idna", "punycode", "undefined", "raw_unicode_escape")
    for encoding in (*others, *sorted(set(aliases.values()))):
        read: list[object] = []
        with suppress(FileError):
            read += table(raw, Reading(encoding=encoding)).rows
        assert read or encoding not in ("utf_8", "latin_1", "cp1252")


def test_values_of_libraries_are_those_of_json() -> None:
    day, moment = date(2026, 3, 1), datetime(2026, 3, 1, 9, 30)
    excel = as_excel(
        ("s", [["a", "b", "c", "d", "e"], [47.0, 0.5, moment, datetime(2026, 3, 1), None]])
    )
    assert rows(excel) == [
        {"a": 47, "b": 0.5, "c": "2026-03-01T09:30:00", "d": "2026-03-01", "e": ""}
    ]
    nested = {
        "a": None, "b": float("nan"), "c": day, "d": moment.replace(tzinfo=UTC), "e": ["x"],
        "f": {"g": [1.5, None]}, "h": b"text", "i": b"\xff\xfe", "j": b"\2\0", "k": True,
    }  # fmt: skip
    assert rows(as_parquet([nested])) == [
        {
            "a": "", "b": "", "c": "2026-03-01", "d": "2026-03-01T09:30:00+00:00", "e": ["x"],
            "f": {"g": [1.5, None]}, "h": "text", "i": "//4=", "j": "AgA=", "k": True,
        }
    ]  # fmt: skip
    assert rows(b"- born: 2026-03-01\n  7: x\n") == [{"born": "2026-03-01", "7": "x"}]


def test_a_sheet_is_named_and_rows_are_numbered_as_it_shows_them() -> None:
    book = as_excel(
        ("first", [["a"], ["1"]]), ("second", [[], ["a", None, "c"], [], ["2", None, 3]])
    )
    assert rows(book) == [{"a": "1"}]
    second = table(book, Reading(sheet="second"))
    assert (second.unit, list(second.rows)) == ("row", [(4, {"a": "2", "column 2": "", "c": 3})])
    with pytest.raises(FileError, match="first, second"):
        rows(book, Reading(sheet="third"))


def test_the_first_sheet_is_one_that_is_shown_and_holds_something() -> None:
    sheets = ("lists", [["a"], ["1"]]), ("people", [["a"], ["2"]])
    assert rows(as_excel(*sheets, hidden="lists")) == [{"a": "2"}]
    assert rows(as_excel(*sheets, hidden="lists"), Reading(sheet="lists")) == [{"a": "1"}]
    with pytest.raises(FileError, match=r'nothing in its sheet "notes"; .*: lists, people'):
        rows(as_excel(("notes", [[], [" "]]), *sheets))
    assert rows(as_excel(("notes", []))) == []


def enlarged(workbook: bytes, part: str, end: bytes, mebibytes: int) -> bytes:
    """Return a workbook with so much text in front of the last such tag of a part."""
    written = io.BytesIO()
    with ZipFile(io.BytesIO(workbook)) as source, ZipFile(written, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            before, tag, after = source.read(name).rpartition(end)
            with target.open(name, "w") as file:
                file.write(before)
                for _ in range(mebibytes if name == part else 0):
                    file.write(b"a" * (1 << 20))
                file.write(tag + after)
    return written.getvalue()


@pytest.mark.parametrize(
    ("part", "end", "mebibytes", "why"),
    [
        ("xl/styles.xml", b"</styleSheet>", 260, "more than 256 MiB beside its cells"),
        ("xl/worksheets/sheet1.xml", b"</t>", 100, "longer than any can be"),
    ],
)
def test_a_small_workbook_of_huge_texts_is_refused_and_takes_no_memory(
    part: str, end: bytes, mebibytes: int, why: str
) -> None:
    raw = enlarged(as_excel(SHEET), part, end, mebibytes)
    assert len(raw) < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=why):
            rows(raw)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_row_of_a_workbook_with_a_number_beyond_all_ends_it() -> None:
    raw = changed(as_excel(SHEET), (b'<row r="3"', b'<row r="2000000000"'))
    with pytest.raises(FileError, match="rows beyond the 1048576"):
        rows(raw)


def test_what_zstd_makes_of_little_is_taken_piece_by_piece() -> None:
    raw = zstandard.compress(b"a,b\n" + b"1,2\n" * (64 << 20))
    read = table(raw).rows
    tracemalloc.start()
    try:
        assert next(read) == (2, {"a": "1", "b": "2"})
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_blank_cell_of_a_workbook_is_none_and_a_control_character_is_itself() -> None:
    lines: list[list[Any]] = [
        ["a", "b"],
        ["1", " ", None, " "],
        [" "],
        ["2", "so_x000D_\n_x0007_ _x0041_"],
    ]
    assert numbered(as_excel(("s", lines))) == [
        (2, {"a": "1", "b": " "}),
        (4, {"a": "2", "b": "so\r\n\a _x0041_"}),
    ]


def test_yaml_merges_what_another_object_has() -> None:
    raw = b"- &a {age: 1, pet: cat}\n- {<<: *a, pet: dog}\n- {<<: *a, <<: *a, age: 2}\n"
    assert rows(raw) == [
        {"age": 1, "pet": "cat"}, {"age": 1, "pet": "dog"}, {"age": 2, "pet": "cat"},
    ]  # fmt: skip


def test_yaml_that_merges_over_and_over_does_not_grow() -> None:
    """In libraries that take each merge anew 12 lines are as many members as memory may hold."""
    lines = [b"- &a0 {name: Ada, age: 36}"]
    for i in range(12):
        lines.append(b"- &a%d {<<: [%s]}" % (i + 1, b", ".join([b"*a%d" % i] * 8)))
    assert rows(b"\n".join(lines)) == [{"name": "Ada", "age": 36}] * 13


def test_a_member_can_be_named() -> None:
    raw = json.dumps({"shops": [{"a": 1}], "folk": [{"b": 2}]}).encode()
    assert rows(raw) == [json.loads(raw)]
    assert rows(raw, Reading(member="folk")) == [{"b": 2}]
    two = json.dumps({"personas": [{"a": 1}], "results": [{"b": 2}], "name": "x"}).encode()
    with pytest.raises(FileError, match='two lists of objects, "personas" and "results": --member'):
        rows(two)
    assert rows(two, Reading(member="results")) == [{"b": 2}]
    with pytest.raises(FileError, match='no list "crowd"'):
        rows(raw, Reading(member="crowd"))
    assert rows(b"shops: [{a: 1}]\nfolk: [{b: 2}]\n", Reading(member="folk")) == [{"b": 2}]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"%PDF-1.7 \n\x00\x01", "PDF"),
        (b"\x89PNG\r\n\x1a\n\x00", "picture"),
        (b"SQLite format 3\x00" + bytes(100), "SQLite"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", r"\.xls"),
        (b"<!doctype html><p>", "HTML"),
        (b"PK\x03\x04 not an archive", "an archive or workbook that"),
        (b"PAR1 not a table", "Parquet"),
        (b"\x01\x02\x03\x04" * 100, "binary"),
        (zipped(as_lines() * 9)[:-20], "cut off"),
        (zstandard.compress(b"\x01\x00binary"), "binary"),
        (b"a,a\n1,2\n", "same name: a"),
        (b"key: [unclosed\n", "YAML that can"),
        (
            b"a1: &a1 [1]\n"
            + b"".join(b"a%d: &a%d [*a%d,*a%d]\n" % (i + 1, i + 1, i, i) for i in range(1, 40)),
            "aliases",
        ),
        (b"--- &a [*a]\n", "aliases"),
        (b"- age: 1\n- pet: {a: 1}\n  age: 2\n  pet: 3\n", r'repeats the key "pet".* \(line 4\)'),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else "",
)
def test_what_is_no_table_is_one_error(raw: bytes, why: str) -> None:
    with pytest.raises(FileError, match=why):
        rows(raw)


def test_what_is_cut_off_gives_what_was_before() -> None:
    raw = zstandard.compress(as_lines() * 100_000)
    read = table(raw[: len(raw) // 2]).rows
    assert next(read) == (1, PEOPLE[0])
    with pytest.raises(FileError):
        list(read)


@pytest.mark.parametrize(
    "raw", [b"", b"\n \n", b"\x0b", b"\xe2\x80\xa8", b"\xef\xbb\xbf", zipped(b""), b"[]", b"a,b\n"]
)
def test_an_empty_file_has_no_rows(raw: bytes) -> None:
    assert rows(raw) == []


@pytest.mark.parametrize(
    ("kind", "module"), [("Excel", "openpyxl"), ("Parquet", "pyarrow"), ("YAML", "yaml")]
)
def test_without_its_library_a_kind_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, kind: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(FileError, match=r"pip install 'persona-client\[formats\]'"):
        rows(TYPED[kind])
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(FileError, match=r"pip install 'persona-client\[formats\]'"):
        rows(zstandard.compress(b"a,b\n"))


def test_libraries_are_imported_when_a_file_needs_them() -> None:
    named = ("openpyxl", "pyarrow", "yaml", "zstandard")
    look = f"import sys, persona_cli; print([name for name in {named} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

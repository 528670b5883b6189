"""Checks of single values, and the folding that filters compare by."""

import unicodedata

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from persona_server.validation import fields
from persona_server.validation.limits import MAX_MARKS
from persona_server.validation.violations import MAX_VIOLATIONS, Violations, found_by


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        ("Female", "female"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("ẞ", "ss"),
        ("ﬁ", "fi"),
        ("ﬃ", "ffi"),
        ("ＦＵＬＬ", "full"),
        ("İ", "i\u0307"),
        ("ı", "ı"),
        ("Σίσυφος", "σίσυφοσ"),
        ("e\u0301", "é"),
        ("²", "2"),
        ("Ǆ", "dž"),
        ("\u1e9b\u0323", "ṩ"),
        ("100%_*\\", "100%_*\\"),
        ("  two  spaces ", "  two  spaces "),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fields.fold(text) == folded


@pytest.mark.parametrize("text", ["ΐ", "ŉ", "ﬅ", "Ａ\u0300", "ᾳ", "ﷺ", "Ω", "𝒜𝓑", "a\u0315\u0300"])
def test_fold_is_stable_and_normal(text: str) -> None:
    folded = fields.fold(text)
    assert fields.fold(folded) == folded
    assert unicodedata.is_normalized("NFKC", folded)


def test_ascii_takes_a_short_way_to_the_same_end() -> None:
    text = "".join(map(chr, range(128)))
    long = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    assert fields.fold(text) == long


def problems(check: object, *arguments: object, **named: object) -> int:
    found = Violations()
    check(found, "f", *arguments, **named)  # type: ignore[operator]
    assert all(each.field == "f" for each in found)
    return len(found)


GOOD = "0190b5a4-7c3e-7b1a-8f00-0123456789ab"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (GOOD, True),
        (GOOD.upper(), True),
        ("00000000-0000-0000-0000-000000000000", True),
        (GOOD.replace("-", ""), False),
        ("{" + GOOD + "}", False),
        ("urn:uuid:" + GOOD, False),
        (GOOD + "\n", False),
        (" " + GOOD, False),
        (GOOD[:-1], False),
        (GOOD + "0", False),
        (GOOD[:-1] + "g", False),
        (GOOD[:-1] + "٣", False),  # a digit of another script
        ("0190b5a47-c3e-7b1a-8f00-0123456789ab", False),
    ],
)
def test_uuid(text: str, good: bool) -> None:
    assert problems(fields.check_uuid, text, required=True) == (not good)
    assert problems(fields.check_uuid, text, required=False) == (not good)


def test_uuid_may_be_absent_where_it_is_not_required() -> None:
    assert problems(fields.check_uuid, "", required=True) == 1
    assert problems(fields.check_uuid, "", required=False) == 0


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("x" * 10, 0),
        ("🙂" * 10, 0),  # characters, not bytes
        ("x" * 11, 1),
        ("a\0", 1),
        ("a\nb", 1),
        ("a\tb", 1),
        ("a\x7f", 1),
        ("a\x85", 1),
        ("a\u00a0b\u2003", 0),  # spaces of other kinds are no control characters
        ("a\u200db", 0),
        ("\n" * 11, 1),  # what is too long is not looked at
    ],
)
def test_line(text: str, count: int) -> None:
    assert problems(fields.check_line, text, 10) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x" * 10, 0),
        ("x" * 11, 1),
        ("é" * 5, 0),  # bytes, not characters
        ("é" * 6, 1),
        ("a\nb\t", 0),
        ("a\0", 1),
        ("\0" * 11, 1),  # what is too long is not looked at
    ],
)
def test_text(text: str, count: int) -> None:
    assert problems(fields.check_text, text, 10) == count


@pytest.mark.parametrize(("seconds", "nanos", "left"), [(0, 0, 0), (1, 1999, 1000), (1, 999, 0)])
def test_time_is_cut_to_microseconds(seconds: int, nanos: int, left: int) -> None:
    time = Timestamp(seconds=seconds, nanos=nanos)
    assert problems(fields.check_time, time) == 0
    assert (time.seconds, time.nanos) == (seconds, left)


@pytest.mark.parametrize(
    ("seconds", "nanos", "good"),
    [
        (-1, 0, False),
        (-1, 999_999_999, False),
        (0, -1, False),
        (0, 1_000_000_000, False),
        (253_402_300_799, 999_999_999, True),
        (253_402_300_800, 0, False),
    ],
)
def test_time_is_of_the_years_1970_to_9999(seconds: int, nanos: int, good: bool) -> None:
    time = Timestamp(seconds=seconds, nanos=nanos)
    assert problems(fields.check_time, time) == (not good)


def test_folding_can_lengthen_a_text() -> None:
    assert problems(fields.check_filterable, "ﷺ" * 7, 64, 256) == 0  # 18 characters, 33 bytes each
    assert problems(fields.check_filterable, "ﷺ" * 8, 64, 256) == 1


@pytest.mark.parametrize("mark", ["\u0301", "\u0344", "\u0f73", "\uff9e"])
def test_marks_in_a_row(mark: str) -> None:
    """More would take long to put in order; between other characters there may be many."""
    some = "x" * 30 + mark * MAX_MARKS
    assert problems(fields.check_filterable, some * 5, 255, 1020) == 0
    assert problems(fields.check_filterable, some + mark, 255, 1020) == 1


def test_no_other_character_is_made_of_marks() -> None:
    """Else a row of them would be one of marks once they are folded."""
    for text in map(chr, (*range(0xD800), *range(0xE000, 0x110000))):
        if unicodedata.combining(unicodedata.normalize("NFKC", text)[0]):
            row = text * (MAX_MARKS + 21)
            assert problems(fields.check_filterable, row, 255, 1020) == 1, ascii(text)


@pytest.mark.parametrize(
    ("items", "count"),
    [
        ([], 0),
        (["a", "b\u00a0c", "x" * 10], 0),
        (["a", " ", ""], 2),
        (["x" * 11, " " * 11], 2),
        (["a\u00a0", "a\n"], 1),
        (["\n"], 2),  # blank, and not a line
        ([" "] * 30, MAX_VIOLATIONS),
    ],
)
def test_items(items: list[str], count: int) -> None:
    found = found_by(lambda found: fields.check_items(found, "f", items, 10))
    assert len(found) == count
    assert all(items[int(each.field[2:-1])] not in ("a", "b\u00a0c", "x" * 10) for each in found)


def test_what_is_too_long_is_neither_blank_nor_looked_at() -> None:
    assert problems(fields.check_name, " " * 256) == 1
    assert problems(fields.check_filterable, "\u0301" * 256, 255, 1020) == 1

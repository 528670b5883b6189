"""Checks of single values, and the folding that filters compare by."""

import unicodedata

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from persona_server.validation import fields
from persona_server.validation.violations import Violations


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

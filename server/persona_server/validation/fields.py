"""Checks of single values: each adds what is wrong to a list, and says how to mend it."""

import re
import unicodedata
from typing import Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from persona_server.validation.limits import LINES, MAX_AGE
from persona_server.validation.violations import Violation

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z


class AgeRange(Protocol):
    """A message with an age range in years: a persona group, or a request with filters."""

    age_min: int
    age_max: int


def check_uuid(found: list[Violation], path: str, value: str, *, required: bool) -> None:
    """An id is a UUID in 8-4-4-4-12 form, of any case."""
    if not value:
        if required:
            found.append(Violation(path, "is required and must be a UUID"))
    elif not UUID.fullmatch(value):
        found.append(Violation(path, "must be a UUID in the form 8-4-4-4-12 hexadecimal digits"))


def check_line(found: list[Violation], path: str, value: str, limit: int) -> None:
    """A one-line text has at most `limit` characters and no control characters."""
    if len(value) > limit:
        found.append(Violation(path, f"must have at most {limit} characters, has {len(value)}"))
    # isprintable() is the fast way to say "surely none"; it also refuses some harmless spaces.
    if not value.isprintable() and (bad := _CONTROL.search(value)):
        what = f"must not contain control characters (found U+{ord(bad[0]):04X})"
        found.append(Violation(path, what))


def check_text(found: list[Violation], path: str, value: str, limit: int) -> None:
    """A longer text has at most `limit` UTF-8 bytes and no NUL."""
    if len(value) * 4 > limit and (size := len(value.encode())) > limit:
        found.append(Violation(path, f"must have at most {limit} bytes of UTF-8, has {size}"))
    if "\0" in value:
        found.append(Violation(path, "must not contain NUL"))


def check_name(found: list[Violation], path: str, value: str, limit: int = LINES["name"]) -> None:
    """A name is a one-line text that is not blank."""
    if not value.strip():
        what = f"is required: 1 to {limit} characters that are not all spaces"
        found.append(Violation(path, what))
    check_line(found, path, value, limit)


def check_range(found: list[Violation], path: str, value: int, low: int, high: int) -> None:
    """A whole number lies within bounds."""
    if not low <= value <= high:
        found.append(Violation(path, f"must be {low} to {high}, is {value}"))


def check_ages(found: list[Violation], ages: AgeRange, prefix: str) -> None:
    """The bounds of an age range lie in 0 to 130, 0 being open, and the lower is not above."""
    check_range(found, f"{prefix}age_min", ages.age_min, 0, MAX_AGE)
    check_range(found, f"{prefix}age_max", ages.age_max, 0, MAX_AGE)
    check_age_order(found, ages, prefix)


def check_age_order(found: list[Violation], ages: AgeRange, prefix: str) -> None:
    """The lower bound of an age range is not above the upper one, unless that is open."""
    if 0 < ages.age_max < ages.age_min:
        found.append(Violation(f"{prefix}age_min", "must not be greater than age_max"))


def check_time(found: list[Violation], path: str, value: Timestamp) -> None:
    """A time lies in the years 1970 to 9999; what is finer than microseconds is cut off."""
    if not (0 <= value.seconds <= _LAST_SECOND and 0 <= value.nanos < 1_000_000_000):
        found.append(Violation(path, "must be a time in the years 1970 to 9999"))
    elif value.nanos % 1000:
        value.nanos -= value.nanos % 1000


def check_folded(found: list[Violation], path: str, value: str, limit: int) -> None:
    """A filterable text stays within `limit` UTF-8 bytes when folded: folding can lengthen it."""
    if not value.isascii() and (size := len(fold(value).encode())) > limit:
        what = f"must have at most {limit} bytes when case-folded for filters, has {size}"
        found.append(Violation(path, what))


def fold(value: str) -> str:
    """Return the NFKC case-folded form by which filters compare (Unicode, section 3.13, X5)."""
    if value.isascii():
        return value.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())

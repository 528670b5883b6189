"""Checks of single values: each adds what is wrong to a list, and says how to mend it."""

import re
import unicodedata
from collections.abc import Hashable, Iterable, Iterator, MutableSequence, Sequence
from typing import Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from persona_server.validation.limits import LINES, LONGEST_UTF8, MAX_AGE, MAX_MARKS
from persona_server.validation.remembering import remembered
from persona_server.validation.violations import Violations

ALL_GROUPS = "-"  # in place of a group's id, where those of a whole project are listed (AIP-159)
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UUID_LENGTH = 36
LOWER_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # a pattern
_UUIDS = re.compile(f"(?:{LOWER_UUID})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z
# The characters that are made of marks when folded, and are none themselves.
_HIDDEN_MARKS = re.compile("[\u0f73\u0f75\u0f81\uff9e\uff9f]")
_A_MARK = "\u0301"


class Ordered(Protocol):
    """A request for a list in one of several orders."""

    order_by: str


class AgeRange(Protocol):
    """A message with an age range in years: a persona group, or a request with filters."""

    age_min: int
    age_max: int


def are_uuids(values: Sequence[str]) -> bool:
    """Whether all values are UUIDs in lower case, as `check_uuid` returns them."""
    return (
        all(map(_UUID_LENGTH.__eq__, map(len, values)))
        and _UUIDS.fullmatch("".join(values)) is not None
    )


def check_uuid(found: Violations, path: str, value: str, *, required: bool) -> str:
    """An id is a UUID in 8-4-4-4-12 form, of any case. Returns it in lower case if it is one."""
    if UUID.fullmatch(value):
        return value.lower()
    if value:
        found.add(path, "must be a UUID in the form 8-4-4-4-12 hexadecimal digits")
    elif required:
        found.add(path, "is required and must be a UUID")
    return value


def check_ids(found: Violations, path: str, ids: MutableSequence[str], most: int) -> None:
    """A list of 1 to `most` ids names nothing twice. Normalises them as `check_uuid` does."""
    if not 1 <= len(ids) <= most:
        found.add(path, f"must contain 1 to {most} ids, has {len(ids)}")
        return
    seen: dict[str, int] = {}
    for i, given in enumerate(ids):
        ids[i] = value = check_uuid(found, f"{path}[{i}]", given, required=True)
        if (first := seen.setdefault(value, i)) != i:
            found.add(f"{path}[{i}]", f"repeats {path}[{first}]")


def check_distinct(found: Violations, path: str, name: str, values: Sequence[str]) -> None:
    """No two items of the list at `path` have the same value of a field, but for ""."""
    given = list(filter(None, values))
    if len(set(given)) == len(given):
        return
    for i, first in repeated(values):
        if values[i]:
            found.add(f"{path}[{i}].{name}", f"repeats the {name} of {path}[{first}]")


def repeated(values: Iterable[Hashable]) -> Iterator[tuple[int, int]]:
    """Yield the place of each value that came before, and the first place where it did."""
    seen: dict[Hashable, int] = {}
    for i, value in enumerate(values):
        if (first := seen.setdefault(value, i)) != i:
            yield i, first


def check_line(found: Violations, path: str, value: str, limit: int) -> None:
    """A one-line text has at most `limit` characters and no control characters."""
    if len(value) > limit:  # and is not looked at
        found.add(path, f"must have at most {limit} characters, has {len(value)}")
    elif bad := control_in(value):
        found.add(path, f"must not contain control characters (found U+{ord(bad):04X})")


def control_in(text: str) -> str:
    """Return the first control character of a text, or ""."""
    # isprintable() is the fast way to say "surely none"; it also refuses some harmless spaces.
    found = None if text.isprintable() else _CONTROL.search(text)
    return found[0] if found else ""


def is_short(value: str, limit: int) -> bool:
    """Whether `check_text` would surely find nothing."""
    return len(value) * LONGEST_UTF8 <= limit and "\0" not in value


def check_text(found: Violations, path: str, value: str, limit: int) -> None:
    """A longer text has at most `limit` UTF-8 bytes and no NUL."""
    if len(value) * LONGEST_UTF8 > limit and (size := len(value.encode())) > limit:
        found.add(path, f"must have at most {limit} bytes of UTF-8, has {size}")
    elif "\0" in value:
        found.add(path, "must not contain NUL")


def check_name(found: Violations, path: str, value: str, limit: int = LINES["name"]) -> None:
    """A name is a one-line text that is not blank."""
    check_given(found, path, value, limit)
    check_line(found, path, value, limit)


def check_given(found: Violations, path: str, value: str, limit: int) -> None:
    """A text is not blank. One beyond its limit is not looked at: that is refused elsewhere."""
    if len(value) <= limit and not value.strip():
        what = "must not be blank" if value else "is required"
        found.add(path, f"{what}: 1 to {limit} characters that are not all spaces")


def check_items(found: Violations, path: str, items: Sequence[str], limit: int) -> None:
    """Each item of a list is a one-line text that is not blank. Their number is checked before."""
    if are_clean(items, limit):
        return
    for i, item in enumerate(items):
        if len(item) <= limit and not item.strip():
            found.add(f"{path}[{i}]", "must not be blank")
        check_line(found, f"{path}[{i}]", item, limit)


def are_clean(texts: Sequence[str], limit: int) -> bool:
    """Whether all are lines and none is blank, without a path for each: there may be a million."""
    printable = True
    for text in texts:
        if len(text) > limit or not text.strip():
            return False
        printable = printable and text.isprintable()
    return printable or not control_in("".join(texts))


def check_range(found: Violations, path: str, value: int, low: int, high: int) -> None:
    """A whole number lies within bounds."""
    if not low <= value <= high:
        found.add(path, f"must be {low} to {high}, is {value}")


def check_ages(found: Violations, ages: AgeRange, prefix: str) -> None:
    """The bounds of an age range lie in 0 to 130, 0 being open, and the lower is not above."""
    check_range(found, f"{prefix}age_min", ages.age_min, 0, MAX_AGE)
    check_range(found, f"{prefix}age_max", ages.age_max, 0, MAX_AGE)
    check_age_order(found, ages, prefix)


def check_age_order(found: Violations, ages: AgeRange, prefix: str) -> None:
    """The lower bound of an age range is not above the upper one, unless that is open."""
    if 0 < ages.age_max < ages.age_min:
        found.add(f"{prefix}age_min", "must not be greater than age_max")


def check_order(found: Violations, request: Ordered, names: Sequence[str]) -> str:
    """An order is by one of these names, up or down; "" is the list's own. Normalises it.

    Returns the name, "" where there is none.
    """
    if len(request.order_by) > LINES["order_by"]:
        check_line(found, "order_by", request.order_by, LINES["order_by"])
        return ""
    request.order_by = order_by = " ".join(request.order_by.split())
    name, _, direction = order_by.partition(" ")
    if order_by and (name not in names or direction not in ("", "desc")):
        what = f'must be one of {", ".join(names)}, optionally followed by " desc"'
        found.add("order_by", what)
        return ""
    return name


def check_time(found: Violations, path: str, value: Timestamp) -> None:
    """A time lies in the years 1970 to 9999; what is finer than microseconds is cut off."""
    if not (0 <= value.seconds <= _LAST_SECOND and 0 <= value.nanos < 1_000_000_000):
        found.add(path, "must be a time in the years 1970 to 9999")
    elif value.nanos % 1000:
        value.nanos -= value.nanos % 1000


def check_filterable(
    found: Violations, path: str, value: str, characters: int, folded: int
) -> None:
    """A text that filters compare with is a line, and stays within `folded` bytes when folded.

    Folding can lengthen a text, and puts marks in order in the square of their number in a row.
    """
    check_line(found, path, value, characters)
    if value.isascii() or len(value) > characters:
        return
    if fault := folding_fault(value, folded):
        found.add(path, fault)


@remembered  # most places, occupations and the like are those of many personas
def folding_fault(value: str, folded: int) -> str:
    """Return what is wrong with a text that is not long, once folded, or ""."""
    if len(value) > MAX_MARKS and _marks_in_a_row(value) > MAX_MARKS:
        return f"must not have more than {MAX_MARKS} combining marks in a row"
    if (size := len(fold(value).encode())) > folded:
        return f"must have at most {folded} bytes when case-folded for filters, has {size}"
    return ""


def _marks_in_a_row(text: str) -> int:
    """Return how many combining marks a text has without another character between them."""
    classes = bytes(map(unicodedata.combining, _HIDDEN_MARKS.sub(_A_MARK, text)))
    return max(map(len, classes.split(b"\0")))


def fold(value: str) -> str:
    """Return the NFKC case-folded form by which filters compare (Unicode, section 3.13, X5)."""
    return value.lower() if value.isascii() else _fold(value)


@remembered
def _fold(value: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())

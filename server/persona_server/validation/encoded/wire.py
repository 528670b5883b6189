"""The fields of an encoded message, told from its bytes without parsing what is in them."""

from collections.abc import Iterator
from typing import TypeAlias

LENGTH_DELIMITED, GROUP = 2, 3  # wire types
_VARINT, _FIXED = 0, {1: 8, 5: 4}  # the latter with their bytes
_LONGEST_VARINT = 10  # bytes


class MalformedError(ValueError):
    """The bytes are no message: where the next field begins can't be told."""


# A field as it stands in the bytes: its tag, and where it, its content and its end are. A group has
# no content: the fields in it follow as if they were outside.
Field: TypeAlias = tuple[int, int, int, int]


def fields(raw: bytes, start: int, end: int) -> Iterator[Field]:
    """Yield the fields of the message between two places. Raises MalformedError."""
    try:
        while start < end:
            tag, content = raw[start], start + 1
            if tag >= 0x80:  # seldom: see _varint
                tag, content = _varint(raw, start)
            if tag & 7 == LENGTH_DELIMITED:
                size, content = _varint(raw, content)
                stop = content + size
            else:
                stop = _end(raw, tag & 7, content)
            if stop > end:
                raise MalformedError
            yield tag, start, content, stop
            start = stop
    except IndexError:
        raise MalformedError from None


def _end(raw: bytes, kind: int, content: int) -> int:
    """Return where a field ends that has no length of its own."""
    if kind == _VARINT:
        return _varint(raw, content)[1]
    if kind == GROUP:
        return content
    if kind in _FIXED:
        return content + _FIXED[kind]
    raise MalformedError


def _varint(raw: bytes, start: int) -> tuple[int, int]:
    """Return the number at a place, and the place behind it. Raises IndexError."""
    value = raw[start]
    if value < 0x80:  # nearly always
        return value, start + 1
    value &= 0x7F
    for i in range(1, _LONGEST_VARINT):
        byte = raw[start + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, start + i + 1
    raise MalformedError

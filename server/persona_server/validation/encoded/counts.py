"""How many of what a message holds, counted in its bytes before it is parsed."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from persona_server.validation.encoded.wire import GROUP, Field, fields
from persona_server.validation.limits import COUNTS
from persona_server.validation.unknown import below, not_defined
from persona_server.validation.violations import MAX_VIOLATIONS, Violation

# A message of so many bytes is not looked into: however it is made, it is parsed in a millisecond.
SHORT = 16 << 10
# How often a field that is no list may come. The last one counts, and as a rule it is the only one.
_TIMES = 8
_UNKNOWN = 0  # no field has this number


class UnacceptableError(ValueError):
    """Bytes that are not parsed, and why."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(description)
        self.violation = Violation(field, description)


class KnownField(NamedTuple):
    """What is known of a field: its name, how often it may come, and what it holds."""

    name: str
    most: int
    message: Descriptor | None
    is_repeated: bool


# A long message in another one, to be looked into as well: its type, and where it stands.
Inner: TypeAlias = tuple[Descriptor, str]


def counted_fields(
    kind: Descriptor, raw: bytes, start: int, end: int, path: str
) -> Iterator[tuple[Field, Inner | None]]:
    """Yield the fields of the message between two places, up to the first that is too many.

    What is in a long message among them is not counted. Raises UnacceptableError, and
    MalformedError.
    """
    known = known_fields(kind)
    counts = dict.fromkeys((_UNKNOWN, *known), 0)
    for each in fields(raw, start, end):
        tag, _, content, stop = each
        number = tag >> 3 if tag >> 3 in known else _UNKNOWN
        counts[number] += 1
        inner = None
        if number == _UNKNOWN:
            if counts[number] >= MAX_VIOLATIONS or tag & 7 == GROUP:
                raise UnacceptableError(path or "request", not_defined(kind.full_name, tag >> 3))
        else:
            field, count = known[number], counts[number]
            if count > field.most:
                raise _too_many(path, field)
            if stop - content > SHORT and field.message is not None:
                index = f"[{count - 1}]" if field.is_repeated else ""
                inner = field.message, below(path, field.name + index)
        yield each, inner


def count_all(inner: Inner, raw: bytes, start: int, end: int) -> None:
    """Count what is in a long message, at whatever depth. Raises as counted_fields does."""
    kind, path = inner
    for (_, _, content, stop), deeper in counted_fields(kind, raw, start, end, path):
        if deeper is not None:
            count_all(deeper, raw, content, stop)


def _too_many(path: str, field: KnownField) -> UnacceptableError:
    if field.is_repeated:
        what = f"must contain at most {field.most} items"
    else:
        what = f"must not be sent more than {field.most} times in a message"
    return UnacceptableError(below(path, field.name), what)


@cache
def known_fields(kind: Descriptor) -> dict[int, KnownField]:
    """Return the fields of a message by their numbers. Raises KeyError for a list without limit."""
    return {field.number: _known_field(field) for field in kind.fields}


def _known_field(field: FieldDescriptor) -> KnownField:
    most = COUNTS[field.name] if field.is_repeated else _TIMES
    return KnownField(field.name, most, field.message_type, field.is_repeated)

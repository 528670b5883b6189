"""From bytes to a message at a bounded cost, whatever is in them.

The parser works in one go, in which nothing else of the process runs, and makes up to two hundred
bytes of one. So the items of a long message are counted, and parsed one by one.
"""

from typing import TypeVar, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from persona_server.validation.counts import (
    SHORT,
    UnacceptableError,
    counted_fields,
    known_fields,
)
from persona_server.validation.wire import LENGTH_DELIMITED, MalformedError

AnyMessage = TypeVar("AnyMessage", bound=Message)


def parse(kind: type[AnyMessage], raw: bytes) -> AnyMessage:
    """Return the message of these bytes. Raises UnacceptableError, naming the field.

    A long one is refused at the first count past its limit (`limits.COUNTS`), in whatever long
    message within it, before that is parsed.
    """
    try:
        return kind.FromString(raw) if len(raw) <= SHORT else _parsed_in_parts(kind, raw)
    except (DecodeError, MalformedError):
        what = f"is not a well-formed {kind.DESCRIPTOR.full_name}"
        raise UnacceptableError("request", what) from None


def _parsed_in_parts(kind: type[AnyMessage], raw: bytes) -> AnyMessage:
    """Parse the items of the message's lists one by one, and then the rest of it."""
    message, descriptor = kind(), cast(Descriptor, kind.DESCRIPTOR)
    lists = {
        number << 3 | LENGTH_DELIMITED: getattr(message, field.name)
        for number, field in known_fields(descriptor).items()
        if field.is_repeated and field.message is not None
    }
    rest = []
    for tag, start, content, end in counted_fields(descriptor, raw, 0, len(raw), ""):
        if tag in lists:
            lists[tag].add().MergeFromString(raw[content:end])
        else:
            rest.append(raw[start:end])
    message.MergeFromString(b"".join(rest))
    return message

"""From bytes to a message at a bounded cost, whatever is in them.

The parser works in one go, in which nothing else of the process runs, and makes up to two hundred
bytes of one. So the items of a long message are counted, and parsed a few at a time.
"""

from functools import cache
from typing import TypeVar, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from persona_server.validation.encoded.counts import (
    SHORT,
    UnacceptableError,
    count_all,
    counted_fields,
    known_fields,
)
from persona_server.validation.encoded.wire import LENGTH_DELIMITED, MalformedError

AnyMessage = TypeVar("AnyMessage", bound=Message)


def parse(kind: type[AnyMessage], raw: bytes) -> AnyMessage:
    """Return the message of these bytes. Raises UnacceptableError, naming the field.

    A long one is refused at the first count past its limit (`limits.COUNTS`), in whatever long
    message within it, before that is parsed.
    """
    try:
        if len(raw) <= SHORT:
            return kind.FromString(raw)
        message = kind()
        _parse_in_parts(message, raw, 0, len(raw), "")
    except (DecodeError, MalformedError):
        what = f"is not a well-formed {kind.DESCRIPTOR.full_name}"
        raise UnacceptableError("request", what) from None
    return message


def _parse_in_parts(message: Message, raw: bytes, start: int, end: int, path: str) -> None:
    """Parse a few fields at a time: as many as are short together, or one that is not.

    Long messages in it are parsed likewise, but for the items of lists.
    """
    descriptor = cast(Descriptor, message.DESCRIPTOR)
    singles = _single_messages(descriptor)
    begin = start
    for (tag, at, content, stop), inner in counted_fields(descriptor, raw, start, end, path):
        if inner is not None and tag in singles:
            # First what came before: of a oneof the last one stays.
            message.MergeFromString(raw[begin:at])
            single = getattr(message, singles[tag])
            single.SetInParent()
            _parse_in_parts(single, raw, content, stop, inner[1])
            begin = stop
            continue
        if inner is not None:
            count_all(inner, raw, content, stop)
        if stop - begin > SHORT and at > begin:
            message.MergeFromString(raw[begin:at])
            begin = at
    message.MergeFromString(raw[begin:end])


@cache
def _single_messages(descriptor: Descriptor) -> dict[int, str]:
    """Return the names of a message's messages that are no lists, by their tags."""
    return {
        number << 3 | LENGTH_DELIMITED: field.name
        for number, field in known_fields(descriptor).items()
        if field.message is not None and not field.is_repeated
    }

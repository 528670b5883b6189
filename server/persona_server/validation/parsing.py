"""From bytes to a message at a bounded cost, whatever is in them.

The parser works in one go, in which nothing else of the process runs, and makes up to two hundred
bytes of one. So the items of a long message are counted, and parsed a few at a time.
"""

from typing import TypeVar, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from persona_server.validation.counts import (
    SHORT,
    UnacceptableError,
    counted_fields,
)
from persona_server.validation.wire import MalformedError

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
    """Parse a few fields at a time: as many as are short together, or one that is not."""
    message, begin = kind(), 0
    for _, start, _, end in counted_fields(cast(Descriptor, kind.DESCRIPTOR), raw, 0, len(raw), ""):
        if end - begin > SHORT and start > begin:
            message.MergeFromString(raw[begin:start])
            begin = start
    message.MergeFromString(raw[begin:])
    return message

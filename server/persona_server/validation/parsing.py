"""From bytes to a message at a bounded cost, whatever is in them.

The parser works in one go, in which nothing else of the process runs, and makes up to two hundred
bytes of one. So the items of a long message are counted, and parsed one by one.
"""

from typing import Any, TypeVar, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from persona_server.validation.counts import (
    SHORT,
    UnacceptableError,
    count_all,
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
        if len(raw) <= SHORT:
            return kind.FromString(raw)
        message = kind()
        _parse_in_parts(message, raw, 0, len(raw), "")
    except (DecodeError, MalformedError):
        what = f"is not a well-formed {kind.DESCRIPTOR.full_name}"
        raise UnacceptableError("request", what) from None
    return message


def _parse_in_parts(message: Message, raw: bytes, start: int, end: int, path: str) -> None:
    """Parse the items of a message's lists one by one, and long messages in it likewise."""
    descriptor = cast(Descriptor, message.DESCRIPTOR)
    lists, singles = _messages_in(message)
    rest: list[bytes] = []
    for (tag, at, content, stop), inner in counted_fields(descriptor, raw, start, end, path):
        if inner is not None and tag in singles:
            # First what came before: of a oneof the last one stays.
            message.MergeFromString(b"".join(rest))
            rest.clear()
            single = getattr(message, singles[tag])
            single.SetInParent()
            _parse_in_parts(single, raw, content, stop, inner[1])
            continue
        if inner is not None:
            count_all(inner, raw, content, stop)
        if tag in lists:
            lists[tag].add().MergeFromString(raw[content:stop])
        else:
            rest.append(raw[at:stop])
    message.MergeFromString(b"".join(rest))


def _messages_in(message: Message) -> tuple[dict[int, Any], dict[int, str]]:
    """Return a message's lists of messages, and the names of its other messages, by their tags."""
    lists: dict[int, Any] = {}
    singles: dict[int, str] = {}
    for number, field in known_fields(cast(Descriptor, message.DESCRIPTOR)).items():
        tag = number << 3 | LENGTH_DELIMITED
        if field.message is None or field.message.GetOptions().map_entry:
            continue
        if field.is_repeated:
            lists[tag] = getattr(message, field.name)
        else:
            singles[tag] = field.name
    return lists, singles

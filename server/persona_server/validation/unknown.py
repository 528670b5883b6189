"""Fields that a message has and this version of the contract does not."""

from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from persona_server.validation.violations import Violations


def check_unknown(found: Violations, message: Message) -> None:
    """A message has no unknown fields, nor has any message in it.

    An older server must not take a filter that it does not know for no filter.
    """
    encoded = message.SerializeToString()
    message.DiscardUnknownFields()  # and compare: a look at each message takes four times as long
    if message.ByteSize() < len(encoded):
        message.ParseFromString(encoded)
        _name_unknown(found, message, "")


def not_defined(kind: str, number: int) -> str:
    """Return what to say of an unknown field of a message of some kind."""
    return f"has field number {number}, which this server's {kind} does not define"


def below(path: str, name: str) -> str:
    """Return the path of a field of the message at a path."""
    return f"{path}.{name}" if path else name


def _name_unknown(found: Violations, message: Message, path: str) -> None:
    unknown: Any = UnknownFieldSet(message)  # the stubs don't know that it iterates
    for field in unknown:
        found.add(path or "request", not_defined(message.DESCRIPTOR.full_name, field.field_number))
    for name, is_repeated in _message_fields(message.DESCRIPTOR):
        if is_repeated:
            for i, item in enumerate(getattr(message, name)):
                _name_unknown(found, item, below(path, f"{name}[{i}]"))
        elif message.HasField(name):
            _name_unknown(found, getattr(message, name), below(path, name))


@cache
def _message_fields(descriptor: Descriptor) -> tuple[tuple[str, bool], ...]:
    """Return the fields that hold messages: their names, and whether they are repeated."""
    return tuple(
        (field.name, field.is_repeated)
        for field in descriptor.fields
        if field.message_type is not None and not field.message_type.GetOptions().map_entry
    )

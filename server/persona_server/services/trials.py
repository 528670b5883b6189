"""Calls that are only tried: what their answers lack."""

from collections.abc import Set as AbstractSet
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

_IDS = ("id", "library_persona_id")  # fields that may name what was made


def without_ids(request: Descriptor, answer: bytes, made: AbstractSet[str]) -> bytes:
    """Return the answer to a request of this type without the ids in `made`.

    They name nothing: what was made with them has been taken back.
    """
    if not made:
        return answer
    name = request.name.removesuffix("Request") + "Response"
    message = message_factory.GetMessageClass(request.file.message_types_by_name[name])()
    message.ParseFromString(answer)
    _clear(message, made)
    return message.SerializeToString()


def _clear(message: Message, made: AbstractSet[str]) -> None:
    for field, value in message.ListFields():
        held: Any = value
        if field.name in _IDS and getattr(held, "value", held) in made:
            message.ClearField(field.name)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for each in held if field.is_repeated else (held,):
                _clear(each, made)

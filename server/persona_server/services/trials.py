"""Calls that are only tried: what their answers lack."""

import re
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

_UUID = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_NOT_MADE = "(not made)"  # in a sentence that would name it


def without_ids(request: Descriptor, answer: bytes, made: set[str]) -> bytes:
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


def _clear(message: Message, made: set[str]) -> None:
    for field, value in message.ListFields():
        held: Any = value
        text = getattr(held, "value", held)
        if isinstance(text, str):
            if text in made:
                message.ClearField(field.name)
            elif made.intersection(_UUID.findall(text)):
                told = _UUID.sub(lambda found: _NOT_MADE if found[0] in made else found[0], text)
                setattr(message, field.name, told)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for each in held if field.is_repeated else (held,):
                _clear(each, made)

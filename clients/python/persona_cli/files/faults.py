"""Why an object can't be a message: which field, and what it must be, in the words of REST.

protobuf decides what is good, but words its errors for programmers and not always with the way to
the field; so an object that it refuses is taken apart, and protobuf asked about the parts.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message_factory import GetMessageClass

_ITEMS = {
    FieldDescriptor.CPPTYPE_STRING: "must be a string of valid Unicode",
    FieldDescriptor.CPPTYPE_BOOL: "must be true or false",
    FieldDescriptor.CPPTYPE_INT32: "must be a whole number from -2147483648 to 2147483647",
    FieldDescriptor.CPPTYPE_DOUBLE: "must be a number",
}

# A text that REST reads as a number; Python reads "0_5" and " 4" as well.
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_NUMERIC = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_DOUBLE}


def fault_of(value: dict[str, Any], kind: Descriptor) -> str:
    """Say what is wrong with an object that can't be a message of a kind."""
    path, what = _in_message("", kind, value)
    return f"{path} {what}".lstrip()


def strict_fault_of(value: dict[str, Any], kind: Descriptor) -> str:
    """Say what of an object REST refuses, and protobuf for Python takes or breaks on; "" if none.

    That is true or "0_5" for a number, and the name of a field that is no Unicode.
    """
    return next(_strict_faults("", kind, value), "")


def _strict_faults(path: str, kind: Descriptor, value: dict[str, Any]) -> Iterator[str]:
    fields = fields_of(kind)
    for name, item in value.items():
        at, field = _joined(path, name[:100]), fields.get(name)
        if field is None:
            yield f"{at} is not a known field"
        elif field.cpp_type in _NUMERIC and _is_lax(item):
            yield f"{at} {_expected(field)}"
        elif isinstance(item, dict) and (inner := field.message_type) and _has_fields(inner):
            yield from _strict_faults(at, inner, item)


@cache
def fields_of(kind: Descriptor) -> dict[str, FieldDescriptor]:
    """Return fields by both of the names that JSON may give them."""
    return {name: each for each in kind.fields for name in (each.name, each.json_name)}


def _has_fields(kind: Descriptor) -> bool:
    return not (_is_one_value(kind) or kind.GetOptions().map_entry)


def _is_lax(item: Any) -> bool:
    return isinstance(item, bool) or (isinstance(item, str) and not _NUMBER.fullmatch(item))


def _in_message(path: str, kind: Descriptor, value: Any) -> tuple[str, str]:
    if not isinstance(value, dict):
        return path, "must be a JSON object"
    fields = fields_of(kind)
    for name, item in value.items():
        field = fields.get(name)
        if field is None:
            return _joined(path, name[:100]), "is not a known field"
        if not _fits(kind, {name: item}):
            return _in_field(_joined(path, field.name), kind, field, item)
    return path, "gives one thing in two ways"


def _in_field(path: str, kind: Descriptor, field: FieldDescriptor, item: Any) -> tuple[str, str]:
    message = field.message_type
    if message is not None and (message.GetOptions().map_entry or _is_one_value(message)):
        return path, _expected(field)
    if not field.is_repeated:
        return (path, _expected(field)) if message is None else _in_message(path, message, item)
    if not isinstance(item, list):
        return path, "must be a JSON array"
    for i, each in enumerate(item):
        if not _fits(kind, {field.name: [each]}):
            at = f"{path}[{i}]"
            return (at, _expected(field)) if message is None else _in_message(at, message, each)
    return path, "must be a JSON array"


def _fits(kind: Descriptor, value: dict[str, Any]) -> bool:
    try:
        ParseDict(value, GetMessageClass(kind)())
    except (ParseError, ValueError, TypeError):
        return False
    return True


def _expected(field: FieldDescriptor) -> str:
    message = field.message_type
    if (names := field.enum_type) is not None:
        return f"must be one of {', '.join(each.name for each in names.values if each.number)}"
    if message is None:
        return _ITEMS.get(field.cpp_type, "has the wrong type")
    if message.GetOptions().map_entry:
        item = _expected(message.fields_by_name["value"])
        return f"must be an object, each value of which {item}"
    if message.full_name == "google.protobuf.Timestamp":
        return "must be a time such as 2026-01-31T12:00:00Z"
    return f"{_expected(message.fields_by_name['value'])}, or null"  # a wrapper


def _is_one_value(message: Descriptor) -> bool:
    """Whether JSON writes a message as a single value."""
    return message.file.package == "google.protobuf"


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name

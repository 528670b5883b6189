"""What commands print: JSON lines as REST writes resources, or tables."""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from persona_cli.terminal.layout import fitted, folded

# Imported where it is needed: what prints to no terminal would wait for it.
if TYPE_CHECKING:
    from rich.console import Console

_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # controls, formats, surrogates, separators of lines
_JOINERS = "\u200c\u200d"


def json_line(message: Message) -> str:
    """Return a message as one line of JSON: the names of the contract, unset values as null."""
    return compact_json(json_object(message))


def json_object(message: Message) -> dict[str, Any]:
    """Return a message as the object that a line of JSON holds."""
    fields = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    descriptor = cast(Descriptor, message.DESCRIPTOR)  # or the C implementation's, like it
    return _with_nulls(descriptor, fields)


def compact_json(value: Any) -> str:
    """Return a value as JSON without needless spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def print_json(message: Message) -> None:
    """Print one message as a line of JSON, in UTF-8 whatever the locale."""
    print_line(json_line(message))


def print_line(text: str) -> None:
    """Print JSON or TOML in UTF-8; what could steer the terminal as an escape of JSON."""
    sys.stdout.buffer.write(_escaped(text, _json_escape, keep="\n").encode() + b"\n")


def toml_text(text: str) -> str:
    """Return a text as TOML has it, whose escapes are those of JSON within the first plane.

    Of a surrogate without its other half, which TOML can't have, a mark is left.
    """
    return _escaped(json.dumps(text, ensure_ascii=False), _toml_escape)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, lines: bool = False
) -> None:
    """Print rows below a heading: whole lines, and at a terminal what it has room for.

    Long texts fold there, or with `lines` are cut, so that each row is one line. Columns without
    room are left out, which is said.
    """
    cells = [list(columns), *([_cell(_to_seconds(item)) for item in row] for row in rows)]
    room = _room()
    if room is None:
        _print_lines(folded(cells, None))
        return
    shown, left_out = fitted(cells, room, fold=not lines)
    _print_lines(shown)
    if left_out:
        say(f"Without room here, and in --json: {', '.join(left_out)}.")


def print_details(message: Message) -> None:
    """Print the fields of one message, one a line; map entries have lines of their own."""
    print_pairs(details(message))


def details(message: Message) -> list[tuple[str, object]]:
    """Return the fields of one message by name, map entries as fields of their own."""
    fields = message.DESCRIPTOR.fields
    return [line for f in fields for line in _lines_of(f.name, shown(message, f.name))]


def shown(message: Message, name: str) -> Any:
    """Return the value of a field to show: "" for a wrapper or a time that is unset."""
    value = getattr(message, name)
    return "" if _has_own_form(value) and not message.HasField(name) else value


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one pair a line."""
    cells = [(_cell(name), _cell(value, keep="\n")) for name, value in pairs]
    for line in folded(cells, _room()) if cells else ():
        print(line)


def print_text(text: str = "", *, bold: bool = False) -> None:
    """Print a line among tables."""
    if _room() is None:
        print(printable(text))
    else:
        _print_styled(printable(text), "bold" if bold else "")


def say(text: str) -> None:
    """Say something on stderr. That nobody can read it is no reason to break off the work."""
    with suppress(OSError):
        print(printable(text, keep="\n"), file=sys.stderr)


def counted(count: int, noun: str) -> str:
    """Return how many there are of what, by its singular."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def counted_done(count: int, noun: str, one: str = "is", several: str = "are") -> str:
    """Return the same with the verb that goes with it."""
    return f"{counted(count, noun)} {one if count == 1 else several}"


def printable(text: str, keep: str = "") -> str:
    """Return a text whose characters can't steer the terminal, nor hide in it or turn it round.

    Spaces of every width are themselves, and so are joiners, without which emoji and scripts fall
    apart.
    """
    return _escaped(text, lambda c: c.encode("unicode_escape").decode(), keep)


def _escaped(text: str, escape: Callable[[str], str], keep: str = "") -> str:
    if text.isprintable():
        return text
    # Each character once: a long text may have many that are not printable, such as spaces.
    steering = [c for c in set(text) if c not in keep and _steers(c)]
    return text.translate({ord(c): escape(c) for c in steering}) if steering else text


def _steers(character: str) -> bool:
    return unicodedata.category(character) in _STEERING and character not in _JOINERS


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1]


def _toml_escape(character: str) -> str:
    if unicodedata.category(character) == "Cs":
        return "\ufffd"
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _with_nulls(message: Descriptor, fields: dict[str, Any]) -> dict[str, Any]:
    """Say null for unset wrappers, times and messages, which MessageToDict leaves out.

    Of a oneof REST names only what is set.
    """
    return {
        field.name: _value(field, fields.get(field.name))
        for field in message.fields
        if field.name in fields or field.containing_oneof is None
    }


def _value(field: FieldDescriptor, value: Any) -> Any:
    kind = field.message_type
    if kind is None or value is None:
        return value
    if kind.GetOptions().map_entry:  # MessageToDict sorts no map
        return dict(sorted(value.items()))
    if kind.file.package == "google.protobuf":  # wrappers and times have a form of their own
        return value
    return (
        [_with_nulls(kind, v) for v in value]
        if isinstance(value, list)
        else _with_nulls(kind, value)
    )


def _lines_of(name: str, value: Any) -> Iterable[tuple[str, object]]:
    if hasattr(value, "items"):
        return [(f"{name}: {key}", value[key]) for key in sorted(value)]
    if isinstance(value, Message) and not _has_own_form(value):
        return [
            line
            for field in value.DESCRIPTOR.fields
            for line in _lines_of(f"{name}.{field.name}", shown(value, field.name))
        ]
    if isinstance(value, str | int | float | Message):
        return [(name, value)]
    if value and isinstance(value[0], Message):  # a table of its own, if anything
        return []
    return [(name, ", ".join(value))]


def _has_own_form(value: object) -> bool:
    """Return whether a value is a wrapper or a time, which is shown as one value."""
    return isinstance(value, Message) and value.DESCRIPTOR.full_name.startswith("google.")


def _to_seconds(value: object) -> object:
    return f"{value.ToJsonString()[:19]}Z" if isinstance(value, Timestamp) else value


def _cell(value: object, keep: str = "") -> str:
    if isinstance(value, Timestamp):
        value = value.ToJsonString()
    elif isinstance(value, Message):  # a wrapper
        value = getattr(value, "value", "")
    return printable(str(value), keep)


def _room() -> int | None:
    """Return how wide the terminal is, None for whatever else is printed to."""
    return _console().width if sys.stdout.isatty() else None


def _print_lines(lines: Sequence[str]) -> None:
    """Print the lines of a table, of which the first is its heading."""
    if _room() is None:
        print(lines[0])
    else:
        _print_styled(lines[0], "bold", soft_wrap=True)
    for line in lines[1:]:
        print(line)


def _print_styled(text: str, style: str, *, soft_wrap: bool = False) -> None:
    from rich.text import Text

    _console().print(Text(text, style=style), soft_wrap=soft_wrap)


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False)

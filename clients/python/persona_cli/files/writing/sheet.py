"""A table to write: columns of one kind each, and rows of cells in their order."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

Cell: TypeAlias = str | int | float | list[str] | datetime | None  # None is unknown
Row: TypeAlias = Sequence[Cell]


class Kind(Enum):
    """What the cells of a column are."""

    TEXT = auto()
    WHOLE = auto()  # a number of 32 bits
    NUMBER = auto()
    TRUTH = auto()
    TEXTS = auto()
    TIME = auto()  # UTC, of microseconds


class Column(NamedTuple):
    """A column by its name."""

    name: str
    kind: Kind


class Sheet(NamedTuple):
    """Columns, and rows of which each can be read once."""

    columns: Sequence[Column]
    rows: Iterator[Row]


def field_columns(message: Descriptor, without: Iterable[str] = ()) -> list[Column]:
    """Return a column for each field of a message, in the order of the contract."""
    left_out = set(without)
    return [Column(f.name, _kind_of(f)) for f in message.fields if f.name not in left_out]


def field_cells(message: Message, columns: Iterable[Column]) -> list[Cell]:
    """Return the fields that columns are called after; what is empty is unknown."""
    return [_cell(message, column.name) for column in columns]


def rfc3339(time: datetime) -> str:
    """Return a time in UTC as text."""
    return time.isoformat().replace("+00:00", "Z")


_KINDS = {
    "google.protobuf.Timestamp": Kind.TIME,
    "google.protobuf.Int32Value": Kind.WHOLE,
    "google.protobuf.StringValue": Kind.TEXT,
}


def _kind_of(field: FieldDescriptor) -> Kind:
    if field.message_type is not None:
        return _KINDS[field.message_type.full_name]
    if field.is_repeated:
        return Kind.TEXTS
    return Kind.TRUTH if field.type == FieldDescriptor.TYPE_BOOL else Kind.TEXT


def _cell(message: Message, name: str) -> Cell:
    value: Any = getattr(message, name)
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value or None
    if not isinstance(value, Message):
        return list(value) or None
    if not message.HasField(name):
        return None
    if isinstance(value, Timestamp):
        return value.ToDatetime(tzinfo=UTC)
    wrapped: str | int = value.value  # type: ignore[attr-defined]
    return wrapped

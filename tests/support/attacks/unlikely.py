"""Messages that are well-formed and that no client means, drawn by their descriptors."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
INT32, INT64 = 2**31, 2**63
DAY = 86_400
YEAR_1, YEAR_10000 = -62_135_596_800, 253_402_300_800  # seconds: where timestamps begin and end
STRANGE = (
    "",
    " ",
    "\0",
    "a\0b",
    "\x1b[31m\x7f\x85",
    "\r\n\t",
    "\u202eabc\u202c",  # written from the right
    "\u0645\u0631\u062d\u0628\u0627",
    "e\u0301" + "\u0308" * 12,  # one letter with many marks
    "\ufeff\u200b\u200d",  # nothing to see
    "\U0001f469\u200d\U0001f52c",
    "\ufdfa\u1e9e\u0130",  # longer once folded
    "\uffff\U0010ffff",
    "%s%n{}{0}${x}",
    "'; DROP TABLE persona; --",
    "../../etc/passwd",
    "http://[::1",
    "https://\u2100.example:99999/",
    "x" * 300,
)
IDS = (
    "0190b5a4-7c3e-7b1a-8f00-0123456789ab",
    "0190B5A4-7C3E-7B1A-8F00-0123456789AB",
    "0190b5a47c3e7b1a8f000123456789ab",
    "{0190b5a4-7c3e-7b1a-8f00-0123456789ab}",
    "urn:uuid:0190b5a4-7c3e-7b1a-8f00-0123456789ab",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "0190b5a4-7c3e-7b1a-8f00-0123456789a",
    "０190b5a4-7c3e-7b1a-8f00-0123456789ab",  # a wide digit
)
_TEXTS = st.one_of(
    st.sampled_from(STRANGE),
    st.sampled_from(IDS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
_EDGES_32 = (0, 1, -1, 5, 130, 131, 1000, 1001, INT32 - 1, -INT32)
_EDGES_64 = (0, 1, -1, 1_700_000_000, YEAR_1 - 1, YEAR_1, YEAR_10000 - 1, YEAR_10000)
_DOUBLES = st.sampled_from(
    (0.0, -0.0, 1.0, -1.0, 0.5, 5e-324, 1e308, float("inf"), float("-inf"), float("nan"))
)
_SCALARS: Mapping[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: _DOUBLES | st.floats(),
    FieldDescriptor.TYPE_ENUM: st.sampled_from(_EDGES_32),
    FieldDescriptor.TYPE_INT32: st.sampled_from(_EDGES_32) | st.integers(-INT32, INT32 - 1),
    FieldDescriptor.TYPE_INT64: st.sampled_from((*_EDGES_64, INT64 - 1, -INT64))
    | st.integers(-INT64, INT64 - 1),
    FieldDescriptor.TYPE_STRING: _TEXTS,
}


@st.composite
def unlikely(draw: Draw, base: Message, known: Sequence[str]) -> bytes:
    """Draw the encoding of a message: `base` with some fields changed, or one from nothing.

    `known` are texts that mean something to the server, such as ids of what there is.
    """
    message = type(base)()
    if draw(st.integers(0, 7)) < 7:
        message.CopyFrom(base)
    _change(draw, message, known)
    return message.SerializeToString()


def fields_of(kind: Descriptor) -> int:
    """Return how many fields a message has, at all depths."""
    inner = (field.message_type for field in kind.fields)
    return len(kind.fields) + sum(fields_of(one) for one in inner if one is not None)


def _change(draw: Draw, message: Any, known: Sequence[str]) -> None:
    fields = st.sampled_from(_choice(draw, message.DESCRIPTOR))
    for field in draw(st.lists(fields, min_size=1, max_size=3, unique_by=lambda one: one.name)):
        if field.is_repeated:
            _change_list(draw, message, field, known)
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            _change(draw, inner, known)
        else:
            setattr(message, field.name, draw(_scalar(field, known)))


def _choice(draw: Draw, kind: Descriptor) -> list[FieldDescriptor]:
    """Return the fields to change some of: mostly no ids, as with a wrong one nothing is done."""
    others = [one for one in kind.fields if not one.name.endswith(("_id", "_ids"))]
    return others if others and draw(st.integers(0, 3)) < 3 else list(kind.fields)


def _scalar(field: FieldDescriptor, known: Sequence[str]) -> st.SearchStrategy[Any]:
    values = _SCALARS[field.type]
    is_text = field.type == FieldDescriptor.TYPE_STRING
    return st.sampled_from(known) | values if is_text and known else values


def _change_list(draw: Draw, message: Any, field: FieldDescriptor, known: Sequence[str]) -> None:
    items = getattr(message, field.name)
    if draw(st.booleans()):
        message.ClearField(field.name)
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        values = (_scalar(kind.fields_by_name[name], known) for name in ("key", "value"))
        items.update(draw(st.dictionaries(*values, max_size=5)))
    elif kind is not None:
        for item in list(items)[:3]:
            _change(draw, item, known)
        for _ in range(draw(st.integers(0, 3))):
            _change(draw, items.add(), known)
    else:
        items.extend(draw(st.lists(_scalar(field, known), max_size=7)))

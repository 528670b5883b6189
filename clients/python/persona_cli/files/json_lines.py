"""JSON lines: from the bytes of a line to an object, and to a message of the contract."""

import json
import math
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeAlias, TypeVar, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from persona_cli.files.faults import fault_of, fields_of, strict_fault_of
from persona_server.validation.limits import MAX_PERSONA_BYTES

Item = TypeVar("Item")
Parsed = TypeVar("Parsed", bound=Message)
NumberedLines: TypeAlias = Iterator[tuple[int, bytes]]

# JSON may write one byte of a text as the six of \u00XX, and names its fields. A response is no
# larger than a persona.
MAX_LINE = 6 * MAX_PERSONA_BYTES + (64 << 10)


class LineError(Exception):
    """A line cannot be what it should be; the text says why, `source` what the line is.

    `count` is how many answers or personas are not there for it.
    """

    def __init__(self, text: str, source: Any = None) -> None:
        super().__init__(text)
        self.source = source
        self.count = 1


def json_items(
    lines: NumberedLines, item_of: Callable[[dict[str, Any]], Item]
) -> Iterator[tuple[int, Item | LineError]]:
    """Yield what each line that is not blank stands for, by its number, or why it can't be.

    A file may begin with the mark that editors of Windows put there.
    """
    for number, raw in lines:
        if text := raw.removeprefix(BOM_UTF8 if number == 1 else b"").strip():
            try:
                check_length(text)
                item: Item | LineError = item_of(parse_object(text))
            except LineError as error:
                item = error
            yield number, item


def check_length(raw: bytes | str) -> None:
    """Refuse a line that can't hold what fits on the wire. Raises LineError."""
    if len(raw) > MAX_LINE:
        raise LineError(f"is too long: the limit is {MAX_PERSONA_BYTES} bytes")


def parse_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object of a line. Raises LineError."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise LineError(f"is not UTF-8 (byte {error.start + 1})") from None
    return parse_text(text)


def parse_text(text: str) -> dict[str, Any]:
    """Return the JSON object of a text. Raises LineError."""
    with explained():
        value = DECODER.decode(text)
    if not isinstance(value, dict):
        raise LineError("is not a JSON object")
    return value


@contextmanager
def explained() -> Iterator[None]:
    """Say in our words why JSON can't be decoded. Raises LineError."""
    try:
        yield
    except RecursionError:
        raise LineError("is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise LineError(f"is not JSON: {error.msg} (column {error.colno})") from None
    except ValueError as error:  # a number of thousands of digits
        raise LineError(f"is not JSON that can be read: {error}") from None


def parse_message(
    value: dict[str, Any], message: Parsed, ignored: Collection[str], what: str
) -> Parsed:
    """Fill a message from an object of its fields, but for those ignored. Raises LineError."""
    descriptor = cast(Descriptor, message.DESCRIPTOR)
    fields = fields_of(descriptor)
    if unknown := sorted(value.keys() - fields.keys()):
        raise LineError(f"has fields that a {what} does not have: {', '.join(unknown)}")
    named = {fields[key].name: item for key, item in value.items()}
    if len(named) < len(value):
        raise LineError("has a field twice, in snake_case and in camelCase")
    taken = {k: v for k, v in named.items() if k not in ignored}
    if fault := strict_fault_of(taken, descriptor):
        raise LineError(fault)
    try:
        return ParseDict(taken, message)
    except (ParseError, ValueError, TypeError):
        raise LineError(fault_of(taken, descriptor)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        again = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise LineError(f'repeats the key "{again}"')
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise LineError(f"contains a number that is out of range: {text[:40]}")
    return number


def _not_json(text: str) -> NoReturn:
    raise LineError(f"contains {text}, which is not JSON")


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_not_json)

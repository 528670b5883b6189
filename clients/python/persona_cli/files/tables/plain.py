"""Values of libraries as those of JSON."""

import math
from base64 import b64encode
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """Return a value as JSON has it: a whole number that came as 47.0 is 47, NaN is null.

    Of an infinite number, which JSON has not, the word stays.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    return _text(value)


def _number(value: float) -> float | int | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        is_date = value.time() == time() and value.tzinfo is None
        return (value.date() if is_date else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return _bytes_text(value)
    return str(value) if isinstance(value, Decimal | timedelta) else repr(value)


def _bytes_text(value: bytes) -> str:
    if b"\0" not in value:  # which no text here may hold, but an interval of DuckDB does
        with suppress(UnicodeDecodeError):
            return value.decode()
    return b64encode(value).decode()

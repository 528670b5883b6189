"""The log: one JSON object a line on stderr, or readable lines when stderr is a terminal.

Tokens and persona content never get here: a call is logged by its ids and its outcome alone.
"""

import contextlib
import functools
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

LOGGER = logging.getLogger("persona")
_encode: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, default=str).encode
# What every LogRecord has; the rest came with `extra` and belongs into the line.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(level: str) -> None:
    """Send the log to stderr at a level: "debug", "info", "warning" or "error"."""
    LOGGER.handlers[:] = [_Stderr()]
    LOGGER.setLevel(level.upper())
    LOGGER.propagate = False


def write_calls(entries: Iterable[tuple[float, dict[str, Any]]]) -> None:
    """Write the lines of finished calls together, each as (seconds since 1970, its fields)."""
    if LOGGER.isEnabledFor(logging.INFO):
        _write("".join([_line()(at, "info", "call", fields) for at, fields in entries]))


class _Stderr(logging.Handler):
    """Writes each record to stderr as one line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as time, level, message, and what the call gave with `extra`."""
        extra = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        if record.exc_info:
            extra["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        level = record.levelname.lower()
        _write(_line()(record.created, level, record.getMessage(), extra))


def _write(text: str) -> None:
    # A stderr that is gone is no reason to fail a call.
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), text.encode(errors="replace"))


@functools.cache
def _line() -> Callable[[float, str, str, dict[str, Any]], str]:
    return text_line if sys.stderr.isatty() else json_line


def json_line(at: float, level: str, message: str, extra: dict[str, Any]) -> str:
    """Return a line for programs. `at` is in seconds since 1970."""
    line = {"time": _time(at), "level": level, "message": message, **_given(extra)}
    text: str = _encode(line)
    return f"{text}\n"


def text_line(at: float, level: str, message: str, extra: dict[str, Any]) -> str:
    """Return the same for a person at a terminal, with a traceback below if there is one."""
    trace = str(extra.pop("traceback", ""))
    words = " ".join(f"{name}={value}" for name, value in _given(extra).items())
    return f"{_time(at)} {level:<7} {message} {words}".rstrip() + "\n" + trace


def _given(extra: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in extra.items() if v not in (None, "")}


def _time(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1_000_000):06d}Z"


@functools.lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))

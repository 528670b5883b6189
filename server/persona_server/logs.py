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
from typing import Any

LOGGER = logging.getLogger("persona")
_FIELDS = "persona_fields"
_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
# What every LogRecord has; the rest came with `extra` and belongs into the line.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Time, level, message, and whatever the call gave with `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return _encode(line)


class TextFormatter(logging.Formatter):
    """The same for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line, with a traceback below if there is one."""
        extra = " ".join(f"{name}={value}" for name, value in _extra(record).items())
        line = f"{_time(record.created)} {record.levelname:<7} {record.getMessage()} {extra}"
        if record.exc_info:
            line += "\n" + "".join(traceback.format_exception(*record.exc_info))
        return line.rstrip()


def configure(level: str) -> None:
    """Send the log to stderr at a level: "debug", "info", "warning" or "error"."""
    handler = _Stderr()
    handler.setFormatter(TextFormatter() if sys.stderr.isatty() else JsonFormatter())
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(level.upper())
    LOGGER.propagate = False
    # What logging collects for every record and no line shows (logging's documented switches).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


class _Stderr(logging.Handler):
    """Writes each line to stderr in one system call, so that lines of processes don't mix."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; a stderr that is gone is no reason to fail a call."""
        with contextlib.suppress(OSError):
            os.write(sys.stderr.fileno(), f"{self.format(record)}\n".encode(errors="replace"))


def log_call(**fields: Any) -> None:
    """Log a finished call at level info.

    Every call pays for its line, so it skips what logging does to find out where it came from.
    """
    if LOGGER.isEnabledFor(logging.INFO):
        record = logging.LogRecord(LOGGER.name, logging.INFO, "", 0, "call", None, None)
        record.__dict__[_FIELDS] = fields
        LOGGER.handle(record)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    given = record.__dict__.get(_FIELDS)
    if given is None:
        given = {k: v for k, v in vars(record).items() if k not in _STANDARD}
    return {k: v for k, v in given.items() if v not in (None, "")}


def _time(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1_000_000):06d}Z"


@functools.lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))

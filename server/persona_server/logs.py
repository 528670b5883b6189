"""The log: one JSON object a line on stderr, or readable lines when stderr is a terminal.

Tokens and persona content never get here: a call is logged by its ids and its outcome alone.
"""

import json
import logging
import sys
import time
import traceback
from typing import Any

LOGGER = logging.getLogger("persona")
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
        return json.dumps(line, ensure_ascii=False, default=str)


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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextFormatter() if sys.stderr.isatty() else JsonFormatter())
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(level.upper())
    LOGGER.propagate = False
    # What logging collects for every record and no line shows (logging's documented switches).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {k: v for k, v in vars(record).items() if k not in _STANDARD and v not in (None, "")}


def _time(seconds: float) -> str:
    whole = int(seconds)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return f"{stamp}.{int((seconds - whole) * 1_000_000):06d}Z"

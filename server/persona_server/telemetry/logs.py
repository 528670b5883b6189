"""The log: one JSON object a line on stderr, or readable lines when stderr is a terminal.

Tokens and persona content never get here: a call is logged by its ids and its outcome alone.
Every line goes through one queue, which nobody waits for: see log_writer.py.
"""

import atexit
import functools
import io
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from persona_server.telemetry.log_writer import LineWriter
from persona_server.telemetry.tracebacks import Tracebacks

EXIT_SECONDS = 1.0  # for the last lines to be written when the process ends
LOGGER = logging.getLogger("persona")
STDOUT, STDERR = 1, 2  # descriptors
_encode: Callable[[Any], str] = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=str
).encode
# What every LogRecord has; the rest came with `extra` and belongs into the line.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Form:
    """What all lines have, and whether they are for a person; None where nobody has said."""

    always: Mapping[str, Any] = {}
    readable: bool | None = None


def configure(level: str) -> None:
    """Send the log to stderr at a level: "debug", "info", "warning" or "error"."""
    LOGGER.handlers[:] = [Handler()]
    LOGGER.setLevel(level.upper())
    LOGGER.propagate = False


def name_worker(number: int, *, readable: bool) -> None:
    """Let every line say which worker it is of; `readable` is whether they end at a terminal."""
    _Form.always, _Form.readable = {"worker": number}, readable


def take_over_stderr() -> None:
    """Let whatever this process writes to sys.stderr go through the queue, till its end.

    gRPC prints tracebacks there, from threads that all calls need.
    """
    sys.stderr = _Stderr()
    atexit.register(drain)


def write_calls(entries: Iterable[tuple[float, dict[str, Any]]]) -> None:
    """Write the lines of finished calls together, each as (seconds since 1970, its fields)."""
    if LOGGER.isEnabledFor(logging.INFO):
        line, always = _line(), _Form.always
        _WRITER.offer([_bytes(line(at, "info", "call", {**f, **always})) for at, f in entries])


def write_line(line: bytes) -> None:
    """Write a line as it is, such as one of the gateway's log."""
    _WRITER.offer([line])


def write_lines(lines: Sequence[bytes]) -> None:
    """Write lines as they are, such as those of a worker's log."""
    _WRITER.offer(lines)


def lost() -> int:
    """Return how many lines found no room, since nobody read stderr."""
    return _WRITER.lost


def drain(seconds: float = EXIT_SECONDS) -> None:
    """Wait until the log is written, so long at most."""
    _WRITER.drain(seconds)


def print_out(text: str) -> None:
    """Print a line on stdout; a stdout that nobody reads delays this by a second at most."""
    writer = LineWriter(_opened(STDOUT), _told)
    writer.offer([_bytes(f"{text}\n")])
    writer.drain(EXIT_SECONDS)


class Handler(logging.Handler):
    """Queues each record as one line."""

    def __init__(self) -> None:
        super().__init__()
        self._tracebacks = Tracebacks()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as time, level, message, and what the call gave with `extra`."""
        extra = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        extra |= _Form.always
        if record.exc_info and (error := record.exc_info[1]):
            extra["traceback"] = self._tracebacks.text(error, _time(record.created))
        level = record.levelname.lower()
        write_line(_bytes(_line()(record.created, level, record.getMessage(), extra)))


class _Stderr(io.TextIOBase):
    """What stands for sys.stderr while the service runs."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Queue a text."""
        write_line(_bytes(text))
        return len(text)

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return whether stderr is a terminal."""
        return os.isatty(STDERR)

    def fileno(self) -> int:
        """Return the descriptor."""
        return STDERR


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _told(lost: int) -> bytes:
    """Return the line that says how many lines were lost."""
    return _bytes(_line()(time.time(), "warning", "log lines lost", {"lines": lost}))


def _opened(descriptor: int) -> int:
    """Return a standard descriptor, or nowhere if it was closed: a socket may have its number."""
    stream = {STDOUT: sys.__stdout__, STDERR: sys.__stderr__}[descriptor]
    return os.open(os.devnull, os.O_WRONLY) if stream is None else descriptor


_WRITER = LineWriter(_opened(STDERR), _told)


@functools.cache
def _line() -> Callable[[float, str, str, dict[str, Any]], str]:
    readable = os.isatty(STDERR) if _Form.readable is None else _Form.readable
    return text_line if readable else json_line


def json_line(at: float, level: str, message: str, extra: dict[str, Any]) -> str:
    """Return a line for programs, as the gateway writes its. `at` is in seconds since 1970."""
    parts = [f',"{k}":{_json(v)}' for k, v in extra.items() if v is not None and v != ""]
    fields = "".join(parts)
    return f'{{"time":"{_time(at)}","level":"{level}","message":{_json(message)}{fields}}}\n'


def text_line(at: float, level: str, message: str, extra: dict[str, Any]) -> str:
    """Return the same for a person at a terminal, with a traceback below if there is one."""
    trace = "".join(f"{_shown(row)}\n" for row in str(extra.pop("traceback", "")).splitlines())
    words = " ".join(f"{k}={_shown(v)}" for k, v in extra.items() if v is not None and v != "")
    return f"{_time(at)} {level:<7} {message} {words}".rstrip() + "\n" + trace


def _shown(value: Any) -> str:
    """Return a value as a terminal may show it: no text of a stranger's may move its cursor."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _json(value: Any) -> str:
    # An encoder is made anew for each value that it is given, and a line is written for each call.
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    return repr(value) if kind in (int, float) else _encode(value)


def _time(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1_000_000):06d}Z"


@functools.lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))

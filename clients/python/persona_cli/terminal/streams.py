"""The standard streams of the process: closed, full, or read by nobody any more."""

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import typer

from persona_cli.terminal.output import say
from persona_cli.terminal.signals import stopped

NO_READER = 141  # as of a command that SIGPIPE ends
# What takes the place of a closed one fails as that does; but what is said on stderr is dropped.
_CLOSED = (
    ("stdin", "r", os.O_WRONLY),
    ("stdout", "w", os.O_RDONLY),
    ("stderr", "w", os.O_WRONLY),
)
# What our tables have beside ASCII; else each negative number would be an escape.
_SIGNS = {"−": "-", "–": "-", "…": "...", "▲": "^", "▼": "v"}


def fill_closed() -> None:
    """Put something in the place of each standard stream that is closed.

    Else the next file or connection has its descriptor, and gets what is meant to be printed.
    """
    for name, mode, flags in _CLOSED:
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, flags)  # the lowest that is free
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))


def buffer_stdout() -> None:
    """Let standard output take all that is written to it, or fail.

    Where PYTHONUNBUFFERED is set a write may take a part and say how much, which nobody looks at.
    """
    if isinstance(sys.stdout.buffer, io.RawIOBase):
        encoding, errors = sys.stdout.encoding, sys.stdout.errors
        whole = io.BufferedWriter(sys.stdout.detach())
        sys.stdout = io.TextIOWrapper(whole, encoding, errors, line_buffering=True)


def show_what_is_lacking() -> None:
    """Let streams show what their encoding lacks: our own signs in ASCII, all else escaped."""
    codecs.register_error("persona", _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="persona")  # type: ignore[union-attr]


def _in_ascii(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    texts = (
        _SIGNS.get(each) or each.encode("ascii", "backslashreplace").decode() for each in lacking
    )
    return "".join(texts), error.end


@contextmanager
def ending_in_words() -> Iterator[None]:
    """Write what a block prints, and end the command where that, or a signal, breaks it off."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        raise stopped(interrupt) from None
    except OSError as error:
        raise typer.Exit(end_of(error)) from None


def end_of(error: OSError) -> int:
    """Say what keeps a command from reading or printing, and return its exit code."""
    _let_go(sys.stdout)
    if isinstance(error, BrokenPipeError):  # the reader has seen enough, which is not worth a word
        _let_go(sys.stderr)
        return NO_READER
    if error.errno == errno.EBADF:
        say("persona: Standard input or standard output is closed.")
    else:
        say(f"persona: {error.filename or 'standard output'}: {error.strerror or error}")
    return 1


def _let_go(stream: TextIO) -> None:
    """Drop what a stream still holds, which Python would try to write once more at the end."""
    with suppress(OSError, ValueError):  # a stream of a test may have no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)

"""The headers by which a caller says to which trace a call belongs: W3C Trace Context, level 1."""

import re

# Version, id of the trace, id of the span, flags; later versions may have more behind them.
_FORM = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]{1,73})?"
)
_TRACE = slice(3, 35)
TRACESTATE_CHARS = 512  # of a tracestate: so many are to be taken at least


def is_traceparent(value: str) -> bool:
    """Return whether a value is one; what is none is to be ignored."""
    found = _FORM.fullmatch(value)
    return found is not None and (len(value) == 55 or not value.startswith("00"))


def trace_of(traceparent: str) -> str:
    """Return the id of the trace, 32 hexadecimal digits; "" for ""."""
    return traceparent[_TRACE]

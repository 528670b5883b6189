"""W3C's traceparent: what is one, and what is to be ignored."""

import pytest

from persona_server.telemetry.traceparent import is_traceparent, trace_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    "value", [f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00", f"cc-{TRACE}-{SPAN}-01-what-more"]
)
def test_one_names_its_trace(value: str) -> None:
    assert is_traceparent(value)
    assert trace_of(value) == TRACE


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01\n",
        f"cc-{TRACE}-{SPAN}-01-{'x' * 100}",
    ],
)
def test_what_is_none_is_ignored(value: str) -> None:
    assert not is_traceparent(value)
    assert trace_of("") == ""

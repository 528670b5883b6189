"""Spans of the calls that are served, where traces are asked for; without that nothing of it runs.

A call's span goes with the call. What a thread does for it, such as a statement, finds it by the
thread, as patience does.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the SDK need not be there
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

Attributes = Mapping[str, str | int]
_NANOS = 1_000_000_000


class CallSpan:
    """The span of one call. `trace_id` has 32 hexadecimal digits."""

    __slots__ = ("_arrived", "_inner", "_span", "_tracer", "trace_id")

    def __init__(
        self,
        tracer: "Tracer",
        name: str,
        parent: "Context | None",
        arrived: int,
        about: Attributes,
    ) -> None:
        """Begin it within the span of `parent`, if there is one.

        `arrived` is when the call came, in nanoseconds since 1970.
        """
        from opentelemetry.trace import SpanKind

        self._tracer = tracer
        self._arrived = arrived
        self._span = tracer.start_span(name, parent, SpanKind.SERVER, about, start_time=arrived)
        self._inner = _within(self._span)
        self.trace_id = f"{self._span.get_span_context().trace_id:032x}"

    def enter(self, waited: float) -> None:
        """Let this thread work for the call, which has waited so many seconds for it.

        In a call that is not sampled nothing else is a span.
        """
        if not self._span.is_recording():
            return
        begun = self._arrived + int(waited * _NANOS)
        self._tracer.start_span("queue", self._inner, start_time=self._arrived).end(begun)
        _here.tracer, _here.inner = self._tracer, self._inner

    def end(self, about: Attributes, failed: str) -> None:
        """End it; `failed` says why it is the server's failure, "" if it is none."""
        from opentelemetry.trace import Status, StatusCode

        _here.tracer = _here.inner = None
        self._span.set_attributes(about)
        if failed:
            self._span.set_status(Status(StatusCode.ERROR, failed))
        self._span.end()


class _Here(threading.local):
    tracer: "Tracer | None" = None
    inner: "Context | None" = None  # whose span is the parent of what begins now


_here = _Here()


@contextmanager
def within(name: str, about: Attributes) -> Iterator[Callable[[str], None]]:
    """Make a span of a block, which those that begin in it stand within.

    What is given marks a moment of it by a name. Nothing is made where no call is served.
    """
    outer = _here.inner
    if _here.tracer is None:
        yield _nothing
        return
    span = _here.tracer.start_span(name, outer, attributes=about)
    _here.inner = _within(span)
    try:
        yield span.add_event
    finally:
        _here.inner = outer
        span.end()


def begin(name: str, about: Attributes) -> Callable[[], None]:
    """Begin a span in which no other stands; return what ends it, once."""
    if _here.tracer is None:
        return _nothing_more
    return _here.tracer.start_span(name, _here.inner, attributes=about).end


def _within(span: "Span") -> "Context":
    from opentelemetry.trace import set_span_in_context

    return set_span_in_context(span)


def _nothing(_name: str) -> None:
    pass


def _nothing_more() -> None:
    pass

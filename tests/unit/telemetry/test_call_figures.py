"""Finished calls as metrics: what is counted by hand is what the library would have counted."""

import re

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from persona_server.telemetry.calls import BOUNDS, CallFigures

CALLS = (
    ("GetPersona", "OK", 0.0005, 0.0),
    ("GetPersona", "OK", 0.00051, 0.0001),
    ("GetPersona", "NOT_FOUND", 0.3, 0.25),
    ("ListPersonas", "OK", 60.0, 2.5),
    ("GetPersona", "OK", 10.0, 9.9),
)


def by_the_library() -> CollectorRegistry:
    registry = CollectorRegistry()
    labels = ("method",)
    number = Counter(
        "persona_rpc",
        "Finished RPCs by method and status code.",
        ("method", "code"),
        registry=registry,
    )
    what = "Seconds an RPC took in the server, from its arrival."
    seconds = Histogram("persona_rpc_seconds", what, labels, buckets=BOUNDS, registry=registry)
    what = "Seconds of that in which an RPC waited for a thread."
    waits = Histogram("persona_rpc_wait_seconds", what, labels, buckets=BOUNDS, registry=registry)
    for method, code, took, waited in CALLS:
        number.labels(method, code).inc()
        seconds.labels(method).observe(took)
        waits.labels(method).observe(waited)
    return registry


def page(registry: CollectorRegistry) -> str:
    """Return the page of a registry without the times at which its counters were made."""
    return re.sub(r"(?m)^(\w+_created\{.*\}) [0-9.e+]+$", r"\1", generate_latest(registry).decode())


def test_calls_are_counted_as_the_library_would() -> None:
    figures, registry = CallFigures(), CollectorRegistry()
    registry.register(figures)
    for call in CALLS:
        figures.add(*call)
    shown = page(registry)
    assert shown == page(by_the_library())
    assert 'persona_rpc_seconds_bucket{le="0.0005",method="GetPersona"} 1.0' in shown
    assert 'persona_rpc_created{code="NOT_FOUND",method="GetPersona"}' in shown

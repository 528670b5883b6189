"""Prometheus metrics, on a port of their own. No label names a tenant that is not asked for."""

from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from persona_server.telemetry import logs
from persona_server.telemetry.calls import CallFigures
from persona_server.telemetry.tenants import TenantFigures


def _nothing() -> None:
    pass


class _Before(Collector):
    """Lets what is waiting be counted before a scrape reads the counters."""

    def __init__(self, metrics: "Metrics") -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """Return no metric of its own."""
        self._metrics.before_scrape()
        return ()


class _Lost(Collector):
    """Log lines that found no room, which the log counts itself."""

    def collect(self) -> Iterable[Metric]:
        """Return the one counter."""
        what = "Log lines that were dropped, since nobody read standard error."
        return (CounterMetricFamily("persona_log_lines_dropped", what, value=logs.lost()),)


class Kept(Protocol):
    """A cache, as its figures show it."""

    hits: int
    misses: int
    bytes: int


class PagesKept(Collector):
    """The figures of the cache of pages, which it counts itself."""

    def __init__(self, cache: Kept) -> None:
        self._cache = cache

    def collect(self) -> Iterable[Metric]:
        """Return how often a page was there, and how many bytes they take."""
        name, cache = "persona_page_cache", self._cache
        what = "Pages of personas that were {} memory."
        yield CounterMetricFamily(f"{name}_hits", what.format("found in"), value=cache.hits)
        yield CounterMetricFamily(f"{name}_misses", what.format("not in"), value=cache.misses)
        what = "Bytes that the pages in memory take."
        yield GaugeMetricFamily(f"{name}_bytes", what, value=cache.bytes)


class Metrics:
    """The service's figures, in a registry of their own."""

    def __init__(self, named: int = 0, rank: Callable[[str], int] | None = None) -> None:
        """Name so many tenants; `rank` is that of `TenantFigures`."""
        self.registry = CollectorRegistry()
        self.before_scrape: Callable[[], None] = _nothing
        self.registry.register(_Before(self))  # first, so that it runs before the others
        self.registry.register(_Lost())
        self.calls = CallFigures()
        self.registry.register(self.calls)
        self.written = Counter(
            "persona_personas_written",
            "Personas that became visible through creates and imports.",
            registry=self.registry,
        )
        self.swept = Counter(
            "persona_sweep_rows",
            "Rows that the sweeper removed for good.",
            registry=self.registry,
        )
        self.promoted = Counter(
            "persona_promotions",
            "Personas that automatic promotion took into the library.",
            registry=self.registry,
        )
        self.late_messages = self._counter(
            "persona_calls_without_message", "Calls that ended since their message did not come."
        )
        self.held_back = self._counter(
            "persona_refusals_held_back",
            "Refusals that waited, or went without a log line, as too many were for an address.",
        )
        self.closed = self._counter(
            "persona_connections_closed",
            "Connections closed for too many calls that end in nothing, or for want of room.",
        )
        self.unread_answers = self._counter(
            "persona_answers_unread", "Calls that ended since nobody took their answer."
        )
        self.tenants = TenantFigures(self.registry, named, rank)

    def _counter(self, name: str, what: str) -> Counter:
        return Counter(name, what, registry=self.registry)

    def finished(self, method: str, code: str, seconds: float, waited: float) -> None:
        """Count a finished RPC; `waited` is the part of its seconds before a thread took it."""
        self.calls.add(method, code, seconds, waited)

    def page(self) -> bytes:
        """Return all figures in Prometheus's text format."""
        return generate_latest(self.registry)

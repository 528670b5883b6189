"""Finished calls as metrics, counted by hand: the library's counters take a lock for each value.

That was a third of what the log and the metrics of a call cost.
"""

import time
from bisect import bisect_left
from collections.abc import Iterable

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_NAMES = (*map(floatToGoString, BOUNDS), "+Inf")


class _Counter:
    """How many calls, and since when they are counted, in seconds since 1970."""

    __slots__ = ("since", "value")

    def __init__(self) -> None:
        self.value = 0
        self.since = time.time()


class _Histogram:
    """How many seconds calls took: how many of them up to each of BOUNDS or beyond, and the sum."""

    __slots__ = ("counts", "since", "sum")

    def __init__(self) -> None:
        self.counts = [0] * len(_NAMES)
        self.sum = 0.0
        self.since = time.time()

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds


class CallFigures(Collector):
    """Counts finished calls by method and code. One thread at a time may add to them."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, str], _Counter] = {}
        self._seconds: dict[str, _Histogram] = {}
        self._waits: dict[str, _Histogram] = {}

    def add(self, method: str, code: str, seconds: float, waited: float) -> None:
        """Count a finished RPC; `waited` is the part of its seconds before a thread took it."""
        counter = self._counters.get((method, code))
        if counter is None:
            counter = self._counters[method, code] = _Counter()
            self._seconds.setdefault(method, _Histogram())
            self._waits.setdefault(method, _Histogram())
        counter.value += 1
        self._seconds[method].add(seconds)
        self._waits[method].add(waited)

    def collect(self) -> Iterable[Metric]:
        """Return the three metrics."""
        what = "Finished RPCs by method and status code."
        family = CounterMetricFamily("persona_rpc", what, labels=("method", "code"))
        for names, counter in list(self._counters.items()):
            family.add_metric(names, counter.value, counter.since)
        yield family
        what = "Seconds an RPC took in the server, from its arrival."
        yield _family("persona_rpc_seconds", what, self._seconds)
        what = "Seconds of that in which an RPC waited for a thread."
        yield _family("persona_rpc_wait_seconds", what, self._waits)


def _family(name: str, what: str, histograms: dict[str, _Histogram]) -> Metric:
    family = HistogramMetricFamily(name, what, labels=("method",))
    for method, histogram in list(histograms.items()):
        total, buckets = 0, []
        for bound, count in zip(_NAMES, histogram.counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        family.add_metric((method,), buckets, histogram.sum)
        family.add_sample(f"{name}_created", {"method": method}, histogram.since)
    return family

"""Figures that nobody counts: they are looked at when somebody asks for them."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Gauge(Collector):
    """One figure, or one for each value of a label. `look` must not wait; it may raise OSError."""

    def __init__(
        self, name: str, what: str, look: Callable[[], float | Mapping[str, float]], label: str = ""
    ) -> None:
        self._name = name
        self._what = what
        self._look = look
        self._labels = (label,) if label else ()

    def collect(self) -> Iterable[Metric]:
        """Return the figure as it is now; none where it can't be told."""
        family = GaugeMetricFamily(self._name, self._what, labels=self._labels)
        try:
            found = self._look()
        except OSError:
            return (family,)
        if isinstance(found, Mapping):
            for key, value in found.items():
                family.add_metric([key], value)
        else:
            family.add_metric([], found)
        return (family,)


class Info(Collector):
    """A gauge that is always 1, for what its labels say."""

    def __init__(self, name: str, what: str, labels: Mapping[str, str]) -> None:
        self._family = GaugeMetricFamily(name, what, labels=tuple(labels))
        self._family.add_metric(tuple(labels.values()), 1)

    def collect(self) -> Iterable[Metric]:
        """Return it."""
        return (self._family,)

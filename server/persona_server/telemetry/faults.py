"""What the database has met, as a metric."""

from collections.abc import Iterable, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector


class FaultsMet(Collector):
    """How often the database has met what, by kind, which others count."""

    def __init__(self, met: Mapping[str, int]) -> None:
        self._met = met

    def collect(self) -> Iterable[Metric]:
        """Return the one counter."""
        what = "Errors of the database that calls and jobs have met, by kind."
        family = CounterMetricFamily("persona_database_errors", what, labels=["kind"])
        for kind, count in self._met.items():
            family.add_metric([kind], count)
        yield family

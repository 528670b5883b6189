"""The metrics of a running service, as another reader of their format finds them."""

import re
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from support.service import Service

PAGE = Path(__file__).parents[3] / "docs/monitoring.md"
_ROW = re.compile(r"^\| (`(?:persona|process)_[^|]*`) \|", re.M)
_METRIC = re.compile(r"`(\w+)(?:\{([\w,]+)\})?`")
_ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}


def families(service: Service) -> list[Metric]:
    """Return what the service serves, without the times at which counters were made."""
    with urllib.request.urlopen(service.metrics, timeout=20) as answer:
        found = list(text_string_to_metric_families(answer.read().decode()))
    return [one for one in found if not one.name.endswith("_created")]


def named(family: Metric) -> str:
    """Return the name that people know a metric by."""
    return f"{family.name}_total" if family.type == "counter" else family.name


def labels(family: Metric) -> set[str]:
    """Return the labels of a metric that has samples, but those of every histogram."""
    return {name for one in family.samples for name in one.labels} - {"le"}


def series(served: list[Metric]) -> set[str]:
    """Return the names that a query may ask for."""
    return {name for one in served for name in _series(one)}


def _series(family: Metric) -> set[str]:
    return {family.name + ending for ending in _ENDINGS.get(family.type, ("",))}


def documented() -> dict[str, set[str]]:
    """Return the metrics that the page on monitoring explains, with their labels."""
    text = PAGE.read_text().partition("\n## Alerts")[0]
    found = _METRIC.findall(" ".join(_ROW.findall(text)))
    return {name: set(filter(None, given.split(","))) for name, given in found}


def value(service: Service, name: str, **given: str) -> float:
    """Return a sample. Raises KeyError if there is none."""
    return samples(service, name)[tuple(sorted(given.items()))]


def samples(service: Service, name: str) -> Mapping[tuple[tuple[str, str], ...], float]:
    """Return the samples of one name by their labels."""
    return {
        tuple(sorted(one.labels.items())): one.value
        for family in families(service)
        for one in family.samples
        if one.name == name
    }

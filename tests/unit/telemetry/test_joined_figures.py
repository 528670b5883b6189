"""Metrics of several processes, added up as those of one."""

from prometheus_client.parser import text_string_to_metric_families

from persona_server.telemetry.figures import added_up, lasting, read, written
from persona_server.telemetry.metrics import Metrics

FIRST = b"""# HELP jobs_total Jobs.
# TYPE jobs_total counter
jobs_total{kind="a b",of="x \\"y\\" 1"} 2.0
# HELP jobs_created Jobs.
# TYPE jobs_created gauge
jobs_created{kind="a b",of="x \\"y\\" 1"} 1795961628.25
# HELP kept_bytes Bytes.
# TYPE kept_bytes gauge
kept_bytes 10.0
"""
SECOND = (
    FIRST.replace(b" 2.0", b" 3.0").replace(b"28.25", b"27.25").replace(b"10.0", b"5.0")
    + b"""# HELP calls_total Calls.
# TYPE calls_total counter
calls_total 1.0
"""
)


def samples(page: bytes) -> dict[tuple[str, str], float]:
    """Return what another reader of the format finds."""
    return {
        (one.name, "".join(one.labels.values())): one.value
        for family in text_string_to_metric_families(page.decode())
        for one in family.samples
    }


def test_figures_are_summed_and_the_earliest_time_stays() -> None:
    page = written(added_up([read(FIRST), read(SECOND)]))
    labels = 'a bx "y" 1'
    assert samples(page) == {
        ("jobs_total", labels): 5.0,
        ("jobs_created", labels): 1795961627.25,
        ("kept_bytes", ""): 15.0,
        ("calls_total", ""): 1.0,
    }


def test_who_has_ended_has_no_gauges_any_more() -> None:
    page = written(added_up([lasting(read(FIRST)), read(SECOND)]))
    assert samples(page)["kept_bytes", ""] == 5.0
    assert samples(page)["jobs_total", 'a bx "y" 1'] == 5.0


def test_our_own_metrics_of_two_are_those_of_both() -> None:
    both = [Metrics(), Metrics()]
    for number, metrics in enumerate(both):
        for _ in range(number + 1):
            metrics.finished("GetPersona", "OK", 0.003, 0.001)
        metrics.finished(f"Own{number}", "NOT_FOUND", 20.0, 0.0)
    pages = [metrics.page() for metrics in both]
    total = samples(written(added_up(map(read, pages))))
    first, second = (samples(page) for page in pages)
    assert total.keys() == first.keys() | second.keys()
    for name, value in total.items():
        if not name[0].endswith("_created"):
            assert value == first.get(name, 0.0) + second.get(name, 0.0)
    assert total["persona_rpc_seconds_bucket", "0.005GetPersona"] == 3.0

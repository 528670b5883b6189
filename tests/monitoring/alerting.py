"""For each alert series for which it fires, and how it is told then; it is silent without them."""

from typing import Any, NamedTuple

AT = 'instance="a:9464",job="persona"'


class Case(NamedTuple):
    """Series by their names (labels without those of a scrape), and what is told of them.

    `minutes` are those until it fires; `labels` are those of the alert beside `instance`, and `job`
    where `keeps`.
    """

    firing: dict[str, str]
    silent: dict[str, str]
    summary: str
    severity: str = "critical"
    labels: dict[str, str] = {}  # noqa: RUF012 (nothing changes it)
    keeps: bool = False  # the label of the job
    minutes: int = 30

    def tests(self, alert: str) -> list[dict[str, Any]]:
        """Return the two tests in promtool's form; behind the name of an alert, what it is for."""
        name = alert.partition(":")[0]
        told = {
            "exp_labels": {
                "severity": self.severity,
                "instance": "a:9464",
                **({"job": "persona"} if self.keeps else {}),
                **self.labels,
            },
            "exp_annotations": {"summary": self.summary},
        }
        return [self._test(name, self.firing, [told]), self._test(name, self.silent, [])]

    def _test(self, name: str, given: dict[str, str], told: list[Any]) -> dict[str, Any]:
        series = [
            {"series": _scraped(metric), "values": values} for metric, values in given.items()
        ]
        rule = {"eval_time": f"{self.minutes}m", "alertname": name, "exp_alerts": told}
        return {"interval": "1m", "input_series": series, "alert_rule_test": [rule]}


def _scraped(metric: str) -> str:
    name, _, labels = metric.partition("{")
    return f"{name}{{{labels.rstrip('}')}{',' if labels else ''}{AT}}}"


def _rpc(code: str) -> str:
    return f'persona_rpc_total{{method="GetPersona",code="{code}"}}'


def _bucket(metric: str, le: str) -> str:
    return f'{metric}_bucket{{method="GetPersona",le="{le}"}}'


def _refused(reason: str) -> str:
    return f'persona_gateway_refused_total{{reason="{reason}"}}'


FEW, MANY = "0+1x600", "0+120x600"  # in each minute
_SECONDS, _WAITS = "persona_rpc_seconds", "persona_rpc_wait_seconds"
_FREE, _DISK = "persona_disk_free_bytes", "persona_disk_bytes"
_OPEN, _MOST = 'process_open_fds{process="gateway"}', 'process_max_fds{process="gateway"}'
_LINES = "persona_log_lines_dropped_total"
_GATEWAYS_LINES = "persona_gateway_log_lines_dropped_total"
_GET = {"method": "GetPersona"}
_LASTING = {  # what is open as long as its caller likes
    f'{_SECONDS}_bucket{{method="{method}",le="{le}"}}': values
    for method in ("ImportPersonas", "ExportPersonas", "ServerReflectionInfo")
    for le, values in (("1", "0x600"), ("2", MANY), ("+Inf", MANY))
}
_START = 'process_start_time_seconds{process="server"}'

CASES = {
    "PersonaDown": Case({"up": "0x600"}, {"up": "1x600"}, "a:9464 can't be scraped", keeps=True),
    "PersonaNotServing": Case(
        {"persona_serving": "0x600"},
        {"persona_serving": "2x600"},
        "health of a:9464 says NOT_SERVING",
        keeps=True,
    ),
    "PersonaRestarts": Case(
        {_START: "1 1 1 2 2 3 3 4 4x600"},
        {_START: "1 1 1 2 2 3 3x600"},
        "server of a:9464 starts again and again",
        labels={"process": "server"},
        keeps=True,
        minutes=20,
    ),
    "PersonaFaults": Case(
        {_rpc("DATA_LOSS"): FEW},
        {_rpc("NOT_FOUND"): MANY, _rpc("INTERNAL"): "5x600"},
        "GetPersona of a:9464 ends in DATA_LOSS",
        labels={**_GET, "code": "DATA_LOSS"},
    ),
    "PersonaFaults: the first ones": Case(
        {_rpc("DATA_LOSS"): "_x26 40x600"},
        {_rpc("NOT_FOUND"): "_x26 40x600", _rpc("DATA_LOSS"): "_x10 40x600"},
        "GetPersona of a:9464 ends in DATA_LOSS",
        labels={**_GET, "code": "DATA_LOSS"},
    ),
    "PersonaDatabaseErrors": Case(
        {'persona_database_errors_total{kind="full"}': FEW},
        {
            'persona_database_errors_total{kind="full"}': "7x600",
            'persona_database_errors_total{kind="late"}': FEW,
        },
        "the database of a:9464 is broken: full",
        labels={"kind": "full"},
    ),
    "PersonaUnavailable": Case(
        {_rpc("OK"): "0+96x600", _rpc("UNAVAILABLE"): "0+3x600", _rpc("DEADLINE_EXCEEDED"): FEW},
        {_rpc("OK"): "0+200x600", _rpc("UNAVAILABLE"): FEW},
        "4% of the calls of a:9464 are not served in time",
    ),
    "PersonaGatewayUnreachable": Case(
        {_refused("UNREACHABLE"): MANY},
        {_refused("UNREACHABLE"): FEW, _refused("UNKNOWN_PATH"): MANY},
        "REST of a:9464 can't reach the server, or has too much to do",
    ),
    "PersonaGatewayFaults": Case(
        {_refused("INTERNAL"): FEW},
        {_refused("INTERNAL"): "0x600"},
        "REST of a:9464 fails by itself",
    ),
    "PersonaSlow": Case(
        {_bucket(_SECONDS, "1"): "0x600", **{_bucket(_SECONDS, le): MANY for le in ("2", "+Inf")}},
        {**{_bucket(_SECONDS, le): MANY for le in ("1", "+Inf")}, **_LASTING},
        "p99 of GetPersona of a:9464 is 1.99s",
        "warning",
        _GET,
    ),
    "PersonaWaits": Case(
        {_bucket(_WAITS, "0.5"): "0x600", **{_bucket(_WAITS, le): MANY for le in ("1", "+Inf")}},
        {_bucket(_WAITS, le): MANY for le in ("0.5", "+Inf")},
        "calls of a:9464 wait for threads",
        "warning",
    ),
    "PersonaWritersWait": Case(
        {"persona_database_writers_waiting": "12x600"},
        {"persona_database_writers_waiting": "3x600"},
        "writers of a:9464 queue for the database",
        "warning",
        keeps=True,
    ),
    "PersonaOverQuota": Case(
        {_rpc("RESOURCE_EXHAUSTED"): MANY},
        {_rpc("RESOURCE_EXHAUSTED"): FEW},
        "tenants of a:9464 are over their quotas",
        "warning",
    ),
    "PersonaDescriptorsLow": Case(
        {_OPEN: "95x600", _MOST: "100x600"},
        {_OPEN: "50x600", _MOST: "100x600"},
        "gateway of a:9464 has hardly a file descriptor left",
        "warning",
        {"process": "gateway"},
        keeps=True,
    ),
    "PersonaAttacked": Case(
        {
            "persona_connections_closed_total": "0x600",
            "persona_refusals_held_back_total": MANY,
            "persona_calls_without_message_total": "0x600",
        },
        {
            "persona_connections_closed_total": FEW,
            "persona_refusals_held_back_total": FEW,
            "persona_calls_without_message_total": FEW,
        },
        "somebody makes calls of a:9464 that end in nothing",
        "warning",
    ),
    "PersonaHandshakesFail": Case(
        {"persona_gateway_tls_handshakes_failed_total": MANY},
        {"persona_gateway_tls_handshakes_failed_total": FEW},
        "handshakes of TLS at REST of a:9464 fail",
        "warning",
        keeps=True,
    ),
    "PersonaLogLinesDropped": Case(
        {_GATEWAYS_LINES: FEW, _LINES: "0x600"},
        {_GATEWAYS_LINES: "7x600", _LINES: "7x600"},
        "nobody reads the log of a:9464",
        "warning",
        keeps=True,
    ),
    "PersonaDiskLow": Case(
        {_FREE: "5x600", _DISK: "100x600"},
        {_FREE: "20x600", _DISK: "100x600"},
        "5% of the disk of a:9464 are free",
        "warning",
        keeps=True,
    ),
    "PersonaDiskFills": Case(
        {_FREE: "1000-1x600"},
        {_FREE: "3000-1x600"},
        "the disk of a:9464 is full within a day",
        keeps=True,
        minutes=480,
    ),
    "PersonaLogLong": Case(
        {"persona_database_log_bytes": "536870912x600"},
        {"persona_database_log_bytes": "16777216x600"},
        "the database's log of a:9464 has 512MiB",
        "warning",
        keeps=True,
    ),
    "PersonaBackupMissing": Case(
        {"persona_backup_timestamp_seconds": "0x1600"},
        {"persona_backup_timestamp_seconds": "-86400x1600"},
        "a:9464 was never backed up",
        "warning",
        keeps=True,
        minutes=1500,
    ),
    "PersonaBackupOld": Case(
        {"persona_backup_timestamp_seconds": "-172800x600"},
        {"persona_backup_timestamp_seconds": "-86400x600"},
        "a:9464 was last backed up 2d 1h 40m 0s ago",
        "warning",
        keeps=True,
        minutes=100,
    ),
    "PersonaBackupOld: where there is one": Case(
        {"persona_backup_timestamp_seconds": "-172800x3000"},
        {"persona_backup_timestamp_seconds": "0x3000"},
        "a:9464 was last backed up 4d 2h 0m 0s ago",
        "warning",
        keeps=True,
        minutes=3000,
    ),
}  # fmt: skip

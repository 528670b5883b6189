"""Log lines: JSON for machines, readable text for people, the same fields in both."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from persona_server.telemetry import logs, tracebacks
from persona_server.telemetry.logs import json_line, text_line
from persona_server.telemetry.metrics import Metrics
from persona_server.transport.recorder import FinishedCall, Recorder

CALL = FinishedCall(
    at=1_700_000_000.25,
    seconds=0.0015,
    waited=0.0005,
    request_id="r1",
    method="GetPersona",
    code="OK",
    reason="",
    tenant="acme",
    error_id="",
    peer="127.0.0.2:40000",
)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The service's logger, put back as it was afterwards."""
    before, level = logs.LOGGER.handlers[:], logs.LOGGER.level
    yield logs.LOGGER
    logs.LOGGER.handlers[:] = before
    logs.LOGGER.setLevel(level)


def entries(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    logs.drain(10)
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


@pytest.mark.usefixtures("logger")
def test_a_call_is_one_line_of_json(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    recorder = Recorder(Metrics())
    recorder.add(CALL)
    recorder.flush()
    assert entries(capfd) == [
        {
            "time": "2023-11-14T22:13:20.250000Z",
            "level": "info",
            "message": "call",
            "request_id": "r1",
            "method": "GetPersona",
            "code": "OK",
            "duration_ms": 1.5,
            "waited_ms": 0.5,
            "peer": "127.0.0.2:40000",
            "tenant": "acme",
        }
    ]


@pytest.mark.usefixtures("logger")
def test_what_is_unset_is_left_out_and_zero_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    recorder = Recorder(Metrics())
    recorder.add(CALL._replace(seconds=0.0, reason="INVALID_FIELD", tenant=""))
    recorder.flush()
    entry = entries(capfd)[0]
    assert entry["duration_ms"] == 0.0
    assert entry["reason"] == "INVALID_FIELD"
    assert "tenant" not in entry


@pytest.mark.parametrize(("level", "shown"), [("debug", 1), ("info", 1), ("warning", 0)])
@pytest.mark.usefixtures("logger")
def test_calls_are_logged_at_level_info_and_always_counted(
    capfd: pytest.CaptureFixture[str], level: str, shown: int
) -> None:
    logs.configure(level)
    metrics = Metrics()
    recorder = Recorder(metrics)
    recorder.add(CALL)
    recorder.flush()
    assert len(entries(capfd)) == shown
    labels = {"method": "GetPersona", "code": "OK"}
    assert metrics.registry.get_sample_value("persona_rpc_total", labels) == 1
    sums = {"method": "GetPersona"}
    assert metrics.registry.get_sample_value("persona_rpc_seconds_sum", sums) == 0.0015
    assert metrics.registry.get_sample_value("persona_rpc_wait_seconds_sum", sums) == 0.0005


@pytest.mark.usefixtures("logger")
def test_a_scrape_counts_what_waits_to_be_logged(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    metrics = Metrics()
    recorder = Recorder(metrics)
    recorder.add(CALL)
    counted = b'persona_rpc_total{code="OK",method="GetPersona"} 1.0'
    assert counted in metrics.page()
    recorder.flush()
    assert counted in metrics.page()
    assert len(entries(capfd)) == 1


def test_text_holds_the_same() -> None:
    line = text_line(1.5, "info", "call", {"request_id": "r1", "tenant": "acme", "reason": ""})
    assert line == "1970-01-01T00:00:01.500000Z info    call request_id=r1 tenant=acme\n"


def test_text_can_not_move_a_terminals_cursor() -> None:
    """Some is not ours, such as the names that an identity provider gives its keys."""
    line = text_line(0.0, "info", "keys", {"kids": "a\x1b[2J\nb\u202e", "why": "Ørsted 🎈"})
    assert line.endswith("keys kids=a\\x1b[2J\\nb\\u202e why=Ørsted 🎈\n")
    line = text_line(0.0, "error", "failed", {"traceback": "Traceback …\nValueError: \x1b[2J\n"})
    assert line.endswith("\nTraceback …\nValueError: \\x1b[2J\n")


def test_lines_can_not_be_forged(logger: logging.Logger, capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    logger.warning('new\nline "quoted"', extra={"rows": 3})
    (entry,) = entries(capfd)
    assert entry["message"] == 'new\nline "quoted"'
    assert entry["rows"] == 3


def test_an_error_brings_its_traceback(
    logger: logging.Logger, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info")
    try:
        raise ValueError("why")
    except ValueError as error:
        logger.error("failed", exc_info=error)
    (entry,) = entries(capfd)
    assert "ValueError: why" in entry["traceback"]
    assert entry["level"] == "error"
    text = text_line(0.0, "error", "failed", {"traceback": "Traceback …\nValueError: why\n"})
    assert text.splitlines()[1:] == ["Traceback …", "ValueError: why"]


def test_time_is_utc_with_microseconds() -> None:
    line = json_line(1_700_000_000.25, "info", "x", {})
    assert json.loads(line)["time"] == "2023-11-14T22:13:20.250000Z"


def test_it_is_written_as_the_gateway_writes_its_lines() -> None:
    """Whoever looks for a text in the log finds it in the lines of both."""
    line = json_line(1_700_000_000.25, "info", "keys", {"kids": ["a", "b"], "by": {"c": 1}})
    assert line == (
        '{"time":"2023-11-14T22:13:20.250000Z","level":"info","message":"keys",'
        '"kids":["a","b"],"by":{"c":1}}\n'
    )


def fail(*, cause: str) -> None:
    try:
        raise KeyError(cause)
    except KeyError as error:
        raise ValueError("why") from error


def fail_elsewhere() -> None:
    raise ValueError("why")


def test_of_errors_of_one_kind_one_is_whole(
    logger: logging.Logger, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of calls fail in the same way when a database is away."""
    logs.configure("info")

    whole: list[str] = []  # times of lines

    def log(failing: Callable[[], None]) -> str:
        try:
            failing()
        except ValueError as error:
            logger.error("failed", exc_info=error)
        (entry,) = entries(capfd)
        whole.append(entry["time"])
        return str(entry["traceback"])

    assert "Traceback" in log(lambda: fail(cause="one"))
    brief = f"KeyError: 'another'\nValueError: why\n(whole in the line of {whole[0]})\n"
    assert log(lambda: fail(cause="another")) == brief
    assert "Traceback" in log(fail_elsewhere)
    monkeypatch.setattr(tracebacks, "WHOLE_SECONDS", 0.0)
    assert "Traceback" in log(lambda: fail(cause="after a minute"))


def test_kinds_of_errors_are_remembered_in_bounds(
    logger: logging.Logger, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info")
    kinds = [type(f"Kind{number}", (Exception,), {}) for number in range(tracebacks.KINDS + 1)]
    for kind in [*kinds, kinds[0], kinds[-1]]:
        logger.error("failed", exc_info=kind())
    *_, oldest, newest = (entry["traceback"] for entry in entries(capfd))
    assert "whole in the line of" not in oldest
    assert "whole in the line of" in newest

"""Log lines: JSON for machines, readable text for people, the same fields in both."""

import json
import logging
from collections.abc import Iterator

import pytest

from persona_server import logs
from persona_server.logs import JsonFormatter, TextFormatter


class Kept(logging.Handler):
    """Keeps the records that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[list[logging.LogRecord]]:
    """The records that the service's logger makes in this test."""
    handler, before, level = Kept(), logs.LOGGER.handlers[:], logs.LOGGER.level
    logs.LOGGER.handlers[:] = [handler]
    logs.LOGGER.setLevel(logging.INFO)
    yield handler.records
    logs.LOGGER.handlers[:] = before
    logs.LOGGER.setLevel(level)


def log_a_call(**changes: object) -> None:
    given: dict[str, object] = {
        "request_id": "r1",
        "method": "GetPersona",
        "code": "OK",
        "reason": "",
        "duration_ms": 1.5,
        "tenant": "acme",
        "error_id": "",
    }
    logs.log_call(**(given | changes))


def test_a_call_is_one_line_of_json(kept: list[logging.LogRecord]) -> None:
    log_a_call()
    line = JsonFormatter().format(kept[0])
    assert "\n" not in line
    entry = json.loads(line)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "info",
        "message": "call",
        "request_id": "r1",
        "method": "GetPersona",
        "code": "OK",
        "duration_ms": 1.5,
        "tenant": "acme",
    }


def test_what_is_unset_is_left_out_and_zero_is_not(kept: list[logging.LogRecord]) -> None:
    log_a_call(duration_ms=0.0, reason="INVALID_FIELD", tenant="")
    entry = json.loads(JsonFormatter().format(kept[0]))
    assert entry["duration_ms"] == 0.0
    assert entry["reason"] == "INVALID_FIELD"
    assert "tenant" not in entry


def test_text_holds_the_same(kept: list[logging.LogRecord]) -> None:
    log_a_call()
    line = TextFormatter().format(kept[0])
    assert "\n" not in line
    for part in ("INFO", "call", "request_id=r1", "method=GetPersona", "tenant=acme"):
        assert part in line


def test_lines_can_not_be_forged(kept: list[logging.LogRecord]) -> None:
    logs.LOGGER.warning('new\nline "quoted"', extra={"rows": 3})
    line = JsonFormatter().format(kept[0])
    assert "\n" not in line
    assert json.loads(line)["message"] == 'new\nline "quoted"'
    assert json.loads(line)["rows"] == 3


def test_an_error_brings_its_traceback(kept: list[logging.LogRecord]) -> None:
    try:
        raise ValueError("why")
    except ValueError as error:
        logs.LOGGER.error("failed", exc_info=error)
    entry = json.loads(JsonFormatter().format(kept[0]))
    assert "ValueError: why" in entry["traceback"]
    assert entry["level"] == "error"
    assert TextFormatter().format(kept[0]).endswith("ValueError: why")


def test_time_is_utc_with_microseconds() -> None:
    record = logging.makeLogRecord({"created": 1_700_000_000.25, "msg": "x"})
    assert json.loads(JsonFormatter().format(record))["time"] == "2023-11-14T22:13:20.250000Z"


@pytest.mark.parametrize(("level", "shown"), [("debug", True), ("info", True), ("warning", False)])
@pytest.mark.usefixtures("kept")
def test_calls_are_logged_at_level_info(level: str, shown: bool) -> None:
    logs.configure(level)
    assert logs.LOGGER.isEnabledFor(logging.INFO) is shown
    handler = Kept()
    logs.LOGGER.handlers[:] = [handler]
    log_a_call()
    assert bool(handler.records) is shown

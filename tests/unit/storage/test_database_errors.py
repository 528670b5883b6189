"""What the drivers raise, as callers are told: by the table of faults, however it was wrapped."""

import time

import apsw
import peewee
import psycopg
import pytest
from google.protobuf.message import DecodeError

from persona_server import patience
from persona_server.errors import DisturbedError, ServiceError
from persona_server.storage.engine.errors import driver_errors_translated
from persona_server.storage.engine.faults import FAULTS, Effect, of_postgresql, of_sqlite

DISTURBED = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
SUCCESSES = {"OK", "ROW", "DONE", "NOTICE", "WARNING"}
PRIMARY = {name.removeprefix("SQLITE_") for name in apsw.mapping_result_codes if type(name) is str}
KINDS = {
    "BUSY": "busy",
    "FULL": "full",
    "READONLY": "read_only",
    "READONLY_DBMOVED": "read_only",
    "IOERR_WRITE": "io",
    "IOERR_DATA": "damage",
    "CANTOPEN": "io",
    "CORRUPT": "damage",
    "CORRUPT_INDEX": "damage",
    "NOTADB": "damage",
    "NOMEM": "memory",
    "INTERRUPT": "late",
    "CONSTRAINT_FOREIGNKEY": "fault",
    "ERROR": "fault",
}
STATES = {
    "57014": "late",
    "55P03": "queue",
    "40P01": "conflict",
    "53100": "full",
    "53200": "memory",
    "25006": "read_only",
    "58030": "io",
    "XX001": "damage",
    "XX000": "fault",
    "57P01": "lost",
    "08006": "lost",
    "23505": "fault",
}


def of_name(name: str) -> Exception:
    """Return an error of SQLite as the driver makes it."""
    return apsw.exception_for(getattr(apsw, f"SQLITE_{name}"))


def test_every_result_code_stands_in_the_table_once() -> None:
    named = [name for fault in FAULTS for name in fault.sqlite]
    assert len(named) == len(set(named))
    assert set(named) >= PRIMARY - SUCCESSES


@pytest.mark.parametrize("name", KINDS)
def test_what_sqlite_says(name: str) -> None:
    error = of_name(name)
    assert isinstance(error, apsw.Error)
    assert of_sqlite(error).kind == KINDS[name]


@pytest.mark.parametrize("state", STATES)
def test_what_postgresql_says(state: str) -> None:
    error = psycopg.Error()
    error.sqlstate = state
    assert of_postgresql(error).kind == STATES[state]


def test_a_lost_connection_has_no_state() -> None:
    assert of_postgresql(psycopg.OperationalError("closed")).kind == "lost"
    assert of_postgresql(psycopg.ProgrammingError("ours")).kind == "fault"


def raise_wrapped(cause: Exception, times: int) -> None:
    """Raise an error of the driver as Peewee does, each one while the one before is handled."""
    if not times:
        raise cause
    try:
        raise_wrapped(cause, times - 1)
    except Exception:  # noqa: BLE001 (whatever it is)
        raise peewee.OperationalError("unable to open database file")  # noqa: B904 (as Peewee)


TOLD = {
    "BUSY": "DATABASE_UNAVAILABLE",
    "FULL": "DATABASE_UNAVAILABLE",
    "READONLY": "DATABASE_UNAVAILABLE",
    "IOERR": "DATABASE_UNAVAILABLE",
    "NOMEM": "DATABASE_UNAVAILABLE",
    "CORRUPT": "DATABASE_DAMAGED",
    "INTERRUPT": "DEADLINE_EXCEEDED",
}


@pytest.mark.parametrize("times", [0, 1, 2, 3])
@pytest.mark.parametrize("name", TOLD)
def test_callers_are_told_by_the_table(name: str, times: int) -> None:
    with pytest.raises(ServiceError) as refusal, driver_errors_translated():
        raise_wrapped(of_name(name), times)
    assert refusal.value.reason_name == TOLD[name]
    assert ("disk is full" in refusal.value.message) is (name == "FULL")
    retryable = TOLD[name] == "DATABASE_UNAVAILABLE"
    assert (refusal.value.retry_after is not None) is retryable
    assert refusal.value.fault == KINDS.get(name, "io")


@pytest.mark.parametrize("times", [0, 1, 2])
@pytest.mark.parametrize("kind", DISTURBED)
def test_what_is_taken_back_can_be_done_again(kind: type[psycopg.Error], times: int) -> None:
    with pytest.raises(DisturbedError) as refusal, driver_errors_translated():
        raise_wrapped(kind("why"), times)
    assert refusal.value.reason_name == "CONCURRENT_CHANGE"
    assert refusal.value.retry_after


def test_an_explicit_cause_counts_too() -> None:
    with pytest.raises(ServiceError), driver_errors_translated():
        raise peewee.OperationalError("x") from of_name("CANTOPEN")


@pytest.mark.parametrize(
    "error", [DecodeError("x"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "")]
)
def test_what_is_stored_and_can_not_be_read_is_damage(error: Exception) -> None:
    with pytest.raises(ServiceError) as refusal, driver_errors_translated():
        raise error
    assert refusal.value.reason_name == "DATABASE_DAMAGED"


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_fault_of_ours_stays_what_it_is(times: int) -> None:
    with pytest.raises((apsw.SQLError, peewee.OperationalError)), driver_errors_translated():
        raise_wrapped(of_name("ERROR"), times)
    with pytest.raises(KeyError), driver_errors_translated():
        raise KeyError


def reason_of(error: Exception, *, until_deadline: bool = False) -> str:
    with (
        pytest.raises(ServiceError) as refusal,
        driver_errors_translated(until_deadline=until_deadline),
    ):
        raise error
    return refusal.value.reason_name


def test_a_turn_that_is_waited_for_until_the_deadline_is_late() -> None:
    assert reason_of(TimeoutError()) == "DATABASE_UNAVAILABLE"
    assert reason_of(TimeoutError(), until_deadline=True) == "DEADLINE_EXCEEDED"
    assert reason_of(of_name("BUSY"), until_deadline=True) == "DATABASE_UNAVAILABLE"
    patience.begin(time.monotonic(), lambda: False)
    try:
        assert reason_of(of_name("BUSY")) == "DEADLINE_EXCEEDED"
    finally:
        patience.end()


def test_health_stays_as_it_is_where_the_next_call_may_succeed() -> None:
    lasting = {fault.kind for fault in FAULTS if fault.effect is not Effect.NONE}
    assert lasting == {"full", "read_only", "io", "damage", "lost"}

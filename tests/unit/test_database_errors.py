"""What the driver raises, as callers are told: by what it came of, however often it was wrapped."""

import apsw
import peewee
import psycopg
import pytest

from persona_server.errors import DisturbedError, ServiceError
from persona_server.storage.engine.errors import driver_errors_translated

UNAVAILABLE = (apsw.BusyError, apsw.LockedError, apsw.IOError, apsw.CantOpenError, apsw.FullError)
DISTURBED = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)


def raise_wrapped(cause: Exception, times: int) -> None:
    """Raise an error of the driver as Peewee does, each one while the one before is handled."""
    if not times:
        raise cause
    try:
        raise_wrapped(cause, times - 1)
    except Exception:  # noqa: BLE001 (whatever it is)
        raise peewee.OperationalError("unable to open database file")  # noqa: B904 (as Peewee)


@pytest.mark.parametrize("times", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", UNAVAILABLE)
def test_what_ends_by_itself_is_unavailable(kind: type[apsw.Error], times: int) -> None:
    with pytest.raises(ServiceError) as refusal, driver_errors_translated():
        raise_wrapped(kind("why"), times)
    assert refusal.value.reason_name == "DATABASE_UNAVAILABLE"
    assert ("disk is full" in refusal.value.message) is (kind is apsw.FullError)
    assert refusal.value.retry_after


@pytest.mark.parametrize("times", [0, 1, 2])
@pytest.mark.parametrize("kind", DISTURBED)
def test_what_is_taken_back_can_be_done_again(kind: type[psycopg.Error], times: int) -> None:
    with pytest.raises(DisturbedError) as refusal, driver_errors_translated():
        raise_wrapped(kind("why"), times)
    assert refusal.value.reason_name == "CONCURRENT_CHANGE"
    assert refusal.value.retry_after


def test_an_explicit_cause_counts_too() -> None:
    with pytest.raises(ServiceError), driver_errors_translated():
        raise peewee.OperationalError("x") from apsw.CantOpenError("why")


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_fault_of_ours_stays_what_it_is(times: int) -> None:
    with pytest.raises((apsw.SQLError, peewee.OperationalError)), driver_errors_translated():
        raise_wrapped(apsw.SQLError("no such table"), times)
    with pytest.raises(KeyError), driver_errors_translated():
        raise KeyError

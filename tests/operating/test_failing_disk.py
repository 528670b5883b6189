"""R4: a disk that fails is said to callers and by health, loses nothing, and heals by itself."""

import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from support.data import make_place, persona, uid
from support.databases.disks import mounted
from support.errors import Refusal, refused
from support.importer import LEAN
from support.operating.health import is_serving, metric
from support.service import Service, running_service
from support.waiting import eventually

UNLIMITED = resource.RLIM_INFINITY


def limit_files(service: Service, size: int) -> None:
    """Let no file of a service grow, or be written, beyond so many bytes."""
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, UNLIMITED))


def assert_worth_a_retry(refusal: Refusal) -> None:
    assert refusal.problem.code == grpc.StatusCode.UNAVAILABLE
    assert refusal.problem.retry


def test_writes_that_fail_are_said_by_health_until_they_succeed(data: Path) -> None:
    with running_service(data, *LEAN) as service:
        place, request_id = make_place(service.connect()), uid()
        kept = place.create(persona())
        assert is_serving(service)
        limit_files(service, 1)
        with refused("DATABASE_UNAVAILABLE") as refusal:
            place.create(persona(), request_id)
        assert_worth_a_retry(refusal)
        eventually(lambda: not is_serving(service))
        assert place.walk() == [kept]  # what is there is read
        limit_files(service, UNLIMITED)
        eventually(lambda: is_serving(service))
        made = place.create(persona(), request_id)
        assert sorted(one.id for one in place.walk()) == sorted([kept.id, made.id])
        assert metric(service, 'persona_database_errors_total{kind="io"}') >= 1


def test_one_write_that_fails_is_no_reason_to_serve_nobody(data: Path) -> None:
    """Health looks by a write of its own, and this disk has room for small ones."""
    with running_service(data, *LEAN) as service:
        place = make_place(service.connect())
        wal = next(data.glob("*-wal"))
        limit_files(service, wal.stat().st_size + (256 << 10))
        with refused("DATABASE_UNAVAILABLE"):
            place.fill(900, psychographic_notes="x" * 3000)
        eventually(lambda: metric(service, 'persona_database_errors_total{kind="io"}') >= 1)
        assert is_serving(service)
        place.create(persona())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of a test's own."""
    with mounted(tmp_path / "disk", "size=8m") as folder:
        yield folder


def test_a_full_disk_heals_when_there_is_room_again(disk: Path) -> None:
    ballast, request_id = disk / "ballast", uid()
    with running_service(disk / "data", *LEAN) as service:
        place = make_place(service.connect())
        left = shutil.disk_usage(disk).free - (64 << 10)
        ballast.write_bytes(os.urandom(left))
        made = 0
        with refused("DATABASE_UNAVAILABLE") as refusal:
            while made < 1000:
                place.create(persona(psychographic_notes="x" * 3000), request_id)
                request_id, made = uid(), made + 1
        assert_worth_a_retry(refusal)
        assert "disk is full" in refusal.problem.message
        eventually(lambda: not is_serving(service))
        ballast.unlink()
        eventually(lambda: is_serving(service))
        place.create(persona(psychographic_notes="x" * 3000), request_id)
        assert place.count() == made + 1 == len(place.walk())

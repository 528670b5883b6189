"""What the page of metrics tells of the service around its calls."""

import tomllib
import urllib.request
from collections import Counter
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from rest.wire import Rest

from persona_server.storage.engine.folder import FILE_NAME
from persona_server.storage.upkeep.backups import back_up, back_up_to
from persona_server.transport.pools import LIMITS
from support.data import Place, make_place
from support.importer import LEAN
from support.operating.metrics import documented, families, labels, named, samples, value
from support.operating.workers import COUNT, FLAGS, caller_of, kill, pid_of
from support.service import START_SECONDS, Service, running_service
from support.waiting import eventually

TENANTS = ("first", "second", "third", "fourth")
OTHERS = dict.fromkeys(("third", "fourth"), "(others)")
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_page_on_monitoring_has_every_metric(place: Place, service: Service) -> None:
    place.fill(1)
    Rest(service.rest, None).call("GET", "/api/v1/projects").problem(401, "UNAUTHENTICATED")
    rows, served = documented(), families(service)
    assert rows.keys() == {named(one) for one in served}
    for one in served:
        if one.samples:
            assert labels(one) == rows[named(one)], one.name


def test_the_build_is_named_once(service: Service) -> None:
    ((given, one),) = samples(service, "persona_build_info").items()
    assert one == 1
    assert dict(given)["version"] == version("persona-service")
    ((given, one),) = samples(service, "persona_gateway_build_info").items()
    assert one == 1
    released = tomllib.loads(PYPROJECT.read_text())["project"]["version"]
    assert dict(given)["version"] == released


def test_processes_are_told_apart(service: Service) -> None:
    for name in ("server", "gateway"):
        assert value(service, "process_resident_memory_bytes", process=name) > 4 << 20
        opened = value(service, "process_open_fds", process=name)
        assert 4 < opened < value(service, "process_max_fds", process=name)
        assert value(service, "process_cpu_seconds_total", process=name) > 0
    line = next(line for line in service.log if line["message"] == "listening")
    listened = datetime.fromisoformat(line["time"]).timestamp()
    found = value(service, "process_start_time_seconds", process="server")
    assert listened - START_SECONDS < found < listened + 1  # a clock of whole seconds


def test_health_is_told(service: Service) -> None:
    assert value(service, "persona_serving") == 1


def test_pools_are_told_by_name(service: Service) -> None:
    for name, limits in LIMITS.items():
        assert value(service, "persona_pool_threads", pool=name) == limits.threads
        assert value(service, "persona_pool_waiting", pool=name) == 0
        busy = value(service, "persona_pool_busy", pool=name)
        assert 0 <= busy <= limits.threads


@pytest.mark.sqlite("its files are another program's")
def test_files_and_backups_are_told(data: Path, tmp_path: Path) -> None:
    with running_service(data, *LEAN) as service:
        make_place(service.connect()).fill(50)
        assert value(service, "persona_database_bytes") == (data / FILE_NAME).stat().st_size
        log = data / f"{FILE_NAME}-wal"
        assert value(service, "persona_database_log_bytes") == log.stat().st_size > 0
        free = value(service, "persona_disk_free_bytes")
        assert 0 < free <= value(service, "persona_disk_bytes")
        assert value(service, "persona_database_connections", state="open") > 10
        assert value(service, "persona_backup_timestamp_seconds") == 0
        for target in ("one", "two"):
            before = data.stat().st_mtime
            back_up(data, tmp_path / target)
            assert value(service, "persona_backup_timestamp_seconds") >= before
        taken = value(service, "persona_backup_timestamp_seconds")
        with pytest.raises(OSError, match="write"):  # whoever should get it has gone
            back_up_to(data, (tmp_path / "one").open("rb"))
        assert value(service, "persona_backup_timestamp_seconds") == taken
        with (tmp_path / "three").open("wb") as stream:
            back_up_to(data, stream)
        assert value(service, "persona_backup_timestamp_seconds") > taken


def test_no_tenant_is_named_unless_that_is_asked_for(place: Place, service: Service) -> None:
    place.fill(1)
    assert samples(service, "persona_tenant_calls_total") == {}


@pytest.mark.parametrize("workers", [1, COUNT])
def test_so_many_tenants_are_named(data: Path, workers: int) -> None:
    flags = ["--metrics-tenants", "2", "--workers", str(workers)]
    with running_service(data, *LEAN, *flags) as service:
        for number, tenant in enumerate((*TENANTS, *reversed(TENANTS))):
            worker = number // len(TENANTS) % workers
            token = service.token(tenant)
            caller = caller_of(service, worker, token) if workers > 1 else service.connect(token)
            make_place(caller).fill(3)
            caller.close()

        def calls() -> dict[str, float]:
            found = samples(service, "persona_tenant_calls_total")
            return {dict(given)["tenant"]: one for given, one in found.items()}

        def logged() -> Counter[str]:
            lines = [line for line in service.log if line.get("tenant")]
            return Counter(OTHERS.get(line["tenant"], line["tenant"]) for line in lines)

        eventually(lambda: calls() == logged())  # each call is counted and logged after its answer
        assert calls().keys() == {"first", "second", "(others)"}
        for name in ("seconds", "bytes"):
            assert value(service, f"persona_tenant_{name}_total", tenant="first") > 0
        assert value(service, "persona_tenant_refused_total", tenant="first") == 0


def test_workers_are_one_service_of_several_processes(data: Path) -> None:
    with running_service(data, *FLAGS) as service:
        assert value(service, "persona_serving") == COUNT
        assert len(samples(service, "persona_build_info")) == 1
        assert value(service, "persona_pool_threads", pool="read") == COUNT * 8
        found = {dict(given)["process"] for given in samples(service, "process_open_fds")}
        assert found == {"server", "gateway", *(f"worker-{n}" for n in range(COUNT))}
        started = value(service, "process_start_time_seconds", process="worker-0")
        before = pid_of(service, 0)
        kill(service, 0)
        eventually(lambda: pid_of(service, 0) != before)
        assert value(service, "process_start_time_seconds", process="worker-0") > started
        assert eventually(lambda: value(service, "persona_serving") == COUNT)


def test_it_is_one_page_in_good_form(service: Service) -> None:
    with urllib.request.urlopen(service.metrics, timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    types = [line for line in lines if line.startswith("# TYPE")]
    assert len(types) == len({line.split()[2] for line in types})

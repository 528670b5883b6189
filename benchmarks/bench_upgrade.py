"""What an upgrade of many answers takes, and a backup of them beside a writer.

A database with answers is made, and copied into the schema of an older version, before which the
derived tables were others. Then the service is started on that copy, and backed up. Printed are how
long both take, how long the log says nothing, what health says, memory, and the database's log.
"""

import argparse
import json
import random
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from answering import QUESTIONS, batches
from bench_sizes import size
from data import make_persona
from grpc_health.v1 import health_pb2, health_pb2_grpc
from library_data import TENANT, add_people, make_place
from processes import PROGRAM, Client, cpu_of, service

from persona.v1 import persona_service_pb2 as pb
from persona.v1.persona_pb2 import Persona
from persona.v1.project_pb2 import PersonaGroup
from persona.v1.response_service_pb2 import RecordResponsesRequest
from persona_server.services.responses.recording import record_responses
from persona_server.storage.engine.folder import FILE_NAME, make_private
from persona_server.storage.engine.sqlite.database import SqliteDatabase
from persona_server.storage.keys import id_text
from persona_server.storage.migrate import runner_of
from persona_server.storage.store import Store, open_store

BEFORE = "0015_copies_and_erasure"
# As they were then; what is not copied is made anew by the upgrade, or empty.
TABLES = (
    *("tenant", "project", "persona_group", "persona_set", "persona", "persona_term"),
    *("simulation", "response", "asked", "answered"),
)
SIMULATIONS, PEOPLE = 10, 1000  # of a part, in each of which others answer
LOOK_SECONDS = 0.25


def fill(store: Store, answers: int) -> None:
    """Record about so many answers, in parts of 1,000 people who are asked in ten simulations."""
    store.database.execute_sql("PRAGMA synchronous = OFF")
    random_ = random.Random(1)
    project, group = make_place(store, PersonaGroup(name="bench"))
    for part in range(-(-answers // (PEOPLE * QUESTIONS * SIMULATIONS))):
        people = [make_persona(random_) for _ in range(PEOPLE)]
        ids = [id_text(one) for one in add_people(store, project, group, people)]
        for raw in batches(ids, SIMULATIONS, seed=part):
            request = RecordResponsesRequest.FromString(raw)
            for response in request.responses:
                response.id = ""  # the server's are in the order of time
            with store.writing(TENANT, None) as repositories:
                record_responses(repositories, request.simulation_id, request.responses)
        print(f"part {part + 1} recorded", flush=True)


def make_older(source: Path, folder: Path) -> None:
    """Make the database of an older version in a folder, with what is in another database."""
    make_private(folder)
    database = SqliteDatabase(folder / FILE_NAME)
    database.execute_sql("PRAGMA synchronous = OFF")
    with database.migrating():
        runner_of(database).up(BEFORE)
    database.execute_sql("ATTACH ? AS source", (str(source),))
    for table in TABLES:
        columns = ", ".join(row[1] for row in database.execute_sql(f"PRAGMA table_info({table})"))
        copy = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM source.{table}"  # noqa: S608
        database.execute_sql(copy)
        print(f"{table} copied", flush=True)
    database.execute_sql("DETACH source")
    database.close_all()


class Looks:
    """What a process and its database hold while a block runs: the most of each, in bytes.

    `cpu` is how many seconds the process has spent.
    """

    def __init__(self, pid: int, data: Path) -> None:
        self._pid = pid
        self._status = Path(f"/proc/{pid}/status")
        self._log = data / f"{FILE_NAME}-wal"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.memory = self.log = 0
        self.cpu = 0.0
        self.address = ""  # asked for its health
        self.health: Counter[str] = Counter()

    def __enter__(self) -> "Looks":
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            if self._log.exists():
                self.log = max(self.log, self._log.stat().st_size)
            status = self._status.read_text()
            if "VmHWM:" in status:  # else it has ended
                self.memory = int(status.split("VmHWM:")[1].split()[0]) << 10
                self.cpu = cpu_of(self._pid)
            if self.address:
                self.health[health_at(self.address)] += 1

    def __str__(self) -> str:
        return (
            f"{self.cpu:,.0f} s of CPU, {self.memory >> 20:,} MiB of memory, "
            f"log of {self.log >> 20:,} MiB at most"
        )


def health_at(address: str) -> str:
    """Return what health says there."""
    with grpc.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.RpcError as error:
            code: Any = error
            return str(code.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def upgrade(data: Path) -> None:
    """Start the service on an older database until it listens; print what that was like."""
    command = [str(PROGRAM), "serve", "--data", str(data), "--rest", "off", "--metrics", "off"]
    command += ["--listen", "127.0.0.1:0"]
    before, begun = (data / FILE_NAME).stat().st_size, time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    silences, last = [], begun
    with Looks(process.pid, data) as looks:
        assert process.stderr is not None
        for text in process.stderr:
            silences.append(time.monotonic() - last)
            last, line = time.monotonic(), json.loads(text)
            if "upgrad" in line["message"]:
                print(f"{last - begun:7.1f} s  {text.strip()}", flush=True)
            looks.address = line.get("grpc", looks.address)
            if line["message"] == "upgraded":
                looks.address = ""
            if line["message"] == "listening":
                break
        taken = time.monotonic() - begun
    process.terminate()
    process.communicate()
    grown = (data / FILE_NAME).stat().st_size
    print(f"upgrade: {taken:,.0f} s, silent for {max(silences):.1f} s at most, {looks}")
    print(
        f"         file of {before >> 20:,} MiB → {grown >> 20:,} MiB, health {dict(looks.health)}"
    )


class Writer:
    """Creates one persona after the other for a block; `took` has the seconds of each."""

    def __init__(self, address: str, token: str) -> None:
        self._client = Client(address, token)
        project, (group,) = self._client.groups(1)
        one = Persona(full_name="Mira Sandberg", psychographic_notes="x" * 3000)
        self._request = pb.CreatePersonaRequest(project_id=project, group_id=group, persona=one)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.took: list[float] = []

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            begun = time.perf_counter()
            self._client.personas.CreatePersona(self._request, metadata=self._client.metadata)
            self.took.append(time.perf_counter() - begun)


def back_up(folder: Path) -> None:
    """Back the database up beside a writer; print what that was like."""
    target, begun = folder / "backup", time.monotonic()
    with service(folder) as (_, address, token), Writer(address, token) as writer:
        command = [str(PROGRAM), "backup", str(target), "--data", str(folder / "data")]
        process = subprocess.Popen(command)
        with Looks(process.pid, folder / "data") as looks:
            code = process.wait()
        taken = time.monotonic() - begun
    took = sorted(writer.took)
    print(
        f"backup: exit code {code}, {taken:,.0f} s, {looks}; meanwhile {len(took):,} creates, p99 "
        f"{took[int(len(took) * 0.99)] * 1000:,.0f} ms, longest {took[-1] * 1000:,.0f} ms"
    )


@contextmanager
def older(given: argparse.Namespace) -> Iterator[Path]:
    """Give a folder whose `data` is an older database, made now unless one is named."""
    if given.folder:
        yield given.folder
        return
    with tempfile.TemporaryDirectory(dir=".") as made:
        folder = Path(made)
        store = open_store(folder / "now")
        fill(store, given.answers)
        print(f"{given.answers:,} answers take {size(store) >> 20:,} MiB", flush=True)
        store.close()
        make_older(folder / "now" / FILE_NAME, folder / "data")
        (folder / "now" / FILE_NAME).unlink()
        yield folder


def main() -> None:
    """Make an older database, upgrade it, and back it up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="whose data is an older database already")
    with older(parser.parse_args()) as folder:
        upgrade(folder / "data")
        back_up(folder)


if __name__ == "__main__":
    main()

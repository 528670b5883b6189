"""The processes that a benchmark measures, pinned to a core, and a client to prepare them."""

import os
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import grpc

from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_pb2
from persona.v1 import project_service_pb2 as projects_pb
from persona.v1.persona_service_pb2_grpc import PersonaServiceStub
from persona.v1.project_service_pb2_grpc import ProjectServiceStub

SERVER_CORE = {0}
EVERY_CORE = set(range(os.cpu_count() or 1))
SERVICE = "/persona.v1.PersonaService"
PROGRAM = Path(sys.executable).with_name("persona")
# One tenant asks for more pages a second than its quota lets it have.
UNLIMITED = {
    f"PERSONA_QUOTA_{name}": str(1 << 40) for name in ("CALLS_PER_SECOND", "BYTES_PER_SECOND")
}


class Process:
    """A server process, pinned to the server's core unless others are named."""

    def __init__(
        self, command: list[str], cores: Collection[int] = SERVER_CORE, **options: Any
    ) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, **options)
        os.sched_setaffinity(self.process.pid, cores)

    def cpu(self) -> float:
        """Return the CPU seconds that the process has spent, and its children that live."""
        return cpu_of(self.process.pid)


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process has spent, and its children that live."""
    # The clock of another process, as clock_getcpuclockid() of Linux makes its number: /proc
    # tells hundredths of a second.
    return sum(time.clock_gettime(~one << 3 | 2) for one in [pid, *children_of(pid)])


def children_of(pid: int) -> list[int]:
    """Return the children of a process's first thread."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def service(
    folder: Path,
    program: Path = PROGRAM,
    page_cache_bytes: int = 0,
    *,
    database: str = "",
    workers: int = 1,
) -> Iterator[tuple[Process, str, str]]:
    """Run the service, of this version or another; yield its process, address and token.

    Its database is a file in the folder, or one of PostgreSQL at a URL. More than one of its
    `workers` have all cores, on which they pin themselves.
    """
    command = [str(program), "serve", "--data", str(folder / "data")]
    command += ["--listen", "127.0.0.1:0", "--rest", "off", "--metrics", "127.0.0.1:0"]
    # Not as flags, which older versions don't know.
    environment = os.environ | {
        "PERSONA_PRINT_TOKEN": "on",
        "PERSONA_PAGE_CACHE_BYTES": str(page_cache_bytes),
        **({"PERSONA_WORKERS": str(workers)} if workers > 1 else {}),
        **({"PERSONA_DATABASE": database} if database else {}),
        **UNLIMITED,
    }
    cores = SERVER_CORE if workers == 1 else EVERY_CORE
    with (folder / "log").open("w") as log:
        started = Process(command, cores, stdout=subprocess.PIPE, stderr=log, env=environment)
        try:
            assert started.process.stdout is not None
            for line in started.process.stdout:
                if line.startswith("export "):
                    words = dict(w.split("=", 1) for w in line.split()[1:])
                    break
            yield started, words["PERSONA_ADDRESS"], words["PERSONA_TOKEN"]
        finally:
            started.process.terminate()
            started.process.wait()


@contextmanager
def echo(folder: Path, answers: dict[str, bytes]) -> Iterator[tuple[Process, str]]:
    """Run the baseline with these answers; yield its process and address."""
    arguments = []
    for name, answer in answers.items():
        path = folder / f"answer-{name}"
        path.write_bytes(answer)
        arguments.append(f"{name}={path}")
    program = str(Path(__file__).with_name("echo.py"))
    started = Process([sys.executable, program, *arguments], stdout=subprocess.PIPE)
    try:
        assert started.process.stdout is not None
        yield started, f"127.0.0.1:{int(started.process.stdout.readline())}"
    finally:
        started.process.terminate()
        started.process.wait()


class Client:
    """Raw calls with a token."""

    def __init__(self, address: str, token: str) -> None:
        options = [("grpc.max_receive_message_length", 8 << 20)]
        self.channel = grpc.insecure_channel(address, options)
        self.metadata = (("authorization", f"Bearer {token}"),)
        self.personas = PersonaServiceStub(self.channel)
        self.projects = ProjectServiceStub(self.channel)

    def groups(self, count: int) -> tuple[str, list[str]]:
        """Make a project with so many groups; return their ids."""
        wanted = projects_pb.CreateProjectRequest(project=project_pb2.Project(name="bench"))
        project = self.projects.CreateProject(wanted, metadata=self.metadata).project.id
        groups = []
        for i in range(count):
            request = projects_pb.CreatePersonaGroupRequest(project_id=project)
            request.persona_group.name = f"group {i}"
            answer = self.projects.CreatePersonaGroup(request, metadata=self.metadata)
            groups.append(answer.persona_group.id)
        return project, groups

    def import_all(self, project: str, groups: list[str], batches: list[list[bytes]]) -> None:
        """Import the encoded batches of each group."""
        for group, messages in zip(groups, batches, strict=True):
            assert self.import_into(project, group, messages) == 1 + len(messages)

    def import_into(self, project: str, group: str, messages: Iterable[bytes]) -> int:
        """Import encoded batches into a group; return the number of answers."""
        call: Any = self.channel.stream_stream(f"{SERVICE}/ImportPersonas")
        start = pb.ImportStart(project_id=project, group_id=group, import_id=group)
        first = pb.ImportPersonasRequest(start=start).SerializeToString()
        return sum(1 for _ in call(chain((first,), messages), metadata=self.metadata))

    def call(self, method: str, request: bytes) -> bytes:
        """Call a unary method with encoded messages."""
        unary: Any = self.channel.unary_unary(f"{SERVICE}/{method}")
        answer: bytes = unary(request, metadata=self.metadata)
        return answer

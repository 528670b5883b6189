"""A PostgreSQL of the tests' own: found on the machine, run on loopback, gone at the end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from support.ports import free_port
from support.waiting import LIMIT

# The folder of the programs, where they are to be others than the newest of the machine.
PROGRAMS = "PERSONA_TEST_POSTGRESQL"
OWN = Path(__file__).parents[2] / ".tools/postgresql/bin"  # as tools/setup has it where it must
START_SECONDS = 120.0
# What a crash must not lose is asked of a cluster that is `durable`; others need no disk.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
TEMPLATE = "persona_template"


def programs() -> Path:
    """Return the folder of the newest PostgreSQL. Raises RuntimeError where there is none."""
    if named := os.environ.get(PROGRAMS):
        return Path(named)
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).parent
    if (OWN / "initdb").exists():
        return OWN
    raise RuntimeError(f"There is no PostgreSQL: install one, or name its programs by {PROGRAMS}.")


def _version(initdb: Path) -> int:
    name = initdb.parent.parent.name
    return int(name) if name.isdigit() else 0


class Cluster:
    """A running cluster, whose databases are made as they are asked for.

    One `of` another is a replica of that, which follows it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = False,
        of: "Cluster | None" = None,
        bin_folder: Path | None = None,
    ) -> None:
        self._folder = folder
        self._programs = bin_folder or programs()
        self._settings = () if durable else FAST
        self._numbers = iter(range(1_000_000))
        self._lock = threading.Lock()
        self._template = False
        self.port = free_port()
        if of is None:
            self._run("initdb", "-D", self._data, "-U", "persona", "-A", "trust", "-E", "UTF8",
                      "--locale=C", "--no-sync")  # fmt: skip
        else:
            self._run("pg_basebackup", "-D", self._data, "-R", "-c", "fast", "-d",
                      of.url("postgres"))  # fmt: skip
        self.process = self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command = as_owner(self._programs / program, *arguments)
        subprocess.run(command, capture_output=True, cwd=self._folder, check=True)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server, and wait until it answers.

        One that ends at once is started again, as a supervisor would: what outlives a kill for a
        moment keeps it from its memory.
        """
        until = time.monotonic() + START_SECONDS
        self.process = self._begun()
        while time.monotonic() < until:
            if self.process.poll() is not None:
                self.process = self._begun()
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return self.process
        raise RuntimeError((self._folder / "log").read_text())

    def _begun(self) -> subprocess.Popen[bytes]:
        # No vacuum by itself: it would take the processor from the tests.
        settings = (
            "listen_addresses=127.0.0.1",
            "max_connections=400",
            "autovacuum=off",
            *self._settings,
        )
        options = [word for one in settings for word in ("-c", one)]
        command = as_owner(self._programs / "postgres", "-D", self._data, "-k", self._folder,
                           "-p", self.port, *options)  # fmt: skip
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )

    def url(self, database: str, user: str = "persona") -> str:
        """Return where a database is."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        """Execute a statement outside of every database of the tests."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def database(self, template: str = "") -> str:
        """Make a database, empty or a copy of another one, and return where it is."""
        with self._lock:
            name = f"test_{os.getpid()}_{next(self._numbers)}"
        copied = f" TEMPLATE {template.rpartition('/')[2]}" if template else ""
        self.execute(f"CREATE DATABASE {name}{copied}")
        return self.url(name)

    def migrated(self) -> str:
        """Make a database with all tables, as a copy of one that was migrated once."""
        from persona_server.storage.store import open_store

        with self._lock:
            if not self._template:
                self.execute(f"CREATE DATABASE {TEMPLATE}")
                open_store(self.url(TEMPLATE)).close()
                self._template = True
            name = f"test_{os.getpid()}_{next(self._numbers)}"
            # File by file: through the log it would cost twice as much.
            self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected: in memory each takes as much as its files."""
        self.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def kill(self) -> None:
        """End the server and the processes of its connections as a power switch would."""
        _signal([self.process.pid], signal.SIGSTOP)  # so that it begins no more of them
        children = self._children()
        self.process.kill()
        self.process.wait()
        _signal(children, signal.SIGKILL)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let nothing be answered for a block: connections stay, and nothing comes of them."""
        first = [self.process.pid]
        _signal(first, signal.SIGSTOP)  # before the others are looked for: it begins no more then
        pids = first + self._children()
        _signal(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(pids, signal.SIGCONT)

    def _children(self) -> list[int]:
        """Return the processes of the server beside its first."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def stop(self) -> None:
        """Stop the server, without waiting for its clients."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # a fast shutdown
            try:
                self.process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)  # at once
                self.process.wait(LIMIT)


@contextmanager
def running_cluster(
    *, durable: bool = False, of: Cluster | None = None, bin_folder: Path | None = None
) -> Iterator[Cluster]:
    """Run a cluster for a block, on the disk if it is to be durable.

    It is a replica `of` another one, or of the programs in a folder, if they are named.
    """
    place = None if durable or not Path("/dev/shm").is_dir() else "/dev/shm"  # noqa: S108 (ours)
    folder = Path(tempfile.mkdtemp(prefix="persona-pg-", dir=place))  # short: of a socket's path
    if os.geteuid() == 0:
        shutil.chown(folder, owner())
    try:
        cluster = Cluster(folder, durable=durable, of=of, bin_folder=bin_folder)
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def owner() -> str:
    """Return who runs the server in place of root, which it refuses."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def can_run(programs: Path) -> bool:
    """Return whether the owner of a cluster can run these: in a folder of root alone none can."""
    command = as_owner(programs / "initdb", "--version")
    return subprocess.run(command, capture_output=True, cwd="/", check=False).returncode == 0


def as_owner(*command: object) -> list[str]:
    """Return a command as one who may run a server gives it, where this process is root's.

    A program changes the user, and not Popen, which would fork for that: forks of a process with
    gRPC's threads fail now and then.
    """
    words = [str(word) for word in command]
    if os.geteuid() != 0:
        return words
    group = str(pwd.getpwnam(owner()).pw_gid)
    return ["setpriv", "--reuid", owner(), "--regid", group, "--clear-groups", "--", *words]

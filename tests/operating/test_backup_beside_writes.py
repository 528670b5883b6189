"""Backups made while others write (R18): whole, with all that was acknowledged before."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from persona_server.storage.engine.folder import FILE_NAME
from support.data import Place, make_place, uid
from support.importer import LEAN, Importer
from support.service import PERSONA, Caller, Service, running_service
from support.waiting import LIMIT, eventually

LONGEST_LOG = 64 << 20
BACKUPS = 3


class Writer:
    """Imports personas until it is told to stop."""

    def __init__(self, service: Service) -> None:
        self.caller = service.connect()
        self.importer = Importer(make_place(self.caller), batches=100_000, size=100, text=3000)
        self._thread = threading.Thread(target=self._run, args=(self.caller,))
        self._thread.start()

    def _run(self, caller: Caller) -> None:
        self.importer.run(caller)

    def stop(self) -> None:
        self.caller.close()
        self._thread.join(LIMIT)


@contextmanager
def writing(service: Service) -> Iterator[Writer]:
    writer = Writer(service)
    try:
        eventually(lambda: writer.importer.acknowledged > 20)
        yield writer
    finally:
        writer.stop()


def backup(service: Service, file: Path) -> "subprocess.Popen[str]":
    command = [str(PERSONA), "backup", str(file), "--data", str(service.data)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def log_length(service: Service) -> int:
    return (service.data / f"{FILE_NAME}-wal").stat().st_size


def restored_names(file: Path, folder: Path, importer: Importer) -> list[str]:
    """Restore a backup, serve it, and return the names of what was imported, in their order."""
    command = [str(PERSONA), "restore", str(file), "--data", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    with running_service(folder, *LEAN) as service:
        chunks = Place(service.connect(), importer.project, importer.group).export()
    return sorted(one.full_name for chunk in chunks for one in chunk.personas)


def test_backups_beside_an_import_restore_whole(data: Path, tmp_path: Path) -> None:
    """Each has the batches acknowledged before its start, no part of one, and nothing damaged."""
    with running_service(data, *LEAN) as service, writing(service) as writer:
        importer, longest, before = writer.importer, 0, []
        for number in range(BACKUPS):
            before.append(importer.acknowledged)
            with backup(service, tmp_path / f"{number}") as process:
                while process.poll() is None:
                    longest = max(longest, log_length(service))
            assert process.returncode == 0
            assert importer.acknowledged > before[-1]  # there were writes meanwhile
        assert importer.error is None
    for number, acknowledged in enumerate(before):
        names = restored_names(tmp_path / f"{number}", tmp_path / f"restored{number}", importer)
        batches, part = divmod(len(names), importer.size)
        assert batches >= acknowledged
        assert part == 0
        assert names == importer.names(batches)
    assert longest < LONGEST_LOG


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_backup_that_is_stopped_leaves_nothing_of_its_name(
    data: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    file = folder / "one"
    with running_service(data, *LEAN) as service:

        def was_stopped() -> bool:
            """Whether a signal came before the backup was there: else it is whole, and goes."""
            with backup(service, file) as process:
                eventually(lambda: any(folder.iterdir()))
                process.send_signal(number)
                process.wait(LIMIT)
            if not file.exists():
                return True
            command = [str(PERSONA), "restore", str(file), "--data", str(tmp_path / uid())]
            subprocess.run(command, check=True, capture_output=True)
            file.unlink()
            return False

        with writing(service):
            assert any(was_stopped() for _ in range(40))
        if number != signal.SIGKILL:
            assert not list(folder.iterdir())
        with backup(service, file) as again:  # which takes the place of what a killed one left
            assert again.wait(LIMIT) == 0
    assert [path.name for path in folder.iterdir()] == ["one"]

"""What an interrupted import needs to resume with the same batches: a file beside the run.

Its first line names the import; each batch adds its last line before it is sent, and each thing the
service refused is noted before the rest goes on. It is removed when the import succeeds, so that a
repeated import imports again.
"""

import fcntl
import hashlib
import json
import os
import time
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from persona_cli.files.inputs import Position
from persona_cli.terminal.failures import CommandError
from persona_cli.terminal.output import compact_json

_BEGUN = {"acknowledged", "newest", "refused"}  # entries that are there once the service was asked
SERVICE_KEEPS = 29 * 24 * 3600  # seconds that the service surely knows of an import


class RunKey(NamedTuple):
    """What makes two runs the same one: a run with the key of a broken one continues it.

    Ids tell services apart, whatever their addresses are called. What has the same ids and lacks
    what the broken run has done, a database restored, is asked how far it is.
    """

    into: dict[str, str]  # the ids of what the lines go into
    files: list[str]  # SHA-256 of each
    options: dict[str, Any]

    def entry(self) -> dict[str, Any]:
        """Return it as a journal's first line says it."""
        return {
            **self.into,
            "files": self.files,
            "options": self.options,
        }

    def file_name(self) -> str:
        """Return the name of the journal's file."""
        return hashlib.sha256(compact_json(self.entry()).encode()).hexdigest()[:32] + ".jsonl"


class Journal:
    """The journal of one import; without a path it is kept in memory alone."""

    def __init__(self, import_id: str) -> None:
        self.import_id = import_id
        self.boundaries: list[Position] = []  # last lines of the batches that may have been sent
        self.refused: dict[Position, str] = {}  # what it would not take in runs before, and why
        self.newest: dict[str, int] = {}  # by simulation, when its last answer was recorded before
        self.acknowledged = 0
        self.last_id = ""  # of an answer of the last batch acknowledged
        self.is_old = False  # so that the service may have forgotten the import
        self.known = 0  # answers acknowledged that the service had before
        self._is_begun = False  # whether the service may have done anything
        self._path: Path | None = None
        self._file: IO[bytes] | None = None

    @classmethod
    def opened(cls, folder: Path, key: RunKey, import_id: str) -> Self:
        """Open the journal of an import, or begin it with `import_id`.

        Raises CommandError if another process runs the same import.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / key.file_name()
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise CommandError("The same import is already running.") from None
        journal = cls(import_id)
        journal._path, journal._file = path, file
        journal.is_old = os.fstat(file.fileno()).st_mtime < time.time() - SERVICE_KEEPS
        entries = journal._entries()
        if entries:
            journal.import_id = entries[0]["import_id"]
            for entry in entries[1:]:
                journal._replay(entry)
            journal._is_begun = any(entry.keys() & _BEGUN for entry in entries)
        else:
            journal._append({"import_id": import_id, **key.entry()})
            _sync_folder(folder)
        return journal

    @property
    def is_kept(self) -> bool:
        """Whether a later run can go on with it."""
        return self._path is not None

    def note_batch(self, last: Position) -> None:
        """Note a batch by its last line, on disk before it is sent."""
        self.boundaries.append(last)
        self._append({"batch": _entry(last)})

    def note_refusal(self, position: Position, reason: str, *, sync: bool = True) -> None:
        """Note a line that the service would not take; where there are many, for the next `sync`.

        This run has listed it: `refused` is what those before have.
        """
        self._is_begun = True
        self._append({"refused": _entry(position), "reason": reason}, sync=sync)

    def note_newest(self, simulation_id: str, recorded: int) -> None:
        """Note when the last answer of a simulation was recorded that is none of this run."""
        self._is_begun = True
        self.newest[simulation_id] = recorded
        self._append({"newest": [simulation_id, recorded]})

    def note_acknowledged(self, sequence: int, last_id: str = "", known: int = 0) -> None:
        """Note the last batch that is on the service's disk, and the id of an answer in it.

        `known` is how many answers up to there it had before.
        """
        self._is_begun = True
        self.acknowledged, self.last_id, self.known = sequence, last_id, known
        entry = {"id": last_id, "known": known} if last_id else {}
        self._append({"acknowledged": sequence, **entry}, sync=False)

    def begin_anew(self, import_id: str) -> None:
        """Begin an import of another id, nothing of this one being there."""
        self.import_id = import_id
        self._append({"import_id": import_id})

    def remove(self) -> None:
        """Forget the import."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let another run have it; one of which the service has done nothing is not kept."""
        if self._file is not None:
            if self._path is not None and not self._is_begun:
                self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def _entries(self) -> list[dict[str, Any]]:
        """Return what is in the file; a line that was cut off while written is dropped."""
        assert self._file is not None
        whole = self._file.read()
        end = whole.rfind(b"\n") + 1
        self._file.seek(end)
        self._file.truncate()
        try:
            return [json.loads(line) for line in whole[:end].splitlines()]
        except ValueError:
            raise CommandError(
                f"{self._path} is damaged, so the import can't be resumed. Delete it "
                "to import from the beginning."
            ) from None

    def _replay(self, entry: dict[str, Any]) -> None:
        if "batch" in entry:
            self.boundaries.append(Position(*entry["batch"]))
        elif "refused" in entry:
            self.refused[Position(*entry["refused"])] = entry["reason"]
        elif "newest" in entry:
            self.newest.update([entry["newest"]])
        elif "import_id" in entry:
            self.import_id = entry["import_id"]
        else:
            self.acknowledged = entry["acknowledged"]
            self.last_id, self.known = entry.get("id", ""), entry.get("known", 0)

    def _append(self, entry: dict[str, Any], *, sync: bool = True) -> None:
        if self._file is None:
            return
        try:
            self._file.write(compact_json(entry).encode() + b"\n")
            self._file.flush()
            if sync:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from None


def default_folder() -> Path:
    """Return where journals are kept."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "persona" / "imports"


def _entry(position: Position) -> tuple[int, ...]:
    return position if position.part else position[:2]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

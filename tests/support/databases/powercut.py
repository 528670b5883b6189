"""A virtual file system that remembers every write, and what a power cut leaves of them.

`kill -9` proves nothing about power: the page cache survives it. Here only what was synced is sure
to be on disk; of the rest any part may be.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import apsw

SECTOR = 512  # what a disk writes whole


class Op(NamedTuple):
    """What was done to a file: write, truncate, sync or delete; or acknowledge, of no file."""

    kind: str
    file: str
    offset: int = 0
    data: bytes = b""


class Recorder(apsw.VFS):
    """Passes everything on to the real file system and notes it in `ops`."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        super().__init__("recorder", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> "RecordedFile":  # noqa: N802 (SQLite's name)
        return RecordedFile(self.ops, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 (SQLite's name)
        super().xDelete(filename, syncdir)
        self.ops.append(Op("delete", Path(filename).name))


class RecordedFile(apsw.VFSFile):
    """A file whose changes are noted."""

    def __init__(self, ops: list[Op], name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._ops, self._name = ops, Path(path or "temporary").name

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._ops.append(Op("write", self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._ops.append(Op("truncate", self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._ops.append(Op("sync", self._name))


@contextmanager
def recorded() -> Iterator[list[Op]]:
    """Note what SQLite does to files for a block."""
    recorder = Recorder()
    try:
        yield recorder.ops
    finally:
        recorder.unregister()


class Disk:
    """What is on disk for sure after some operations, and what is on its way."""

    def __init__(self) -> None:
        self._durable: dict[str, bytearray] = {}
        self._pending: dict[str, list[Op]] = {}
        self.acknowledged = 0

    def apply(self, op: Op) -> None:
        if op.kind == "acknowledge":
            self.acknowledged += 1
        elif op.kind == "delete":
            self._durable.pop(op.file, None)
            self._pending.pop(op.file, None)
        elif op.kind == "sync":
            for earlier in self._pending.pop(op.file, []):
                _change(self._durable.setdefault(op.file, bytearray()), earlier)
        else:
            self._pending.setdefault(op.file, []).append(op)

    def cut(self, folder: Path, chance: random.Random) -> None:
        """Write into an empty folder what a power cut at this instant may leave."""
        keep = chance.choice([0.0, 0.0, 0.5, 0.9, 1.0])
        for name in self._durable.keys() | self._pending.keys():
            content = bytearray(self._durable.get(name, b""))
            for op in self._pending.get(name, []):
                for part in _sectors(op):
                    if chance.random() < keep:
                        _change(content, part)
            (folder / name).write_bytes(content)


def _sectors(op: Op) -> Iterator[Op]:
    if op.kind == "truncate":
        yield op
    for at in range(0, len(op.data), SECTOR):
        yield op._replace(offset=op.offset + at, data=op.data[at : at + SECTOR])


def _change(content: bytearray, op: Op) -> None:
    if op.kind == "truncate":
        del content[op.offset :]
        return
    if len(content) < op.offset:
        content.extend(bytes(op.offset - len(content)))
    content[op.offset : op.offset + len(op.data)] = op.data

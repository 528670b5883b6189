"""What an operator wants to know of a database, each as one finding."""

import shutil
import stat
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from persona_server.errors import ServiceError, to_operator
from persona_server.storage.copying.progress import UnfinishedError
from persona_server.storage.derived.comparing import differing, voiding
from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.folder import (
    FILE_NAME,
    InUseError,
    lock_file,
    require_database,
)
from persona_server.storage.engine.sqlite import looking
from persona_server.storage.migrate import MIGRATIONS
from persona_server.storage.store import open_store
from persona_server.storage.upkeep.messages import unreadable

LOW_SPACE = 0.1  # of the disk
LONG_LOG = 64 << 20  # bytes
OTHER_SCHEMA = "looked at only where the schema is this version's"
MOST_NAMED = 5  # rows whose messages can't be read


class Finding(NamedTuple):
    """What was found of one thing: `state` is ok, warning, problem or skipped."""

    state: str
    name: str
    text: str


def findings(folder: Path) -> Iterator[Finding]:
    """Yield a finding for each thing that is looked at, as far as there is a database of ours."""
    path = folder / FILE_NAME
    try:
        require_database(folder)
        yield _access(folder, path)
        with looking.looking_at(path) as connection:
            looking.require_ours(connection, path)
            schema = _schema(set(looking.migrations(connection)))
            yield schema
            yield from _looks(folder, connection, schema)
    except DatabaseError as error:
        yield Finding("problem", "database", str(error))
        return
    yield _log(path)
    yield _derived(folder, schema)


def _looks(folder: Path, connection: Any, schema: Finding) -> Iterator[Finding]:
    """Yield what each look at the file finds: one that damage ends keeps nobody from the next."""
    looks: dict[str, Callable[[], Finding]] = {
        "integrity": lambda: _damage(
            "integrity", looking.faults(connection), "every page and index is whole"
        ),
        "foreign keys": lambda: _orphans(connection),
        "messages": lambda: _messages(connection, schema),
        "clock": lambda: _clock(looking.newest(connection)),
        "disk": lambda: _disk(folder, looking.sizes(connection)),
    }
    for name, look in looks.items():
        try:
            yield look()
        except looking.UNREADABLE as error:
            yield Finding("problem", name, f"can't be looked at: {error}")


def _orphans(connection: Any) -> Finding:
    orphans = [f"{table} has rows without a parent" for table in looking.orphans(connection)]
    return _damage("foreign keys", orphans, "every row has its parents")


def _access(folder: Path, path: Path) -> Finding:
    for each in (folder, path):
        if stat.S_IMODE(each.stat().st_mode) & 0o077:
            return Finding("warning", "access", f"others than its owner may use {each}")
    return Finding("ok", "access", f"only its owner may use {folder}")


def _schema(had: set[str]) -> Finding:
    known = {path.stem for path in MIGRATIONS.glob("[0-9]*.py")}
    if newer := sorted(had - known):
        return Finding("problem", "schema", f"made by a newer version: it has {newer[-1]}")
    if pending := sorted(known - had):
        behind = "1 migration" if len(pending) == 1 else f"{len(pending)} migrations"
        text = f"{behind} behind, which the next start of a server makes"
        return Finding("warning", "schema", text)
    return Finding("ok", "schema", max(known))


def _damage(name: str, wrong: list[str], right: str) -> Finding:
    return Finding("problem", name, "; ".join(wrong)) if wrong else Finding("ok", name, right)


def _messages(connection: Any, schema: Finding) -> Finding:
    """Look at what is stored as messages, where it is as this version stores it."""
    if schema.state != "ok":
        return Finding("skipped", "messages", OTHER_SCHEMA)
    wrong = [f"{row} can't be read" for row in islice(unreadable(connection), MOST_NAMED)]
    return _damage("messages", wrong, "every persona and answer can be read")


def _clock(newest: int) -> Finding:
    ahead = newest / 1_000_000 - time.time()
    if ahead > 0:
        text = f"behind: the newest change was made {ahead:.0f} s from now"
        return Finding("problem", "clock", text)
    return Finding("ok", "clock", "not behind the newest change")


def _disk(folder: Path, sizes: looking.Sizes) -> Finding:
    disk = shutil.disk_usage(folder)
    text = (
        f"{disk.free >> 20:,} MiB free; the database has {sizes.whole >> 20:,} MiB, of which "
        f"`persona vacuum` gives back {sizes.free >> 20:,}"
    )
    low = disk.free < LOW_SPACE * disk.total
    return Finding("warning" if low else "ok", "disk", text)


def _log(path: Path) -> Finding:
    log = path.with_name(f"{path.name}-wal")
    length = log.stat().st_size if log.exists() else 0
    text = f"{length >> 20:,} MiB"
    return Finding("warning" if length > LONG_LOG else "ok", "log", text)


def _derived(folder: Path, schema: Finding) -> Finding:
    """Compare what is derived from answers with what they make anew, where nobody else is at it."""
    if schema.state != "ok":
        return Finding("skipped", "derived", OTHER_SCHEMA)
    try:
        with lock_file(folder):
            return _compared(folder)
    except InUseError:
        return Finding("skipped", "derived", "looked at only while no server runs")
    except UnfinishedError as error:
        return Finding("problem", "derived", str(error))
    except DatabaseError as error:  # the folder may only be read
        return Finding("skipped", "derived", str(error))
    except ServiceError as error:  # such as a disk without the room to make it anew
        is_damaged = error.reason_name == "DATABASE_DAMAGED"
        why = "the database is damaged" if is_damaged else to_operator(error)
        state = "problem" if is_damaged else "skipped"
        return Finding(state, "derived", f"can't be looked at: {why}")


def _compared(folder: Path) -> Finding:
    store = open_store(folder, make=False)
    try:
        if voiding(store):
            text = "answers of void simulations are still to be taken out"
            return Finding("skipped", "derived", text)
        wrong = differing(store)
    finally:
        store.close()
    if wrong:
        text = f"{', '.join(wrong)} differ from the answers: run persona rebuild-measures"
        return Finding("problem", "derived", text)
    return Finding("ok", "derived", "as the answers make it")

"""Databases as older versions made them: their schema, and rows that are written by hand."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from persona_server.storage import migrate
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.folder import FILE_NAME, make_private

_ALL = migrate.MIGRATIONS


def older_database(data: Path, last: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Return an empty database in the folder `data`, whose last migration is the one named."""
    make_private(data)
    folder = data.with_name(f"until {last}")
    folder.mkdir()
    names = sorted(path.stem for path in _ALL.glob("[0-9]*.py"))
    until = names[: names.index(last) + 1]
    for name in until:
        (folder / f"{name}.py").write_text((_ALL / f"{name}.py").read_text())
    database = Database(data / FILE_NAME)
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "MIGRATIONS", folder)
        assert migrate.migrate(database) == until
    return database


def insert_rows(database: Database, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows into a table, without the columns that later versions added behind."""
    width = len(database.execute_sql(f"PRAGMA table_info({table})").fetchall())
    marks = ", ".join("?" * width)
    for row in rows:
        database.execute_sql(f"INSERT INTO {table} VALUES ({marks})", row[:width])  # noqa: S608

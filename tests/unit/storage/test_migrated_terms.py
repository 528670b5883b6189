"""A database from before there were terms gets those of all that it shows, and of its names."""

from pathlib import Path
from typing import Any

import pytest

from persona.v1.library_pb2 import LibraryPersona
from persona.v1.project_pb2 import PersonaGroup
from persona_server.storage import migrate
from persona_server.storage.engine.folder import FILE_NAME, make_private
from persona_server.storage.engine.sqlite.database import SqliteDatabase
from persona_server.storage.migrate import MIGRATIONS
from persona_server.storage.store import open_store
from persona_server.validation.terms import name_term, profile_terms, terms_of
from support.data import persona, rich_persona
from support.stored import StoredGroup, rows, unframe

PEOPLE = [
    rich_persona(full_name="Weiße Straße", attributes={"a": "", "ü": "ß", "long": "ü" * 255}),
    persona(full_name="ＦＵＬＬ", attributes={"long": "x" * 256, "": "x"}),
    persona(full_name="İ"),
]
MANY = 2500  # more than two chunks


def older(folder: Path) -> Path:
    """Return a folder with the migrations before terms."""
    folder.mkdir()
    for path in MIGRATIONS.glob("[0-9]*.py"):
        if path.stem < "0013":
            (folder / path.name).write_text(path.read_text())
    return folder


def copied(database: SqliteDatabase, tables: dict[str, Any]) -> None:
    """Put rows into the tables of an older version, which may have fewer columns."""
    for table, found in tables.items():
        width = len(database.execute_sql(f"PRAGMA table_info({table})").fetchall())
        for row in found:
            marks = ", ".join("?" * width)
            database.execute_sql(f"INSERT INTO {table} VALUES ({marks})", row[:width])  # noqa: S608


TABLES = ("tenant", "project", "persona_group", "persona_set", "persona")


def test_terms_of_all_that_is_shown_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = open_store(tmp_path / "new")
    with new.writing("acme", None) as repositories:
        named = PersonaGroup(name="Weiße Gruppe", description="ö", age_min=200)
        project = b"p" * 16
        repositories.projects.insert(project, "Straße", "", 1)
        encoded = named.SerializeToString()
        repositories.groups.insert(b"g" * 16, project, encoded, 1, "WEISSE gruppe")
    group, other = StoredGroup(new), StoredGroup(new, "other")
    group.hide(group.add(persona(full_name="hidden"))[0])
    group.add(persona(full_name="dropped"))
    group.drop()
    group.add(*PEOPLE)
    for _ in range(0, MANY, 500):
        other.add(*[persona(full_name=f"{i}", attributes={"i": f"{i}"}) for i in range(500)])
    found = {table: rows(new, f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608
    shown = {group.set_id, other.set_id}
    terms = "SELECT tenant_id, set_id, hash, position FROM persona_term ORDER BY 1, 2, 3, 4"
    expected = [row for row in rows(new, terms) if row[1] in shown]
    assert {row[2] for row in expected} >= {
        term for one in unframe(group.page(10).framed) for term in terms_of(one)
    }
    names = "SELECT name_term FROM project UNION ALL SELECT name_term FROM persona_group ORDER BY 1"
    expected_names = rows(new, names)
    assert {(name_term("strasse"),), (name_term("weisse gruppe"),)} <= set(expected_names)
    new.close()
    data = tmp_path / "data"
    make_private(data)
    database = SqliteDatabase(data / FILE_NAME)
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "MIGRATIONS", older(tmp_path / "older"))
        migrate.migrate(database)
    individual = LibraryPersona(id="x", profile=PEOPLE[0], origin_project_id="y")
    copied(database, found)
    values = (7, b"i" * 16, found["project"][0][1], found["persona"][0][4])
    with monkeypatch.context():
        database.execute_sql("PRAGMA foreign_keys = 0")
        database.execute_sql(
            "INSERT INTO library_persona VALUES (?, ?, ?, ?, 0, '', '', '', '', 0.5, 0, ?, 1, 1, "
            "NULL)",
            (*values, individual.SerializeToString()),
        )
        database.execute_sql("PRAGMA foreign_keys = 1")
    database.close_all()
    store = open_store(data)
    assert rows(store, terms) == expected
    assert rows(store, names) == expected_names
    assert len(expected) > MANY * 2
    owned = rows(store, "SELECT tenant_id, library_persona_id, hash FROM library_term")
    assert owned == [(7, b"i" * 16, term) for term in sorted(profile_terms(PEOPLE[0]))]
    store.close()

"""Databases as older versions made them: their schema, and rows that are written by hand."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from persona.v1.library_pb2 import LibraryPersona
from persona.v1.library_service_pb2 import PromotePersonaResponse, RetireLibraryPersonaResponse
from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import CreatePersonaResponse
from persona_server.services.framing import ELEMENT, content, frame
from persona_server.storage import migrate
from persona_server.storage.engine.folder import FILE_NAME, make_private
from persona_server.storage.engine.sqlite.database import SqliteDatabase
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.library import LibraryRow
from persona_server.validation.filters import search_keys
from support.data import at, uid
from support.stored import StoredGroup

_ALL = migrate.MIGRATIONS
_HEAD = ("id", "project_id", "group_id", "full_name")  # a persona's fields in front of its age
# The tables of the first version that all later ones have.
FIRST_TABLES = ("tenant", "project", "persona_group", "persona_set", "persona", "audit")
# The tags that a library persona's fields had before 0010, in their order.
_TAGS = {
    "id": b"\x0a",
    "profile": b"\x12",
    "origin_project_id": b"\x1a",
    "origin_persona_id": b"\x22",
    "reliability": b"\x2a",
    "project_count": b"\x30",
    "response_count": b"\x38",
    "retired_at": b"\x42",
    "created_at": b"\x4a",
}


def older_database(data: Path, last: str, monkeypatch: pytest.MonkeyPatch) -> SqliteDatabase:
    """Return an empty database in the folder `data`, whose last migration is the one named."""
    make_private(data)
    folder = data.with_name(f"until {last}")
    folder.mkdir()
    names = sorted(path.stem for path in _ALL.glob("[0-9]*.py"))
    until = names[: names.index(last) + 1]
    for name in until:
        (folder / f"{name}.py").write_text((_ALL / f"{name}.py").read_text())
    database = SqliteDatabase(data / FILE_NAME)
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "MIGRATIONS", folder)
        assert migrate.migrate(database) == until
    return database


def populate_first(database: SqliteDatabase) -> None:
    """Write a row into every table that is to be kept, as the first version did."""
    one, day = bytes(16), 1_700_000_000_000_000
    for sql, values in (
        ("INSERT INTO tenant VALUES (7, 'acme', ?)", (day,)),
        ("INSERT INTO project VALUES (7, ?, 'P', '', ?, ?, NULL)", (one, day, day)),
        (
            "INSERT INTO persona_group VALUES (7, ?, ?, 1, 2, 0, 1, 3, x'', ?, ?, NULL)",
            (one, one, day, day),
        ),
        ("INSERT INTO persona_set VALUES (7, 1, ?, NULL, NULL)", (one,)),
        (
            "INSERT INTO persona VALUES (7, 1, 0, ?, ?, '', '', '', '', ?, NULL, NULL)",
            (bytes(24), one, b"\x0a\x04\x22\x02Ma"),
        ),
        ("INSERT INTO audit VALUES (7, 1, ?, 'me', 'M', ?, NULL, NULL, 1, NULL)", (day, one)),
    ):
        database.execute_sql(sql, values)


def insert_rows(database: SqliteDatabase, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows into a table, without the columns that later versions added behind."""
    width = len(database.execute_sql(f"PRAGMA table_info({table})").fetchall())
    marks = ", ".join("?" * width)
    for row in rows:
        database.execute_sql(f"INSERT INTO {table} VALUES ({marks})", row[:width])  # noqa: S608


def older_persona(one: Persona) -> bytes:
    """Return a persona as it was encoded before 0009."""
    head, tail = Persona(), Persona()
    tail.CopyFrom(one)
    for name in _HEAD:
        setattr(head, name, getattr(one, name))
        tail.ClearField(name)  # type: ignore[arg-type]
    tail.ClearField("age")
    age = one.age.value
    number = bytes([age & 0x7F | 0x80, age >> 7] if age > 127 else [age])
    field = b"\x28" + number if age else b""
    return head.SerializeToString() + field + tail.SerializeToString(deterministic=True)


def older_library_persona(library: LibraryPersona, profile: bytes) -> bytes:
    """Return a library persona with an encoded profile as it was encoded before 0010."""
    given = {field.name: value for field, value in library.ListFields()}
    parts = []
    for name, tag in _TAGS.items():
        if name == "profile":
            parts.append(frame(tag, profile))
        elif name in given:
            parts.append(tag + _alone(name, given[name]).SerializeToString()[1:])
    return b"".join(parts)


def _alone(name: str, value: Any) -> LibraryPersona:
    one = LibraryPersona()
    if isinstance(value, Message):
        getattr(one, name).CopyFrom(value)
        for rule in one.reliability.rules:
            rule.name = {"lower_bound": "bound"}.get(rule.name, rule.name)
    else:
        setattr(one, name, value)
    return one


def _older_library(library: LibraryPersona) -> bytes:
    return older_library_persona(library, older_persona(library.profile))


def older_row(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row as the version before 0009 wrote it."""

    def changed(value: Any) -> Any:
        if table == "persona" and value[:1] == ELEMENT:
            return frame(ELEMENT, older_persona(Persona.FromString(content(value))))
        if table == "library_persona":
            return _older_library(LibraryPersona.FromString(value))
        if row[1] == "CreatePersona":
            return frame(ELEMENT, older_persona(CreatePersonaResponse.FromString(value).persona))
        return frame(
            ELEMENT, _older_library(PromotePersonaResponse.FromString(value).library_persona)
        )

    at = {"persona": 9, "library_persona": 11, "idempotency": 4}.get(table)
    return row if at is None else (*row[:at], changed(row[at]), *row[at + 1 :])


def shelve(group: StoredGroup, profile: Persona) -> bytes:
    """Put a persona into the library, and keep every answer that holds it; return its id."""
    (origin,) = group.add(profile)
    answers: dict[str, Message] = {"CreatePersona": CreatePersonaResponse(persona=profile)}
    library = _library(group, profile)
    row = LibraryRow(
        1, id_bytes(library.id), group.project, origin, profile.age.value, search_keys(profile),
        library.reliability.lower_bound.value, 5, library.SerializeToString(deterministic=True),
        1, 64,
    )  # fmt: skip
    library.project_count, library.response_count = 1, 64
    answers["PromotePersona"] = PromotePersonaResponse(library_persona=library)
    library.retired_at.CopyFrom(at(7))
    answers["RetireLibraryPersona"] = RetireLibraryPersonaResponse(library_persona=library)
    with group.store.writing(group.tenant, None) as repositories:
        repositories.library.insert(row._replace(tenant=repositories.tenant))
        for method, answer in answers.items():
            encoded = answer.SerializeToString(deterministic=True)
            repositories.idempotency.keep(method, id_bytes(uid()), bytes(32), encoded, 1)
    return origin


def _library(group: StoredGroup, profile: Persona) -> LibraryPersona:
    library = LibraryPersona(
        id=uid(),
        profile=profile,
        origin_project_id=id_text(group.project),
        origin_group_id=id_text(group.group),
        origin_persona_id=profile.id,
        created_at=at(5),
    )
    for name in ("id", "project_id", "group_id"):
        library.profile.ClearField(name)
    library.reliability.lower_bound.value = 0.75
    library.reliability.measured_at.CopyFrom(at(5_000_001))
    for name, figure in (("simulations", 3.0), ("lower_bound", 0.8)):
        library.reliability.rules.add(name=name, limit=0.7, holds=True).figure.value = figure
    return library


def marked(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row as 0016 leaves it: what was measured is of the first version."""
    if table != "library_persona":
        return row
    body = bytes(row[11]) + b"\x32\x03\xa8\x01\x01"
    assert LibraryPersona.FromString(body).reliability.version == 1
    return (*row[:11], body, *row[12:])

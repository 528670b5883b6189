"""R16: the database itself refuses to change what is append-only, generated from the list."""

from collections.abc import Iterator
from typing import Any

import peewee
import pytest

from persona_server.storage import tables
from persona_server.storage.store import Store
from support.probe import Probe

TABLES = [pytest.param(model, id=model._meta.table_name) for model in tables.APPEND_ONLY]


class Row:
    """One row of an append-only table, made from the model's own fields."""

    def __init__(self, store: Store, model: Any) -> None:
        self.probe = Probe(store)
        self.table = model._meta.table_name
        self.columns = [field.column_name for field in model._meta.sorted_fields]
        self.key = [field.column_name for field in model._meta.get_primary_keys()]
        self.values = [_value(field) for field in model._meta.sorted_fields]
        self.probe.leave_references_unchecked()
        self.probe.change(self.insert, *self.values)
        self.before = self.probe.rows(self.table)

    @property
    def insert(self) -> str:
        marks = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {self.table} ({', '.join(self.columns)}) VALUES ({marks})"  # noqa: S608

    def changed(self) -> list[Any]:
        """Return the row with the same key and other values."""
        pairs = zip(self.columns, self.values, strict=True)
        return [v if c in self.key else _other(v) for c, v in pairs]

    def in_order(self, values: list[Any]) -> tuple[Any, ...]:
        """Return values in the order of the table's own columns."""
        by_name = dict(zip(self.columns, values, strict=True))
        return tuple(by_name[column] for column in self.probe.columns(self.table))


def _value(field: Any) -> Any:
    if isinstance(field, peewee.BlobField):
        return b"0123456789abcdef" + (
            b"position" if field.name in ("position", "recorded") else b""
        )
    return "text" if isinstance(field, peewee.TextField) else 1


def _other(value: Any) -> Any:
    return value + value


@pytest.fixture(params=TABLES)
def row(request: pytest.FixtureRequest, store: Store) -> Iterator[Row]:
    """A row that must stay, of each append-only table in turn; it is there still afterwards."""
    kept = Row(store, request.param)
    yield kept
    assert kept.probe.rows(kept.table) == kept.before
    assert len(kept.before) == 1


def test_update_of_any_column_is_refused(row: Row) -> None:
    for column, value in zip(row.columns, row.values, strict=True):
        assert row.probe.refuses(f"UPDATE {row.table} SET {column} = ?", value)  # noqa: S608


def test_delete_is_refused(row: Row) -> None:
    assert row.probe.refuses(f"DELETE FROM {row.table}")  # noqa: S608


@pytest.mark.parametrize("same", [True, False])
def test_replacing_is_refused(row: Row, same: bool) -> None:
    values = row.values if same else row.changed()
    assert row.probe.refuses_to_replace(row.table, row.in_order(values))


@pytest.mark.parametrize("action", ["UPDATE SET {0} = excluded.{0}", "NOTHING"])
def test_upsert_changes_nothing(row: Row, action: str) -> None:
    conflict = f"ON CONFLICT ({', '.join(row.key)}) DO {action.format(row.columns[-1])}"
    refused = row.probe.refuses(f"{row.insert} {conflict}", *row.changed())
    assert refused or action == "NOTHING"


def test_another_row_is_welcome(store: Store) -> None:
    for model in tables.APPEND_ONLY:
        row = Row(store, model)
        other = [_other(v) if isinstance(v, int) else v for v in row.values]
        row.probe.change(row.insert, *other)
        assert row.probe.count(row.table) == 2


def test_nothing_cascades_into_an_append_only_table(store: Store) -> None:
    for model in tables.APPEND_ONLY:
        assert not Probe(store).deletes_with_a_parent(model._meta.table_name)


def test_an_answer_of_nobody_is_refused(store: Store) -> None:
    probe, fields = Probe(store), tables.Response._meta.sorted_fields
    marks = ", ".join("?" * len(fields))
    assert probe.refuses(f"INSERT INTO response VALUES ({marks})", *map(_value, fields))  # noqa: S608
    assert probe.count("response") == 0

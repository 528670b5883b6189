"""R16: the database itself refuses to change what is append-only, generated from the list."""

from collections.abc import Iterator
from typing import Any

import apsw
import peewee
import pytest

from persona_server.storage import tables
from persona_server.storage.store import Store
from support.stored import rows

REFUSED = (apsw.Error, peewee.PeeweeException)
TABLES = [pytest.param(model, id=model._meta.table_name) for model in tables.APPEND_ONLY]


class Kept:
    """One row of an append-only table, made from the model's own fields."""

    def __init__(self, store: Store, model: Any) -> None:
        self.store = store
        self.name = model._meta.table_name
        self.columns = [field.column_name for field in model._meta.sorted_fields]
        self.key = [field.column_name for field in model._meta.get_primary_keys()]
        self.values = [_value(field) for field in model._meta.sorted_fields]
        self.execute("PRAGMA foreign_keys = 0")  # what it refers to is not there
        self.execute(f"{self.insert} VALUES ({self.holes})", self.values)
        self.before = self.rows()

    @property
    def insert(self) -> str:
        return f"INSERT INTO {self.name} ({', '.join(self.columns)})"

    @property
    def holes(self) -> str:
        return ", ".join("?" * len(self.columns))

    def changed(self) -> list[Any]:
        """Return the row with the same key and other values."""
        pairs = zip(self.columns, self.values, strict=True)
        return [v if c in self.key else _other(v) for c, v in pairs]

    def execute(self, sql: str, values: Any = ()) -> None:
        self.store.database.execute_sql(sql, values)

    def rows(self) -> list[tuple[Any, ...]]:
        return rows(self.store, f"SELECT * FROM {self.name}")  # noqa: S608 (a model's name)


def _value(field: Any) -> Any:
    if isinstance(field, peewee.BlobField):
        return b"0123456789abcdef" + (b"position" if field.name == "position" else b"")
    return "text" if isinstance(field, peewee.TextField) else 1


def _other(value: Any) -> Any:
    return value + value


@pytest.fixture(params=TABLES)
def kept(request: pytest.FixtureRequest, store: Store) -> Iterator[Kept]:
    """A row that must stay, of each append-only table in turn; it is there still afterwards."""
    row = Kept(store, request.param)
    yield row
    assert row.rows() == row.before
    assert len(row.before) == 1


def test_update_of_any_column_is_refused(kept: Kept) -> None:
    for column, value in zip(kept.columns, kept.values, strict=True):
        with pytest.raises(REFUSED):
            kept.execute(f"UPDATE {kept.name} SET {column} = ?", (value,))  # noqa: S608


def test_delete_is_refused(kept: Kept) -> None:
    with pytest.raises(REFUSED):
        kept.execute(f"DELETE FROM {kept.name}")  # noqa: S608


@pytest.mark.parametrize("recursive", [True, False])
@pytest.mark.parametrize("same", [True, False])
def test_replacing_is_refused(kept: Kept, recursive: bool, same: bool) -> None:
    """Even where recursive_triggers is off, as on a connection of somebody else's."""
    kept.execute(f"PRAGMA recursive_triggers = {int(recursive)}")
    sql = f"{kept.insert} VALUES ({kept.holes})".replace("INSERT", "INSERT OR REPLACE")
    values = kept.values if same else kept.changed()
    with pytest.raises(REFUSED):
        kept.execute(sql, values)


@pytest.mark.parametrize("action", ["UPDATE SET {0} = excluded.{0}", "NOTHING"])
def test_upsert_changes_nothing(kept: Kept, action: str) -> None:
    last = kept.columns[-1]
    target = ", ".join(kept.key)
    sql = f"{kept.insert} VALUES ({kept.holes}) ON CONFLICT ({target}) DO {action.format(last)}"
    try:
        kept.execute(sql, kept.changed())
    except REFUSED:
        return
    assert action == "NOTHING"


def test_another_row_is_welcome(store: Store) -> None:
    for model in tables.APPEND_ONLY:
        kept = Kept(store, model)
        other = [_other(v) if isinstance(v, int) else v for v in kept.values]
        kept.execute(f"{kept.insert} VALUES ({kept.holes})", other)
        assert len(kept.rows()) == 2


def test_nothing_cascades_into_an_append_only_table(store: Store) -> None:
    for model in tables.APPEND_ONLY:
        keys = rows(store, f"PRAGMA foreign_key_list({model._meta.table_name})")
        assert not [key for key in keys if key[6] != "NO ACTION"]

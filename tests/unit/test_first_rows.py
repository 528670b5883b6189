"""A statement of which only the first row is read."""

from pathlib import Path

from persona_server.storage.engine.sqlite.database import open_sqlite

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i FROM n"


def test_the_first_row_is_returned_or_none(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "data", make=True)
    assert database.first(NUMBERS, (3,)) == (1,)
    assert database.first(f"{NUMBERS} WHERE i > 5", (3,)) is None
    database.close_all()


def test_rows_that_are_not_read_hold_no_snapshot(tmp_path: Path) -> None:
    reader = open_sqlite(tmp_path / "data", make=True)
    writer = open_sqlite(tmp_path / "data", make=True)
    writer.execute_sql(f"CREATE TABLE t AS {NUMBERS}", (1000,))
    assert reader.first("SELECT i FROM t ORDER BY rowid", ()) == (1,)
    writer.execute_sql("DELETE FROM t")
    assert writer.rows("PRAGMA wal_checkpoint(TRUNCATE)", ()) == [(0, 0, 0)]
    assert reader.first("SELECT i FROM t", ()) is None
    for database in (reader, writer):
        database.close_all()

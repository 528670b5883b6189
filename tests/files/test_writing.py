"""Tables that are written: what breaks off, and what is large."""

import gc
import io
from collections.abc import Iterator

import pyarrow
import pytest
from pyarrow import parquet

from persona_cli.files.writing.parquet_file import write_parquet
from persona_cli.files.writing.sheet import Column, Kind, Row, Sheet

COLUMNS = [Column("text", Kind.TEXT)]


def rows(count: int) -> Iterator[Row]:
    return ((f"{i:>10000}",) for i in range(count))


def broken(count: int) -> Iterator[Row]:
    yield from rows(count)
    raise ValueError("broken off")


def test_parquet_that_breaks_off_is_not_taken_for_whole() -> None:
    target = io.BytesIO()
    with pytest.raises(ValueError, match="broken off"):
        write_parquet(target, Sheet(COLUMNS, broken(5000)))
    gc.collect()  # with it the library's writer
    assert not target.closed
    assert target.getvalue()[:4] == b"PAR1"
    with pytest.raises(pyarrow.ArrowInvalid):
        parquet.read_schema(io.BytesIO(target.getvalue()))


def test_parquet_holds_a_group_of_rows_at_a_time() -> None:
    target = io.BytesIO()
    write_parquet(target, Sheet(COLUMNS, rows(10_000)))
    written = parquet.ParquetFile(target).metadata
    sizes = [written.row_group(i).total_byte_size for i in range(written.num_row_groups)]
    assert len(sizes) == 5
    assert max(sizes) < 32 << 20

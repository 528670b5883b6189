"""Parquet: rows of a columnar file, some thousand at a time."""

from typing import Any, BinaryIO

from persona_cli.files.tables.csv_rows import column_names
from persona_cli.files.tables.plain import plain
from persona_cli.files.tables.table import Cells, Rows, missing_extra, reading_with_library

_ROWS = 2000  # of a batch


def parquet_rows(stream: BinaryIO) -> Rows:
    """Yield the rows of a file, numbered from 1. Raises FileError."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise missing_extra("a Parquet file") from None
    number = 0
    with reading_with_library("a Parquet file"):
        # A small buffer, so that a row group of a whole file is not in memory.
        file = parquet.ParquetFile(stream, buffer_size=1 << 16, pre_buffer=False)
        names = column_names(file.schema_arrow.names)
        for batch in file.iter_batches(_ROWS, use_threads=False):
            for cells in zip(*map(_column, batch.columns), strict=True):
                number += 1
                yield number, _row(names, cells)


def _column(column: Any) -> list[Any]:
    """Return the values of a column as those of JSON, None as ""."""
    import pyarrow

    if pyarrow.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    values = column.to_pylist()
    if pyarrow.types.is_string(column.type) or pyarrow.types.is_integer(column.type):
        return ["" if value is None else value for value in values]
    return ["" if value is None else value for value in map(plain, values)]


def _row(names: list[str], cells: tuple[Any, ...]) -> Cells:
    return dict(zip(names, cells, strict=True))

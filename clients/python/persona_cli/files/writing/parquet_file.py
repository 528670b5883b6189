"""Parquet: a table in groups of rows, of which one at a time is in memory."""

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from persona_cli.files.writing.sheet import Kind, Row, Sheet
from persona_cli.terminal.failures import CommandError

_ROWS = 1000  # that are made columns at once
_GROUP_BYTES = 16 << 20


def require_parquet() -> None:
    """Raise CommandError if the library is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise CommandError("Parquet needs: pip install 'persona-client[formats]'") from None


def write_parquet(stream: BinaryIO, sheet: Sheet) -> None:
    """Write a table. What breaks off has no footer, and can't be taken for whole."""
    import pyarrow
    from pyarrow import parquet

    types = _types(pyarrow)
    schema = pyarrow.schema([(column.name, types[column.kind]) for column in sheet.columns])
    sink = _Sink(stream)
    try:
        writer = parquet.ParquetWriter(pyarrow.PythonFile(sink, "w"), schema, compression="zstd")
        for group in _groups(pyarrow, schema, sheet.rows):
            writer.write_table(group)
        writer.close()
    except BaseException:
        sink.is_broken = True  # before the writer, when it is collected, writes a footer
        raise


class _Sink(io.RawIOBase):
    """Passes on what is written until it is broken; the stream stays open."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.is_broken = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return len(data) if self.is_broken else self._stream.write(data)


def _types(pyarrow: Any) -> dict[Kind, Any]:
    return {
        Kind.TEXT: pyarrow.string(),
        Kind.WHOLE: pyarrow.int32(),
        Kind.NUMBER: pyarrow.float64(),
        Kind.TRUTH: pyarrow.bool_(),
        Kind.TEXTS: pyarrow.list_(pyarrow.string()),
        Kind.TIME: pyarrow.timestamp("us", tz="UTC"),
    }


def _groups(pyarrow: Any, schema: Any, rows: Iterator[Row]) -> Iterator[Any]:
    """Yield tables of some megabytes."""
    held: list[Any] = []
    while some := list(islice(rows, _ROWS)):
        cells = zip(*some, strict=True)
        arrays = [pyarrow.array(c, t) for c, t in zip(cells, schema.types, strict=True)]
        held.append(pyarrow.record_batch(arrays, schema=schema))
        if sum(batch.nbytes for batch in held) >= _GROUP_BYTES:
            yield pyarrow.Table.from_batches(held)
            held.clear()
    if held:
        yield pyarrow.Table.from_batches(held)

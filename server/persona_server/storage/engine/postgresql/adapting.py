"""How values go to PostgreSQL: in binary, each as the one type that its columns have."""

from array import array

import psycopg
from psycopg.types.numeric import FloatBinaryDumper, Int8BinaryDumper
from psycopg.types.string import BytesBinaryDumper, StrBinaryDumper


def adapt(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Let a connection send integers, texts and bytes so.

    psycopg would choose an integer's type by its size, and each choice is a statement to prepare.
    """
    adapters = connection.adapters
    adapters.register_dumper(int, Int8BinaryDumper)
    adapters.register_dumper(float, FloatBinaryDumper)
    adapters.register_dumper(str, StrBinaryDumper)
    adapters.register_dumper(bytes, BytesBinaryDumper)
    adapters.register_dumper(array, IntegersDumper)


class IntegersDumper(psycopg.adapt.Dumper):
    """A list of 64-bit integers."""

    format = psycopg.pq.Format.BINARY
    oid = psycopg.adapters.types["int8"].array_oid

    def dump(self, numbers: "array[int]") -> bytes:
        """Return an array of one dimension, which begins at 1, without NULLs."""
        head = array("i", [1 if numbers else 0, 0, psycopg.adapters.types["int8"].oid])
        head.extend([len(numbers), 1] if numbers else [])
        head.byteswap()
        body = b"".join(b"\0\0\0\x08" + number.to_bytes(8, signed=True) for number in numbers)
        return head.tobytes() + body

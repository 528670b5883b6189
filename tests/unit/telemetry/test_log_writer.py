"""The queue of log lines: what nobody reads is dropped and counted, and holds nobody up."""

import os
import threading
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import pytest

from persona_server.telemetry.log_writer import MOST_BYTES, MOST_LINES, LineWriter

LINE = b"x" * 99 + b"\n"


class Pipe(NamedTuple):
    """A pipe, its end to read, and the writer of the other one."""

    reader: BinaryIO
    write_end: int
    writer: LineWriter

    def close(self) -> list[bytes]:
        """Close the end to write, and return the lines that were left."""
        os.close(self.write_end)
        return self.reader.readlines()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as reader:
        yield Pipe(reader, write_end, LineWriter(write_end, lambda lost: b"lost %d\n" % lost))


def test_lines_come_in_order(pipe: Pipe) -> None:
    lines = [b"%d\n" % i for i in range(1000)]
    pipe.writer.offer(lines[:10])
    pipe.writer.offer(lines[10:])
    assert pipe.writer.drain(10)
    assert pipe.close() == lines
    assert pipe.writer.lost == 0


@pytest.mark.parametrize("size", [10, 10_000])
def test_what_has_no_room_is_lost_and_told_when_there_is_some(pipe: Pipe, size: int) -> None:
    line, offered = b"x" * (size - 1) + b"\n", 0
    while pipe.writer.lost < 100:  # which ends: the pipe and the queue take so much and no more
        pipe.writer.offer([line] * 50)
        offered += 50
    lost = pipe.writer.lost
    assert offered - lost <= MOST_LINES + (256 << 10) // size
    assert (offered - lost) * size <= MOST_BYTES + (256 << 10)
    assert not pipe.writer.drain(0)
    read: list[bytes] = []
    reading = threading.Thread(target=lambda: read.extend(pipe.reader))
    reading.start()
    assert pipe.writer.drain(10)
    os.close(pipe.write_end)
    reading.join(10)
    told = [int(word.removeprefix(b"lost ")) for word in read if word != line]
    assert sum(told) == lost  # once, or in parts: the writer may find room while more is offered
    assert len(read) == offered - lost + len(told)


def test_a_line_that_never_fits_is_lost_alone(pipe: Pipe) -> None:
    pipe.writer.offer([b"x" * (MOST_BYTES + 1), LINE])
    assert pipe.writer.drain(10)
    assert pipe.writer.lost == 1
    assert sorted(pipe.close()) == [b"lost 1\n", LINE]


def test_a_reader_that_is_gone_is_no_error(pipe: Pipe) -> None:
    pipe.reader.close()
    pipe.writer.offer([LINE])
    assert pipe.writer.drain(10)
    pipe.writer.offer([LINE])
    assert pipe.writer.drain(10)
    os.close(pipe.write_end)


def test_a_descriptor_that_does_not_block_gets_every_line(pipe: Pipe) -> None:
    """Whoever shares a standard descriptor may have made it so."""
    os.set_blocking(pipe.write_end, False)
    lines = [LINE] * (MOST_LINES // 2)
    pipe.writer.offer(lines)
    read = [pipe.reader.readline() for _ in lines]
    assert pipe.writer.drain(10)
    assert read == lines
    assert pipe.close() == []

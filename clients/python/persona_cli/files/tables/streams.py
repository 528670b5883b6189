"""Bytes as they come: counted, decompressed, and looked at before they are read."""

import gzip
import io
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from persona_cli.files.tables.json_documents import Members
from persona_cli.files.tables.kinds import is_settled
from persona_cli.files.tables.table import FileError, missing_extra

HEAD_BYTES = 1 << 20  # what is looked at; a persona has less
# Compressed bytes of zstd, which can't be asked for fewer than come of them: four may be 128 KiB.
_PIECE = 1 << 9
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class _Pieces(io.RawIOBase):
    """Reads pieces of a stream by `take`, and counts them."""

    def __init__(self, take: Callable[[int], bytes], read: Callable[[int], None]) -> None:
        super().__init__()
        self._take = take
        self._read = read

    def readable(self) -> bool:
        """Say that it is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer. Raises FileError."""
        try:
            piece = self._take(len(buffer))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FileError(f"is damaged, or was cut off: {error}") from None
        buffer[: len(piece)] = piece
        self._read(len(piece))
        return len(piece)


class CountedFile(io.RawIOBase):
    """A regular file that libraries read where they like; what they take is counted."""

    def __init__(self, file: BinaryIO, read: Callable[[int], None]) -> None:
        super().__init__()
        self._file = file
        self._read = read

    def readable(self) -> bool:
        """Say that it is."""
        return True

    def seekable(self) -> bool:
        """Say that it is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return where it is."""
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        self._read(len(piece))
        return len(piece)


def plain_bytes(
    stream: BinaryIO, read: Callable[[int], None], members: Members | None
) -> io.BufferedReader:
    """Return what a stream holds, decompressed; `read` is told how many of its bytes were taken.

    Its `peek` returns the beginning: HEAD_BYTES or all, of a pipe, which has `members`, what has
    come, but of an object as much as tells what it is. Raises FileError.
    """
    counted = _buffered(stream, read, members)
    head = counted.peek(1)
    if head.startswith(_GZIP):
        return _buffered(gzip.GzipFile(fileobj=counted), lambda _: None, members)
    if head.startswith(_ZSTD):
        return _buffered(_zstd_reader(counted), lambda _: None, members)
    return counted


def _buffered(
    stream: Any, read: Callable[[int], None], members: Members | None
) -> io.BufferedReader:
    take = stream.read if members is None else _SettledFirst(stream.read1, members)
    return io.BufferedReader(_Pieces(take, read), HEAD_BYTES)


class _SettledFirst:
    """Takes what has come of a pipe, at first until that tells of what kind it is."""

    def __init__(self, take: Callable[[int], bytes], members: Members) -> None:
        self._take = take
        self._members = members
        self._is_first = True

    def __call__(self, size: int) -> bytes:
        """Return at most so many bytes, none at the end."""
        found, looked_at = self._take(size), 0
        while self._is_first and found and len(found) < size:
            if len(found) >= 2 * looked_at:  # so that looking costs no more than reading
                if is_settled(found.decode(errors="replace"), self._members):
                    break
                looked_at = len(found)
            if not (piece := self._take(size - len(found))):
                break
            found += piece
        self._is_first = False
        return found


def _zstd_reader(stream: BinaryIO) -> Any:
    try:
        import zstandard
    except ImportError:
        raise missing_extra("compressed by zstd") from None
    return _Frames(stream, zstandard.ZstdDecompressor().decompressobj, zstandard.ZstdError)


class _Frames:
    """Reads frames one after the other, and tells of one that is cut off."""

    def __init__(self, stream: BinaryIO, frame: Callable[[], Any], damage: type[Exception]) -> None:
        self._stream = stream
        self._new_frame = frame
        self._frame: Any = None  # the one that is read
        self._damage = damage
        self._text = io.BytesIO()

    def read1(self, size: int) -> bytes:
        """Return some bytes, of a pipe what there is. Raises EOFError."""
        while not (found := self._text.read(size)):
            piece = self._stream.read1(_PIECE)  # type: ignore[attr-defined]
            if not piece:
                break
            self._text = io.BytesIO(self._unpacked(piece))
        if not found and self._frame is not None:
            raise EOFError("a frame has no end")
        return found

    def read(self, size: int) -> bytes:
        """Return so many bytes, fewer only at the end. Raises EOFError."""
        found = self.read1(size)
        while len(found) < size and (piece := self.read1(size - len(found))):
            found += piece
        return found

    def _unpacked(self, piece: bytes) -> bytes:
        found = b""
        try:
            while piece:
                self._frame = self._frame or self._new_frame()
                found += self._frame.decompress(piece)
                piece = self._frame.unused_data
                self._frame = None if self._frame.eof else self._frame
        except self._damage as error:
            raise EOFError(error) from None
        return found

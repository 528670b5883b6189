"""A minimal HTTP/2 client that sends what it is told, in order or not. It never blocks."""

import select
import socket
import struct
from collections import Counter
from collections.abc import Iterable

DATA, HEADERS, RESET, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
CONTINUATION = 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_INITIAL_WINDOW = 4
_CANCEL = struct.pack(">I", 8)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return a frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literals(fields: Iterable[tuple[str, str]]) -> bytes:
    """Return fields in HPACK, each a literal that is not indexed; values up to 16 KiB."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)


def _text(text: str) -> bytes:
    raw = text.encode()
    if len(raw) < 127:
        return bytes((len(raw),)) + raw
    rest, out = len(raw) - 127, bytearray((127,))
    while rest >= 128:
        out.append(rest % 128 | 128)
        rest //= 128
    return bytes((*out, rest)) + raw


def request(path: str, token: str | None = None) -> bytes:
    """Return the header block of a gRPC call."""
    fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
    return literals([*fields, ("authorization", f"Bearer {token}")] if token else fields)


def message(raw: bytes) -> bytes:
    """Return a message as it stands in DATA frames."""
    return b"\0" + struct.pack(">I", len(raw)) + raw


class Connection:
    """One connection. What is written waits in a buffer until `pump` can send it.

    `got` counts the frames that came, by kind; `over` holds the streams that the server has ended.
    """

    def __init__(
        self,
        address: str,
        source: str = "127.0.0.1",
        window: int = 65_535,
        patience: float = 5.0,
    ) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), patience, (source, 0))
        self.socket.setblocking(False)
        self.got: Counter[int] = Counter()
        self.over: set[int] = set()
        self.closed = False
        self.window = 65_535  # what may still be sent, over all streams
        self._initial = 65_535
        self._windows: dict[int, int] = {}
        self._next = 1
        self._in = b""
        self._out = bytearray(_PREFACE)
        self.write(frame(SETTINGS, 0, 0, struct.pack(">HI", _INITIAL_WINDOW, window)))

    def write(self, raw: bytes) -> None:
        """Add bytes to what is to be sent."""
        self._out += raw

    def open(self, block: bytes, *, end: bool = False, more: bytes = b"") -> int:
        """Begin a call with a header block, and more of it in a second frame; return its stream."""
        stream, self._next = self._next, self._next + 2
        self._windows[stream] = self._initial
        flags = (0 if more else END_HEADERS) | (END_STREAM if end else 0)
        self.write(frame(HEADERS, flags, stream, block))
        if more:
            self.write(frame(CONTINUATION, END_HEADERS, stream, more))
        return stream

    @property
    def opened(self) -> int:
        """How many calls were begun."""
        return self._next // 2

    def data(self, stream: int, raw: bytes, *, end: bool = False) -> int:
        """Send as much of a stream's bytes as its windows let it; return how many."""
        size = max(0, min(len(raw), 16_384, self.window, self._windows.get(stream, 0)))
        if size or not raw:
            self.window -= size
            self._windows[stream] -= size
            flags = END_STREAM if end and size == len(raw) else 0
            self.write(frame(DATA, flags, stream, raw[:size]))
        return size

    def reset(self, stream: int) -> None:
        """Take a call back."""
        self.write(frame(RESET, 0, stream, _CANCEL))

    def pump(self, seconds: float = 0.0) -> None:
        """Send and read what can be, waiting so long for something to happen."""
        if self.closed:
            return
        writing = [self.socket] if self._out else []
        readable, writable, _ = select.select([self.socket], writing, [], seconds)
        try:
            if writable:
                del self._out[: self.socket.send(self._out[: 1 << 20])]
            if readable:
                self._take(self.socket.recv(1 << 20))
        except BlockingIOError:
            return
        except OSError:
            self.closed = True

    def pending(self) -> int:
        """Return how many bytes have still to be sent."""
        return len(self._out)

    def close(self) -> None:
        """Close the connection."""
        self.closed = True
        self.socket.close()

    def _take(self, raw: bytes) -> None:
        self.closed = not raw
        self._in += raw
        while len(self._in) >= 9:
            size = int.from_bytes(self._in[:3], "big")
            if len(self._in) < 9 + size:
                return
            kind, flags, stream = struct.unpack(">BBI", self._in[3:9])
            payload, self._in = self._in[9 : 9 + size], self._in[9 + size :]
            self._handle(kind, flags, stream, payload)

    def _handle(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        self.got[kind] += 1
        if kind == SETTINGS and not flags & ACK:
            self._settle(payload)
            self.write(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.write(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE:
            size = int.from_bytes(payload, "big")
            if stream:
                self._windows[stream] = self._windows.get(stream, 0) + size
            else:
                self.window += size
        elif kind == RESET or (kind in (DATA, HEADERS) and flags & END_STREAM):
            self.over.add(stream)
            self._windows.pop(stream, None)

    def _settle(self, payload: bytes) -> None:
        for name, value in struct.iter_unpack(">HI", payload):
            if name == _INITIAL_WINDOW:
                for stream in self._windows:
                    self._windows[stream] += value - self._initial
                self._initial = value

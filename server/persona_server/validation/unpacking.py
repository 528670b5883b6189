"""Messages that come compressed: how large they are, found before they are unpacked.

gRPC's core hands them over as they came (`transport/options.py`). It would else unpack them where
all calls come in, before anybody pays for it.
"""

import zlib

_GZIP = b"\x1f\x8b"  # in a message, a field of a kind that there is not
_PACKED = frozenset((_GZIP, b"x\x01", b"x^", b"x\x9c", b"x\xda"))  # the others: zlib's, a field 15
_EITHER = 32 + zlib.MAX_WBITS


class TooLongError(ValueError):
    """A message is longer than it may be. `size` is what it says of itself, or how far one got."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def most_bytes(raw: bytes, longest: int) -> int:
    """Return how many bytes come of a message at most, if `longest` are unpacked at most."""
    if raw[:2] not in _PACKED:
        return len(raw)
    return min(_said(raw, longest), longest)


def unpack(raw: bytes, longest: int) -> bytes:
    """Return what is packed in a message; one that is not packed, or not well, as it is.

    Raises TooLongError: at once if it says so itself, else at the first byte too many.
    """
    if raw[:2] not in _PACKED:
        return raw
    size = _said(raw, longest)
    if size > longest:
        raise TooLongError(size)
    unpacker = zlib.decompressobj(_EITHER)
    try:
        message = unpacker.decompress(raw, size + 1)
    except zlib.error:
        return raw
    if len(message) > longest:
        raise TooLongError(len(message))
    return message if unpacker.eof and not unpacker.unused_data else raw


def _said(raw: bytes, otherwise: int) -> int:
    """Return the length that gzip has at its end, to which it is held; zlib has none."""
    return int.from_bytes(raw[-4:], "little") if raw[:2] == _GZIP else otherwise

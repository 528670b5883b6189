"""Keys as they stand on disk: 16-byte ids, microseconds, positions, 64-bit ids sorted by time."""

import os
import threading
import time

DAY = 86_400_000_000  # microseconds
_HIGHEST = 2**63 - 1
_48_BITS = (1 << 48) - 1
# A digit whose upper two bits are 10, as of all UUIDs, and whose lower two are those of a digit.
_VARIANT = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}


def now() -> int:
    """Return the time in microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def id_bytes(text: str) -> bytes:
    """Return the 16 bytes of an id that was validated before."""
    return bytes.fromhex(text.replace("-", ""))


def id_text(raw: bytes) -> str:
    """Return an id as the contract writes it: 8-4-4-4-12, lower case."""
    return dashed(raw.hex())


def dashed(digits: str) -> str:
    """Return the 32 hexadecimal digits of an id as the contract writes it."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new_id(micros: int) -> str:
    """Make a UUIDv7 (RFC 9562, section 5.7) for a time in microseconds since 1970."""
    return new_ids(micros, 1)[0]


def new_ids(micros: int, count: int) -> list[str]:
    """Make so many of them with one call of the system, which costs more than the rest of an id."""
    at, chance = f"{micros // 1000 & _48_BITS:012x}", os.urandom(10 * count).hex()
    begin = f"{at[:8]}-{at[8:]}-7"
    digits = (chance[i : i + 20] for i in range(0, len(chance), 20))
    return [f"{begin}{d[1:4]}-{_VARIANT[d[4]]}{d[5:8]}-{d[8:]}" for d in digits]


def position(micros: int, raw_id: bytes) -> bytes:
    """Return the 24-byte sort key (created_at, id), in memcmp order."""
    return micros.to_bytes(8) + raw_id


def split_position(key: bytes) -> tuple[int, bytes]:
    """Return (created_at in microseconds, id) of a position."""
    return int.from_bytes(key[:8]), key[8:]


class IdGenerator:
    """Makes 64-bit ids that grow with time: milliseconds << 21 | 21 random bits, good until 2109.

    Those of processes that share the last one never repeat; those of others collide by chance. So
    more ids of a millisecond follow its first, and are not drawn: the highest of many draws are
    near its end in every process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: memoryview[int] | list[int] = [0]

    def share(self, last: "memoryview[int]") -> None:
        """Have the last id in a place that other processes use too, each in its turn to write."""
        self._last = last

    def next(self, micros: int) -> int:
        """Return an id for a time in microseconds, above every one returned before."""
        start = (micros // 1000) << 21
        with self._lock:
            if (last := self._last[0]) < start:
                self._last[0] = min(start | int.from_bytes(os.urandom(3)) >> 3, _HIGHEST)
            else:
                self._last[0] = min(last + 1, _HIGHEST)
            return self._last[0]

"""How often an address may do what is only counted, such as being refused."""

import ipaddress
from collections.abc import Hashable
from functools import lru_cache
from itertools import islice

MOST = 10_000  # addresses that are remembered


class Rates:
    """A token bucket for each key; one that is full again takes no room. Not safe for threads."""

    def __init__(self, a_second: float, burst: float) -> None:
        self._a_second = a_second
        self._burst = burst
        self._left: dict[Hashable, tuple[float, float]] = {}

    def take(self, key: Hashable, now: float, cost: float = 1.0) -> bool:
        """Return whether a key has so much left at a time in seconds, and take it."""
        left = self._at(self._left.pop(key, (self._burst, now)), now)
        if len(self._left) >= MOST:
            self._left.clear()  # rare, and it forgives: to search here would cost an attacker less
        self._left[key] = max(left - cost, 0.0), now
        # Those that were used longest ago come first: two for each that is used, so that none stay.
        for old, bucket in list(islice(self._left.items(), 2)):
            if self._at(bucket, now) >= self._burst:
                self._left.pop(old, None)
        return left >= cost

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._left)

    def _at(self, bucket: tuple[float, float], now: float) -> float:
        left, since = bucket
        return min(self._burst, left + (now - since) * self._a_second)


@lru_cache(maxsize=4096)
def network_of(peer: str) -> str:
    """Return as whom to count a peer such as "[::1]:50051": IPv6 by its first 64 bits."""
    host = peer.rpartition(":")[0] if peer.count(":") == 1 or peer.startswith("[") else peer
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:  # a Unix socket has none
        return host
    if address.version == 4:
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.ip_network((address, 64), strict=False))

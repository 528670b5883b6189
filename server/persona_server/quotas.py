"""Quotas: how much of the service each tenant may use, by default and of its own."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

KEPT_SECONDS = 30.0  # so long an own value that was changed may still count
MOST_KNOWN = 10_000  # tenants


class Quota(NamedTuple):
    """What one tenant may use. The names are those in refusals and of `persona tenants set`."""

    calls_per_second: int
    bytes_per_second: int  # of requests and answers
    concurrent_calls: int  # waiting and being served
    streams: int
    stored_bytes: int  # of personas, hidden ones included, of recorded and reference answers


class _Known(NamedTuple):
    """The quota of a tenant, what of it is its own, and until when that counts."""

    quota: Quota
    own: Mapping[str, int]
    until: float


class TenantQuotas:
    """The quota of each tenant: the defaults, and over them what `own` has by its name."""

    def __init__(self, defaults: Quota, own: Callable[[str], Mapping[str, int]]) -> None:
        self._defaults = defaults
        self._own = own
        self._known: dict[str, _Known] = {}  # the one that was read longest ago first
        self._lock = threading.Lock()

    def of(self, tenant: str) -> Quota:
        """Return a tenant's quota, read again when it is older than 30 s. Raises what `own` does.

        Not within a transaction.
        """
        found = self._known.get(tenant)
        if found is not None and time.monotonic() < found.until:
            return found.quota
        own = self._own(tenant)
        with self._lock:
            self._known.pop(tenant, None)
            if len(self._known) >= MOST_KNOWN:
                del self._known[next(iter(self._known))]
            quota = self._defaults._replace(**own)
            self._known[tenant] = _Known(quota, own, time.monotonic() + KEPT_SECONDS)
        return quota

    def set_defaults(self, defaults: Quota) -> None:
        """Let these be the defaults from now on, also of streams that are open."""
        with self._lock:
            self._defaults = defaults
            for tenant, found in self._known.items():
                quota = defaults._replace(**found.own)
                self._known[tenant] = found._replace(quota=quota)

    def known(self, tenant: str) -> Quota:
        """Return a tenant's quota as it was read last, the defaults before; nothing is read now."""
        found = self._known.get(tenant)
        return self._defaults if found is None else found.quota

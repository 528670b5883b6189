"""Quotas: how much of the service each tenant may use, by default and of its own."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

KEPT_SECONDS = 30.0  # so long an own value that was changed may still count


class Quota(NamedTuple):
    """What one tenant may use. The names are those in refusals and of `persona tenants set`."""

    calls_per_second: int
    bytes_per_second: int  # of requests and answers
    concurrent_calls: int  # waiting and being served
    streams: int
    stored_bytes: int  # of personas, hidden ones included, and of recorded answers


class TenantQuotas:
    """The quota of each tenant: the defaults, and over them what `own` has by its name."""

    def __init__(self, defaults: Quota, own: Callable[[str], Mapping[str, int]]) -> None:
        self._defaults = defaults
        self._own = own
        self._known: dict[str, tuple[Quota, float]] = {}
        self._lock = threading.Lock()

    def of(self, tenant: str) -> Quota:
        """Return a tenant's quota, read again when it is older than 30 s. Raises what `own` does.

        Not within a transaction.
        """
        found = self._known.get(tenant)
        if found is not None and time.monotonic() < found[1]:
            return found[0]
        quota = self._defaults._replace(**self._own(tenant))
        with self._lock:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[tenant] = quota, time.monotonic() + KEPT_SECONDS
        return quota

    def set_defaults(self, defaults: Quota) -> None:
        """Let these be the defaults from now on."""
        self._defaults = defaults
        with self._lock:
            self._known.clear()

    def known(self, tenant: str) -> Quota:
        """Return a tenant's quota as it was read last, the defaults before; nothing is read now."""
        found = self._known.get(tenant)
        return self._defaults if found is None else found[0]

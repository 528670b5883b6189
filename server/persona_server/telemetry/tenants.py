"""What tenants use, of as many as the operator lets metrics name."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter

OTHERS = "(others)"  # no tenant has such a name
_REFUSED = "RESOURCE_EXHAUSTED"


class TenantFigures:
    """Calls, seconds and bytes by tenant: the first `most` that call are named, the rest one.

    So the number of series is bounded, and none of them ever falls. `rank` says as which a tenant
    has called, from 0, where several processes count.
    """

    def __init__(
        self, registry: CollectorRegistry, most: int, rank: Callable[[str], int] | None = None
    ) -> None:
        self._most = most
        self._rank = rank
        self._named: dict[str, tuple[Counter, ...]] = {}

        def counter(name: str, what: str) -> Counter:
            return Counter(f"persona_tenant_{name}", what, ("tenant",), registry=registry)

        self._counters = (
            counter("calls", "Finished calls of a tenant."),
            counter("refused", "Calls of a tenant that were refused for a quota."),
            counter("seconds", "Seconds in which threads worked on the calls of a tenant."),
            counter("bytes", "Bytes of a tenant's messages and of the answers to it."),
        )

    def finished(self, tenant: str, code: str, seconds: float, size: int) -> None:
        """Count a finished call of a tenant that is known."""
        if self._most and tenant:
            calls, refused, worked, moved = self._of(tenant)
            calls.inc()
            refused.inc(code == _REFUSED)
            worked.inc(seconds)
            moved.inc(size)

    def _of(self, tenant: str) -> tuple[Counter, ...]:
        found = self._named.get(tenant)
        if found is None:
            name = tenant if self._may_name(tenant) else OTHERS
            found = self._named.get(name) or tuple(one.labels(name) for one in self._counters)
            self._named[name] = found
        return found

    def _may_name(self, tenant: str) -> bool:
        if self._rank is not None:
            return self._rank(tenant) < self._most
        return len(self._named.keys() - {OTHERS}) < self._most

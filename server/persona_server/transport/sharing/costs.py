"""What calls cost, as measured: seconds of CPU, or bytes of answers, by tenant and RPC."""

COSTLY = 0.001  # seconds of CPU, some three times a Get's: more is kept to few threads
_FORGETS = 0.2  # of the difference, with each cheaper call
_MOST = 10_000  # pairs of tenant and RPC that are remembered


class Costs:
    """The cost to expect of a call. It rises at once and sinks slowly, so surprises are rare."""

    def __init__(self, unknown: float = COSTLY) -> None:
        """Let `unknown` be what is expected of what was never seen: the least that is costly."""
        self._unknown = unknown
        self._known: dict[tuple[str, str], float] = {}

    def of(self, caller: tuple[str, str]) -> float:
        """Return what to expect of a tenant and RPC."""
        return self._known.get(caller, self._unknown)

    def learn(self, caller: tuple[str, str], cost: float) -> None:
        """Take what a call has cost."""
        known = self._known.get(caller)
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
        elif cost < known:
            cost = known + (cost - known) * _FORGETS
        self._known[caller] = cost

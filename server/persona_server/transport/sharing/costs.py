"""What calls cost, as measured: seconds of CPU, by tenant and RPC."""

COSTLY = 0.001  # seconds of CPU, some three times a Get's: more is kept to few threads
_FORGETS = 0.2  # of the difference, with each cheaper call
_MOST = 10_000  # pairs of tenant and RPC that are remembered


class Costs:
    """The cost to expect of a call. It rises at once and sinks slowly, so surprises are rare."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], float] = {}

    def of(self, tenant: str, rpc: str) -> float:
        """Return the seconds of CPU to expect; of what was never seen, the least that is costly."""
        return self._known.get((tenant, rpc), COSTLY)

    def learn(self, tenant: str, rpc: str, seconds: float) -> None:
        """Take what a call has cost."""
        key = tenant, rpc
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
        elif seconds < known:
            seconds = known + (seconds - known) * _FORGETS
        self._known[key] = seconds

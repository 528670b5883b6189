"""What calls cost, as measured: seconds of CPU, by tenant and RPC."""

COSTLY = 0.001  # seconds of CPU, some three times a Get's: more is kept to few threads
_FORGETS = 0.2  # of the difference, with each cheaper call
_MOST = 10_000  # pairs of tenant and RPC that are remembered


class Costs:
    """The cost to expect of a call. It rises at once and sinks slowly, so surprises are rare."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], float] = {}

    def of(self, caller: tuple[str, str]) -> float:
        """Return the seconds of CPU to expect of a tenant and RPC.

        What was never seen is expected to cost the least that is costly.
        """
        return self._known.get(caller, COSTLY)

    def learn(self, caller: tuple[str, str], seconds: float) -> None:
        """Take what a call has cost."""
        known = self._known.get(caller)
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
        elif seconds < known:
            seconds = known + (seconds - known) * _FORGETS
        self._known[caller] = seconds

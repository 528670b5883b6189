"""Places of calls that last, taken before a thread is."""

from persona_server.errors import ServiceError
from persona_server.transport.entrance.receipts import Receipt
from persona_server.transport.streams import too_many


class Places:
    """At most so many calls are open at once, and of one payer. Not safe for threads."""

    def __init__(self, most: int, each: int) -> None:
        self._most = most
        self._each = each
        self._open: dict[Receipt, str] = {}

    def take(self, call: Receipt) -> bool:
        """Return whether there is a place for a call, and take it."""
        of_payer = sum(1 for payer in self._open.values() if payer == call.payer)
        if len(self._open) >= self._most or of_payer >= self._each:
            return False
        self._open[call] = call.payer
        return True

    def give_back(self, call: Receipt) -> None:
        """Free a call's place, if it has one."""
        self._open.pop(call, None)

    def refusal(self) -> ServiceError:
        """Return what is said to a call that finds none."""
        return too_many(self._most, self._each)

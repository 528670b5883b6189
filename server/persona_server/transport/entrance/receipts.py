"""What the messages of calls may take of the memory, and whose message is received next.

A call that may not yet receive waits in gRPC's core, which holds no more than a window of it.
"""

import threading
import time
from typing import NamedTuple

MESSAGE_BYTES = 4 << 20  # the longest message: as such each counts until it is whole
SECONDS = 5.0  # how long a message is waited for, and how long a call waits for its turn


class ReceiptLimits(NamedTuple):
    """Bytes of messages, and calls that wait for their turn: in all, and of one payer.

    `pushing`: who finds no room takes that of the oldest message which is not whole, whoever pays
    for that. Otherwise it is shared as `_room` and `_push` say.
    """

    most: int = 40 << 20
    each: int = 20 << 20
    waiting: int = 5_000
    waiting_each: int = 2_500
    pushing: bool = False

    def part(self, workers: int) -> "ReceiptLimits":
        """Return the part of one of so many workers: of the bytes, but two messages at least."""
        most = max(self.most // workers, 2 * MESSAGE_BYTES)
        return self._replace(most=most, each=max(self.each // workers, MESSAGE_BYTES))


class Receipt:
    """A call's place. Who pays is the tenant, or the address of who need not say who he is."""

    __slots__ = ("charged", "payer", "since")

    def __init__(self) -> None:
        self.payer = ""
        self.charged = 0
        self.since = 0.0

    def receive(self) -> None:
        """Called when the message may be received; must not wait."""
        raise NotImplementedError

    def turn_away(self, *, late: bool) -> None:
        """Called when the message comes too late, or finds no room; must not wait."""
        raise NotImplementedError


class Receipts:
    """The places of all calls. What it calls back, it calls without its lock."""

    def __init__(self, limits: ReceiptLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._total = 0
        self._of: dict[str, int] = {}
        self._waiting: dict[str, dict[Receipt, None]] = {}  # by payer, the next one first
        self._waiters = 0
        self._receiving: dict[Receipt, None] = {}  # the oldest first

    @property
    def bytes(self) -> int:
        """How many bytes the messages take; one that is not whole counts as the longest."""
        return self._total

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return self._waiters

    def add(self, receipt: Receipt) -> None:
        """Let a call receive, now or when its turn has come, or turn it away."""
        receipt.since = time.monotonic()
        with self._lock:
            pushed = None if self._room(receipt.payer) else self._push(receipt.payer)
            opened = receipt.payer not in self._waiting and self._room(receipt.payer)
            if opened:
                self._open(receipt)
            taken = opened or self._wait(receipt)
            others = self._next() if pushed is not None else ()  # calls of the payer before this
        if pushed is not None:
            pushed.turn_away(late=False)
        for one in others:
            one.receive()
        if opened:
            receipt.receive()
        elif not taken:
            receipt.turn_away(late=False)

    def whole(self, receipt: Receipt, size: int) -> bool:
        """Charge a call for its message; return False if it was turned away in the meantime."""
        with self._lock:
            if receipt not in self._receiving:
                return False
            del self._receiving[receipt]
            self._charge(receipt, size)
            opened = self._next() if self._waiting else ()
        for one in opened:
            one.receive()
        return True

    def over(self, receipt: Receipt) -> None:
        """Give back what a call holds, however it has ended."""
        with self._lock:
            self._remove(receipt)
            opened = self._next() if self._waiting else ()
        for one in opened:
            one.receive()

    def tick(self, now: float) -> int:
        """Turn away the calls that have waited too long; return how many messages were late."""
        if not self._receiving and not self._waiting:
            return 0
        before = now - SECONDS
        with self._lock:
            late = [one for one in self._receiving if one.since < before]
            tired = [one for queue in self._waiting.values() for one in queue if one.since < before]
            for one in (*late, *tired):
                self._remove(one)
            opened = self._next()
        for one in opened:
            one.receive()
        for one in late:
            one.turn_away(late=True)
        for one in tired:
            one.turn_away(late=False)
        return len(late)

    # All of these are called with the lock.

    def _room(self, payer: str) -> bool:
        """Return whether a payer may have another message.

        One that has some already takes no more than it leaves to all others: so a few who let
        their messages hang do not fill it, and calls of the rest, which are whole at once, pass.
        """
        limits, has = self._limits, self._of.get(payer, 0)
        left = limits.most - self._total - MESSAGE_BYTES
        return (
            left >= 0
            and has + MESSAGE_BYTES <= limits.each
            and (has < MESSAGE_BYTES or has <= left or limits.pushing)
        )

    def _charge(self, receipt: Receipt, size: int) -> None:
        more, receipt.charged = size - receipt.charged, size
        self._total += more
        charged = self._of.pop(receipt.payer, 0) + more
        if charged:
            self._of[receipt.payer] = charged

    def _open(self, receipt: Receipt) -> None:
        self._receiving[receipt] = None
        self._charge(receipt, MESSAGE_BYTES)

    def _wait(self, receipt: Receipt) -> bool:
        limits, of_payer = self._limits, len(self._waiting.get(receipt.payer, ()))
        # No more than is left for others, as in _room().
        if of_payer >= min(limits.waiting_each, limits.waiting - self._waiters):
            return False
        self._waiting.setdefault(receipt.payer, {})[receipt] = None
        self._waiters += 1
        return True

    def _push(self, payer: str) -> Receipt | None:
        """Return the one that makes room for another of a payer, if there is one.

        Who has no message coming takes the place of one of whoever has most, if that has two: its
        newest, so that what is sent slowly comes to its end, however many others there are.
        """
        if self._limits.pushing:
            pushed = next(iter(self._receiving), None)
        elif self._of.get(payer, 0) < MESSAGE_BYTES and self._receiving:
            largest = max((one.payer for one in self._receiving), key=self._of.__getitem__)
            has_two = self._of[largest] >= 2 * MESSAGE_BYTES
            of_largest = (one for one in reversed(self._receiving) if one.payer == largest)
            pushed = next(of_largest) if has_two else None
        else:
            pushed = None
        if pushed is not None:
            self._remove(pushed)
        return pushed

    def _remove(self, receipt: Receipt) -> None:
        if receipt.charged:
            self._receiving.pop(receipt, None)
            self._charge(receipt, 0)
        elif receipt in self._waiting.get(receipt.payer, ()):
            self._leave(receipt)

    def _leave(self, receipt: Receipt) -> None:
        queue = self._waiting[receipt.payer]
        del queue[receipt]
        self._waiters -= 1
        if not queue:
            del self._waiting[receipt.payer]

    def _next(self) -> list[Receipt]:
        """Open what there is room for: the oldest of each payer, then the next of each."""
        opened = []
        now = time.monotonic()
        payers = list(self._waiting)
        while payers := [one for one in payers if one in self._waiting and self._room(one)]:
            for payer in payers:
                if not self._room(payer):
                    continue
                receipt = next(iter(self._waiting[payer]))
                self._leave(receipt)
                self._open(receipt)
                receipt.since = now
                opened.append(receipt)
                if payer in self._waiting:
                    self._waiting[payer] = self._waiting.pop(payer)  # behind the others
        return opened

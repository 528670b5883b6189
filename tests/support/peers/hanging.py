"""A TCP proxy that hangs: connections stay, and nothing comes of them, not even their end."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from support.peers.proxy import Link, Proxy


class Trap(NamedTuple):
    """Where a connection hangs, and new ones don't before they are there too.

    `catches` tells so of what its client says and of how it has begun its last transaction.
    Whether what is said `passes`, and only its answer hangs.
    """

    catches: Callable[[bytes, bytes], bool]
    passes: bool


class HangingProxy(Proxy):
    """Passes everything on but where it hangs; what it holds then comes later, or is lost."""

    def __init__(self, server: str) -> None:
        self._changed = threading.Condition()
        self._hangs = False
        self._trap: Trap | None = None
        self._begun: dict[Link, bytes] = {}  # how, the last transaction of each connection
        self._trapped: set[Link] = set()
        self._lost: set[Link] = set()
        super().__init__(server)

    @property
    def trapped(self) -> int:
        """How many connections have gone into the trap."""
        return len(self._trapped)

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Hang for a block, on every connection."""
        self._hangs = True
        try:
            yield
        finally:
            self._go_on()

    @contextlib.contextmanager
    def trapping(self, trap: Trap, *, loses: bool = False) -> Iterator[None]:
        """Set a trap for a block. What it has caught goes on then, or is lost."""
        self._trap = trap
        try:
            yield
        finally:
            self._go_on(loses=loses)

    def _go_on(self, *, loses: bool = False) -> None:
        with self._changed:
            if loses:
                self._lost |= self._trapped
            self._hangs, self._trap = False, None
            self._trapped.clear()
            self._changed.notify_all()

    def _pass(self, data: bytes, link: Link, direction: str, target: socket.socket) -> bool:
        if direction == "up" and self._catches(link, data):
            self._trapped.add(link)
            if self._trap and self._trap.passes:
                return super()._pass(data, link, direction, target)
        self._before_end(link)
        return link not in self._lost and super()._pass(data, link, direction, target)

    def _catches(self, link: Link, said: bytes) -> bool:
        """Return whether a connection goes into the trap now."""
        if b"BEGIN" in said:
            self._begun[link] = said
        trap = self._trap
        if trap is None or link in self._trapped:
            return False
        return trap.catches(said, self._begun.get(link, b""))

    def _before_end(self, link: Link) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._hangs and link not in self._trapped)

    def close(self) -> None:
        """Let everything go on, and end it."""
        self._go_on()
        super().close()


@contextlib.contextmanager
def hanging(server: str) -> Iterator[HangingProxy]:
    """Run a proxy for a block."""
    proxy = HangingProxy(server)
    try:
        yield proxy
    finally:
        proxy.close()

"""What a worker is told by its parent, and what it may be asked."""

import json
from dataclasses import asdict, dataclass

from persona_server.process.certificates import Identity

# Orders; any other is the seconds of a last grace.
METRICS, END_HEALTH, RELOAD = b"metrics", b"end health", b"reload"
READY = b"ready"  # what a worker says that listens; anything else is why it can't


@dataclass(frozen=True)
class Place:
    """A worker's place among the others, and what it shares with them.

    `flags` are those of `persona serve` by setting name. `secret` is that of the gateway, and
    `certificate` its own for TLS, PEM; "" if there is none. `counters` is the descriptor of the
    file that transport/sharing/counters.py lays out. `readable` is whether the log ends at a
    terminal.
    """

    number: int  # from 0
    count: int
    flags: dict[str, str]
    secret: str
    certificate: str
    counters: int
    readable: bool

    @property
    def gateway(self) -> Identity | None:
        """The certificate of the gateway, without its key."""
        return Identity(self.certificate.encode(), b"") if self.certificate else None

    def encoded(self) -> bytes:
        """Return the place for a pipe."""
        return json.dumps(asdict(self)).encode()

    @staticmethod
    def decoded(raw: bytes) -> "Place":
        """Return the place that came by a pipe."""
        return Place(**json.loads(raw))

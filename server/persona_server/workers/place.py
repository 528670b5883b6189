"""What a worker is told by its parent, and what it may be asked."""

from dataclasses import dataclass

from persona_server.identity.provider import Published
from persona_server.process.certificates import Identity
from persona_server.settings.config import Settings
from persona_server.storage.engine.folder import FileIdentity

# Orders. Settings are one too, to be heeded from now on; a number is the seconds of a last grace.
METRICS, END_HEALTH = "metrics", "end health"
READY = b"ready"  # what a worker says that listens; anything else is why it can't
BEAT_SECONDS = 1.0  # between two signs that a worker still runs


@dataclass(frozen=True)
class Place:
    """A worker's place among the others, and what it shares with them.

    `settings` are the parent's, which alone reads them: what a file says by the time that a worker
    is replaced may be of the next start. `file` is the database that all of them have, None for one
    of PostgreSQL. `secret` is that of the gateway, and `certificate` its own for TLS, PEM; "" if
    there is none. `published` are the keys of the identity provider as the parent knows them, for a
    worker that comes while that is out. `counters` is the descriptor of the file that
    transport/sharing/counters.py lays out. `readable` is whether the log ends at a terminal.
    """

    number: int  # from 0
    count: int
    settings: Settings
    file: FileIdentity | None
    secret: str
    certificate: str
    published: Published | None
    counters: int
    readable: bool

    @property
    def gateway(self) -> Identity | None:
        """The certificate of the gateway, without its key."""
        return Identity(self.certificate.encode(), b"") if self.certificate else None

"""Who was verified is known for a while, and takes no room longer than that."""

import time
import weakref

from persona_server.identity.principal import Principal
from persona_server.transport.auth import Authenticator

MOST = 4096  # who may be known at once


class Verified:
    """Principals that are valid for so many seconds; how many were made, and how many are kept."""

    def __init__(self, seconds: float) -> None:
        self._expires = time.time() + seconds
        self._made: list[weakref.ref[frozenset[str]]] = []
        self.authenticator = Authenticator(self._verify)

    def _verify(self, token: str) -> Principal:
        scopes = frozenset((token,))
        self._made.append(weakref.ref(scopes))
        return Principal("tenant", "subject", scopes, self._expires)

    def come(self, number: int) -> None:
        """Let so many come, each with a token of its own."""
        for i in range(number):
            found = self.authenticator.principal([f"Bearer {i}"])
            assert found.scopes == {str(i)}

    @property
    def made(self) -> int:
        """How often somebody was verified."""
        return len(self._made)

    @property
    def kept(self) -> int:
        """How many are still there."""
        return sum(one() is not None for one in self._made)


def test_who_comes_again_is_not_verified_again() -> None:
    verified = Verified(60)
    verified.come(100)
    verified.come(100)
    assert (verified.made, verified.kept) == (100, 100)


def test_who_counts_no_more_takes_no_room() -> None:
    verified = Verified(0)
    verified.come(100)
    assert (verified.made, verified.kept) == (100, 0)


def test_no_more_are_known_than_there_is_room_for() -> None:
    verified = Verified(60)
    verified.come(MOST + 100)
    assert (verified.made, verified.kept) == (MOST + 100, MOST)

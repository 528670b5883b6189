"""An identity provider, whose keys are fetched by a job: no call waits for it."""

import time
from typing import NamedTuple

from persona_server.identity.key_sets import KeySetError, fetch, read_key_set
from persona_server.identity.reading import Trust, VerifyingKey
from persona_server.settings.config import Settings
from persona_server.telemetry.logs import LOGGER

LOOK_SECONDS = 0.25  # between two looks whether it is time to fetch
FETCH_SECONDS = 300.0  # between two fetches when nothing asks for one


class Published(NamedTuple):
    """A key set as it was fetched, and when: in seconds since 1970."""

    raw: bytes
    at: float


class Provider:
    """The keys of an identity provider, as it published them last.

    They are fetched every five minutes, and twice in `keep` seconds, for which those of the last
    good fetch are taken; when a token names one that is not known, or a fetch has failed, after
    `refresh` seconds, if that is sooner.
    """

    def __init__(self, url: str, trust: Trust, refresh: float, keep: float) -> None:
        self._url = url
        self._trust = trust
        self._regular = min(FETCH_SECONDS, keep / 2)
        self._refresh = min(refresh, self._regular)
        self._keep = keep
        self._keys: dict[str, VerifyingKey] = {}
        self.last: Published | None = None  # that was good
        self._tried = -FETCH_SECONDS
        self._failed = False
        self._wanted = False

    def find(self, kid: str) -> VerifyingKey | None:
        """Return the key of a kid. It never waits: one that is not known is fetched soon."""
        found = self.published(kid)
        if found is None:
            self._wanted = True
        return found

    def published(self, kid: str) -> VerifyingKey | None:
        """Return the key of a kid as far as it is known, which asks for no fetch."""
        return self._keys.get(kid)

    def fetch_when_due(self) -> bool:
        """Fetch the keys if it is time to, and return whether there are others now."""
        now = time.monotonic()
        soon = self._wanted or self._failed
        if now - self._tried < (self._refresh if soon else self._regular):
            return False
        self._tried, self._wanted = now, False
        before = self.last
        try:
            self.take(Published(fetch(self._url), time.time()))
        except KeySetError as error:
            self._failed = True
            LOGGER.warning("no keys of the identity provider", extra={"why": str(error)})
            return False
        self._failed = False
        assert self.last is not None
        if before is not None and before.raw == self.last.raw:
            return False
        self._tell()
        return True

    def take(self, published: Published) -> None:
        """Know the keys of a set that was fetched, here or by another process of the service.

        Raises KeySetError.
        """
        self._keys = read_key_set(published.raw, self._trust, published.at + self._keep)
        self.last = published

    def _tell(self) -> None:
        if self._keys:
            kids = " ".join(sorted(self._keys))
            LOGGER.info("keys of the identity provider", extra={"kids": kids})
        else:
            taken = "RS256, ES256, EdDSA with Ed25519"
            LOGGER.error("no key of the identity provider can be used", extra={"taken": taken})


def provider_of(settings: Settings) -> Provider | None:
    """Return the identity provider of these settings, if they name one."""
    if not settings.jwks_url:
        return None
    trust = Trust(
        settings.jwks_issuer,
        settings.jwks_audience,
        settings.jwks_tenant_claim,
        settings.jwks_scope_claim,
        is_provider=True,
    )
    return Provider(settings.jwks_url, trust, settings.jwks_refresh, settings.jwks_keep)

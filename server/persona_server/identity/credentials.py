"""What the server knows of credentials: held in memory, and read again when it has changed.

A call is let in where nothing may wait, so nothing is looked up for it. Whoever changes something
marks it (`changes.py`), and a job of each server looks for the mark.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from persona_server.identity.api_keys import PREFIX, read_key
from persona_server.identity.principal import Principal, TokenError
from persona_server.identity.reading import VerifyingKey, read_token
from persona_server.identity.retired import retired_keys
from persona_server.identity.tokens import find_local_key
from persona_server.storage import keys
from persona_server.storage.repositories.credentials import LiveKey
from persona_server.storage.store import Store
from persona_server.telemetry.logs import LOGGER

READ_SECONDS = 0.25  # between two looks at the mark
MARK = "credentials-mark"
MAX_KEYS = 10_000  # that can be called with, of all tenants
MAX_REVOKED = 100_000  # tokens
USE_SECONDS = 3600.0  # between two notes of the last use of a key

Find = Callable[[str], VerifyingKey | None]


class _Known(NamedTuple):
    """What the database says; `signing` are the service's own keys, now and before."""

    mark: bytes | None
    keys: dict[tuple[str, str], LiveKey]
    revoked: frozenset[tuple[str, str]]
    suspended: frozenset[str]
    signing: dict[str, VerifyingKey]


def nowhere(_kid: str) -> None:
    """There is no identity provider."""
    return


class Credentials:
    """Tells who a credential speaks for, without asking anybody."""

    def __init__(
        self,
        store: Store,
        *,
        local_tokens: bool,
        elsewhere: Find = nowhere,
        published: Find = nowhere,
    ) -> None:
        """`elsewhere` tells keys of an identity provider; `local_tokens` is whether own count.

        `published` tells the same keys for a token that was taken before, and asks for no others.
        """
        self._store = store
        self._local_tokens = local_tokens
        self._elsewhere = elsewhere
        self._published = published
        self._known = self._read()
        self._failing = False
        self._used: dict[tuple[str, str], float] = {}
        self._noted: dict[tuple[str, str], float] = {}

    def refresh(self) -> bool:
        """Read what has changed, if anything has, and return whether.

        While the database does not answer, what is known stays, and the log says so once.
        """
        try:
            has_changed = self._store.secrets.find(MARK) != self._known.mark
            if has_changed:
                self._known = self._read()
        except Exception as error:  # noqa: BLE001 (whatever it is, nothing could be read)
            if not self._failing:
                LOGGER.error("credentials can't be read: those known are kept", exc_info=error)
            self._failing = True
            return False
        self._failing = False
        return has_changed

    def _read(self) -> _Known:
        store, now = self._store, keys.now()
        mark = store.secrets.find(MARK)  # first: what comes meanwhile is found by the next look
        live = store.credentials.live_keys(now, MAX_KEYS)
        revoked = store.credentials.revoked_tokens(now, MAX_REVOKED)
        tenants = store.tenants.rows()  # last: those of all the rows before are there
        names = {row.key: row.name for row in tenants}
        current = find_local_key(store)
        own = {current.kid: current.verifying} if current else {}
        return _Known(
            mark,
            {(names[key.tenant], key.id.hex()): key for key in live},
            frozenset((names[tenant], jti) for tenant, jti in revoked),
            frozenset(row.name for row in tenants if row.suspended_at is not None),
            retired_keys(store) | own,
        )

    def verify(self, text: str) -> Principal:
        """Return who a token or an API key speaks for. Raises TokenError."""
        known = self._known
        if text.startswith(PREFIX):
            principal = read_key(text, known.keys)
            self._used[principal.tenant, principal.key_id] = time.time()
            return principal
        principal = read_token(text, self._find)
        if (principal.tenant, principal.token_id) in known.revoked:
            raise TokenError("The token was revoked. Get a new one: persona token.")
        return principal

    def _find(self, kid: str) -> VerifyingKey | None:
        own = self._known.signing.get(kid)
        if own is None:
            return self._elsewhere(kid)
        if not self._local_tokens:
            raise TokenError("This server takes no tokens of its local key (local_tokens is off).")
        return own

    def is_suspended(self, tenant: str) -> bool:
        """Return whether a tenant's calls are refused for now."""
        return tenant in self._known.suspended

    def is_out(self, principal: Principal) -> bool:
        """Return whether what somebody came in with was revoked since, or its tenant suspended.

        A token is revoked with the key that signed it, too.
        """
        known, tenant = self._known, principal.tenant
        if principal.key_id and (tenant, principal.key_id) not in known.keys:
            return True
        if principal.kid and self._is_over(principal.kid):
            return True
        return tenant in known.suspended or (tenant, principal.token_id) in known.revoked

    def _is_over(self, kid: str) -> bool:
        key = self._known.signing.get(kid) or self._published(kid)
        return key is None or key.until <= time.time()

    def note_uses(self) -> None:
        """Write down when keys were used last, each once an hour. Raises ServiceError."""
        for key, used in list(self._used.items()):
            if used - self._noted.get(key, 0.0) < USE_SECONDS:
                continue
            tenant, key_id = key
            with self._store.writing(tenant, None) as repositories:
                repositories.credentials.note_use(bytes.fromhex(key_id), int(used * 1e6))
            self._noted[key] = used

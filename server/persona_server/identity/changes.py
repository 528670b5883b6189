"""What the operator changes of tenants and their credentials, each with its audit row.

Of credentials every running server has heard a moment later.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping

from persona_server.identity import retired
from persona_server.identity.api_keys import MAX_NAME, digest_of, make_key
from persona_server.identity.credentials import MARK, MAX_KEYS, MAX_REVOKED, READ_SECONDS
from persona_server.identity.principal import (
    LEEWAY,
    MAX_TTL,
    TENANT,
    TENANT_RULE,
    TokenError,
    is_name,
)
from persona_server.identity.scopes import expand_scopes
from persona_server.identity.tokens import SECRET_NAME, find_local_key, new_pem
from persona_server.storage.erasure.people import OPERATOR
from persona_server.storage.repositories.audit import AuditEntry
from persona_server.storage.repositories.credentials import KeyRow
from persona_server.storage.store import Store, Transaction

HEARD_SECONDS = 4 * READ_SECONDS  # after which a running server has read a change
SECOND = 1_000_000  # microseconds


def wait_until_heard() -> None:
    """Wait until running servers know of a change, so that what is printed next holds."""
    time.sleep(HEARD_SECONDS)


def create_key(store: Store, tenant: str, name: str, scopes: Iterable[str], ttl: int) -> str:
    """Make an API key and return its text. Raises TokenError for what can't be."""
    if not TENANT.fullmatch(tenant):
        raise TokenError(TENANT_RULE)
    if not is_name(name) or len(name.encode()) > MAX_NAME:
        raise TokenError(f"A key has a --name of 1 to {MAX_NAME} bytes, all of it printable.")
    if not 0 < ttl <= MAX_TTL:
        raise TokenError("A key is valid for some time, 366 days at most: see --ttl.")
    expanded = " ".join(expand_scopes(scopes))
    made = make_key(tenant)

    def add(repositories: Transaction) -> bool:
        now = repositories.now
        store.secrets.hold(MARK)  # of two at once the second counts the key of the first
        if len(store.credentials.live_keys(now, MAX_KEYS)) >= MAX_KEYS:
            raise TokenError(f"There are {MAX_KEYS} keys, which is all there may be: revoke some.")
        row = KeyRow(made.id, name, expanded, digest_of(made.text), now, now + ttl * SECOND)
        repositories.credentials.add_key(row)
        return True

    _change(store, tenant, "CreateApiKey", add)
    return made.text


def revoke_key(store: Store, tenant: str, key_id: bytes) -> bool:
    """Revoke a tenant's key; return whether it had one of this id that was not revoked."""
    return _change(store, tenant, "RevokeApiKey", lambda r: r.credentials.revoke_key(key_id, r.now))


def revoke_token(store: Store, tenant: str, jti: str) -> bool:
    """Revoke a tenant's token; return whether it was not revoked yet. Raises TokenError."""
    if not is_name(jti):
        raise TokenError("A token's id is what `persona token` says of it, or its claim jti.")
    kept = (MAX_TTL + LEEWAY) * SECOND  # no token lives longer

    def revoke(repositories: Transaction) -> bool:
        now = repositories.now
        store.secrets.hold(MARK)
        if len(store.credentials.revoked_tokens(now, MAX_REVOKED)) >= MAX_REVOKED:
            raise TokenError("Too many tokens are revoked one by one: make a new key by --rotate.")
        return repositories.credentials.revoke_token(jti, now, now + kept)

    return _change(store, tenant, "RevokeToken", revoke)


def suspend(store: Store, tenant: str, *, suspended: bool) -> bool:
    """Suspend a tenant or let it go on; return whether it was not so already.

    One that has written nothing yet too: an identity provider may have made tokens for it.
    """

    def change(repositories: Transaction) -> bool:
        is_so = any(row.suspended_at for row in store.tenants.rows() if row.name == tenant)
        if is_so == suspended:
            return False
        store.tenants.suspend(tenant, repositories.now if suspended else None)
        return True

    return _change(store, tenant, "SuspendTenant" if suspended else "ResumeTenant", change)


def set_quotas(store: Store, tenant: str, values: Mapping[str, int | None]) -> None:
    """Set quotas of a tenant; those of None are the server's defaults again."""

    def change(repositories: Transaction) -> bool:
        for name, value in values.items():
            repositories.quotas.put(name, value)
        return True

    _change(store, tenant, "SetQuotas", change)


def rotate(store: Store, keep: int) -> int:
    """Sign with a new key from now on; what older ones signed is taken for `keep` seconds at most.

    Of the old one only the public half is left. Returns until when, in microseconds since 1970.
    Raises TokenError if there is none.
    """
    if not 0 <= keep <= MAX_TTL:
        raise TokenError("An old key is kept for 366 days at most: see --keep.")
    pem = new_pem()
    with store.changing() as now:
        store.secrets.hold(SECRET_NAME)  # of two at once the second retires the key of the first
        old = find_local_key(store)
        if old is None:
            raise TokenError("The database has no key yet; start the server once.")
        until = now + keep * SECOND
        retired.retire(store, old, until / 1e6, now)
        store.secrets.put(SECRET_NAME, pem, now)
        _mark(store, now)
    return until


def _change(store: Store, tenant: str, method: str, change: Callable[[Transaction], bool]) -> bool:
    """Change something of a tenant in one transaction, with its audit row if it was anything."""
    with store.writing(tenant, None) as repositories:
        changed = change(repositories)
        if changed:
            repositories.audit.add(AuditEntry(method, OPERATOR), repositories.now)
            _mark(store, repositories.now)
    return changed


def _mark(store: Store, now: int) -> None:
    store.secrets.put(MARK, os.urandom(16), now)

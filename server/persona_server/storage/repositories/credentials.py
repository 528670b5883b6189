"""API keys and revoked tokens: of one tenant, and those of all that count now."""

from typing import NamedTuple

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.statements import Statement, insert_statement, param


class KeyRow(NamedTuple):
    """An API key as it is kept; times in microseconds since 1970, scopes separated by spaces."""

    id: bytes
    name: str
    scopes: str
    digest: bytes
    created_at: int
    expires_at: int
    revoked_at: int | None = None
    used_at: int | None = None


class LiveKey(NamedTuple):
    """What is asked of an API key that can be called with; `expires_at` in microseconds."""

    tenant: int
    id: bytes
    name: str
    scopes: str
    digest: bytes
    expires_at: int


class CredentialStatements:
    """Every statement on credentials, compiled once."""

    def __init__(self, database: Database) -> None:
        self._keys(database)
        self._tokens(database)
        self._of_all_tenants(database)

    def _keys(self, database: Database) -> None:
        key = tables.ApiKey
        self.add_key = insert_statement(database, key, ("tenant", *KeyRow._fields))
        mine, this = key.tenant_id == param("tenant"), key.id == param("id")
        columns = [getattr(key, name) for name in KeyRow._fields]
        self.keys = Statement(database, key.select(*columns).where(mine))
        here = mine & this & key.revoked_at.is_null()
        self.revoke_key = Statement(
            database, key.update({key.revoked_at: param("now")}).where(here)
        )
        # Each process tells its own, in whatever order: the latest counts.
        earlier = key.used_at.is_null() | (key.used_at < param("at"))
        self.note_use = Statement(
            database, key.update({key.used_at: param("at")}).where(mine & this & earlier)
        )

    def _tokens(self, database: Database) -> None:
        token = tables.RevokedToken
        row = {
            token.tenant_id: param("tenant"),
            token.jti: param("jti"),
            token.revoked_at: param("now"),
            token.kept_until: param("until"),
        }
        self.revoke_token = Statement(database, token.insert(row).on_conflict_ignore())
        old = (token.tenant_id == param("tenant")) & (token.kept_until <= param("now"))
        self.forget_tokens = Statement(database, token.delete().where(old))

    def _of_all_tenants(self, database: Database) -> None:
        key, token = tables.ApiKey, tables.RevokedToken
        live = key.revoked_at.is_null() & (key.expires_at > param("now"))
        shown = (key.tenant_id, key.id, key.name, key.scopes, key.digest, key.expires_at)
        self.live_keys = Statement(database, key.select(*shown).where(live).limit(param("most")))
        self.revoked = Statement(
            database,
            token.select(token.tenant_id, token.jti)
            .where(token.kept_until > param("now"))
            .limit(param("most")),
        )


class Credentials:
    """One tenant's API keys and revoked tokens."""

    def __init__(self, statements: CredentialStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def all_keys(self) -> list[KeyRow]:
        """Return every key there ever was, as they were made."""
        rows = map(KeyRow._make, self._do.keys.all(tenant=self._tenant))
        return sorted(rows, key=lambda row: (row.created_at, row.id))

    def add_key(self, row: KeyRow) -> None:
        """Keep a new key."""
        self._do.add_key.run(tenant=self._tenant, **row._asdict())

    def revoke_key(self, key_id: bytes, now: int) -> bool:
        """Revoke a key; return whether there was one that was not revoked yet."""
        return bool(self._do.revoke_key.run(tenant=self._tenant, id=key_id, now=now))

    def note_use(self, key_id: bytes, at: int) -> None:
        """Note when a key was used last."""
        self._do.note_use.run(tenant=self._tenant, id=key_id, at=at)

    def revoke_token(self, jti: str, now: int, until: int) -> bool:
        """Revoke a token; return whether it was not revoked yet. Those kept long enough go."""
        self._do.forget_tokens.run(tenant=self._tenant, now=now)
        return bool(self._do.revoke_token.run(tenant=self._tenant, jti=jti, now=now, until=until))


class CredentialsOfAll:
    """What a server must know of all tenants to tell whom it lets in; times in microseconds."""

    def __init__(self, statements: CredentialStatements) -> None:
        self._do = statements

    def live_keys(self, now: int, most: int) -> list[LiveKey]:
        """Return at most so many of the keys that can be called with."""
        return [LiveKey._make(row) for row in self._do.live_keys.all(now=now, most=most)]

    def revoked_tokens(self, now: int, most: int) -> list[tuple[int, str]]:
        """Return at most so many of the revoked tokens: the key of the tenant, and the jti."""
        rows = self._do.revoked.all(now=now, most=most)
        return [(tenant, jti) for tenant, jti in rows]

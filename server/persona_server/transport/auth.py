"""Who calls, from the authorization metadata: one Principal per verified token, cached."""

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Sequence

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.identity.principal import Principal, TokenError

_CACHED_SECONDS = 30.0
_CACHE_SIZE = 4096
_BEARER = "Bearer "
_UNKNOWN = (None, 0.0)
# The gateway, which refuses these by itself, says the same.
_MISSING = (
    "A token or an API key is required: authorization: Bearer <token or key>, or x-api-key: <key>."
)
_SEVERAL = "There is more than one token or API key; send one, by authorization or by x-api-key."
_MISSHAPEN = "authorization must be: Bearer <token or API key>; x-api-key must be an API key."


def _nobody(_who: object) -> bool:
    return False


class Authenticator:
    """Verifies tokens and API keys. Verifying ES256 costs 0.1 ms, a cache hit a thousandth."""

    def __init__(
        self,
        verify: Callable[[str], Principal],
        is_suspended: Callable[[str], bool] = _nobody,
        is_out: Callable[[Principal], bool] = _nobody,
    ) -> None:
        """None of them may wait: they are asked where all calls come in.

        `is_suspended` tells of a tenant, `is_out` of somebody whose call has begun.
        """
        self._verify = verify
        self.is_suspended = is_suspended
        self._is_out = is_out
        self._generation = 0  # of what `verify` knows
        self._cache: dict[bytes, tuple[Principal | None, float]] = {}
        self._lock = threading.Lock()

    def principal(self, authorizations: Sequence[str]) -> Principal:
        """Return who a call's authorization values speak for. Raises UNAUTHENTICATED."""
        if not authorizations:
            raise unauthenticated(_MISSING)
        if len(authorizations) > 1:
            raise unauthenticated(_SEVERAL)
        token = _token(authorizations[0])
        if not token:
            raise unauthenticated(_MISSHAPEN)
        digest = _digest(token)
        found = self._cached(digest)
        return found or self._verified(digest, token)

    def why_out(self, principal: Principal) -> ServiceError | None:
        """Return why somebody whose call has begun may go on no more; None if he may."""
        if not self._is_out(principal):
            return None
        if self.is_suspended(principal.tenant):
            return tenant_suspended()
        return unauthenticated("The token or key was revoked meanwhile. Go on with a new one.")

    def forget(self) -> None:
        """Verify everybody again, since something was revoked, or a key is not taken any more."""
        with self._lock:
            self._generation += 1
            self._cache.clear()

    def _cached(self, digest: bytes) -> Principal | None:
        principal, until = self._cache.get(digest, _UNKNOWN)
        return principal if time.time() < until else None

    def _verified(self, digest: bytes, token: str) -> Principal:
        generation = self._generation
        try:
            principal = self._verify(token)
        except TokenError as error:
            raise unauthenticated(str(error)) from None
        until = min(principal.expires, time.time() + _CACHED_SECONDS)
        with self._lock:
            if generation == self._generation:  # else it may rest on what counts no more
                self._cache.pop(digest, None)  # what was verified last is forgotten last
                self._cache[digest] = (principal, until)
            self._forget_oldest()
        return principal

    def _forget_oldest(self) -> None:
        """Make room, and forget who counts no more: two for each that comes, so that none stay."""
        for digest in list(itertools.islice(self._cache, 2)):
            if len(self._cache) > _CACHE_SIZE or self._cache[digest][1] <= time.time():
                del self._cache[digest]


def _token(authorization: str) -> str:
    """Return the token of an authorization value, "" if it has none."""
    if authorization.startswith(_BEARER):  # as nearly all write it
        return authorization[len(_BEARER) :].strip()
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def unauthenticated(message: str) -> ServiceError:
    """UNAUTHENTICATED, saying what is wrong but nothing of the token."""
    return ServiceError(errors_pb2.ERROR_REASON_UNAUTHENTICATED, message)


def tenant_suspended() -> ServiceError:
    """PERMISSION_DENIED for any call of a tenant that the operator has suspended."""
    return ServiceError(
        errors_pb2.ERROR_REASON_PERMISSION_DENIED,
        "The tenant is suspended by the operator of this service. Its data is kept.",
        metadata={"tenant": "suspended"},
    )


def require_scopes(principal: Principal, scopes: tuple[str, ...]) -> None:
    """Refuse a principal that lacks any of these scopes. Raises PERMISSION_DENIED."""
    if principal.scopes.issuperset(scopes):
        return
    missing = [scope for scope in scopes if scope not in principal.scopes]
    raise ServiceError(
        errors_pb2.ERROR_REASON_PERMISSION_DENIED,
        f"The token lacks the scope {' and '.join(missing)}.",
        metadata={"missing_scopes": " ".join(missing)},
    )

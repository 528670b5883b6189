"""The scopes that a credential can carry. transport/methods.py says which RPC needs which."""

from collections.abc import Iterable

from persona_server.identity.principal import TokenError

SCOPES = (
    "personas:read",
    "personas:write",
    "projects:read",
    "projects:write",
    "responses:read",
    "responses:write",
    "library:read",
    "library:write",
)
_READER = tuple(scope for scope in SCOPES if scope.endswith(":read"))
# A role is a name for scopes when a credential is made; what was made keeps its scopes.
ROLES: dict[str, tuple[str, ...]] = {
    "reader": _READER,
    "recorder": (*_READER, "responses:write"),
    "writer": (*_READER, "responses:write", "personas:write", "projects:write"),
    "admin": SCOPES,
}


def expand_scopes(scopes: Iterable[str]) -> list[str]:
    """Return scopes sorted, with "all" expanded. Raises TokenError for one that is not known."""
    wanted = set(scopes)
    if unknown := sorted(wanted - {*SCOPES, "all"}):
        known = ", ".join(("all", *SCOPES))
        raise TokenError(f"There is no scope {', '.join(unknown)}. Known ones: {known}.")
    return sorted(SCOPES) if "all" in wanted else sorted(wanted)


def scopes_of_role(role: str) -> tuple[str, ...]:
    """Return the scopes of a role. Raises TokenError for one that is not known."""
    if role not in ROLES:
        raise TokenError(f"There is no role {role}. Known ones: {', '.join(ROLES)}.")
    return ROLES[role]

"""The scopes that a token can carry. transport/methods.py says which RPC needs which."""

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

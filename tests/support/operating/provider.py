"""An identity provider: a real HTTP server on this machine that publishes keys and signs tokens."""

import base64
import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from persona_server.identity.scopes import SCOPES
from support.operating.forge import WITHOUT

ISSUER, AUDIENCE = "https://id.example.org/", "persona"
ALGORITHMS = ("RS256", "ES256", "EdDSA")


class SigningKey:
    """A key pair of the provider, for one algorithm."""

    def __init__(self, algorithm: str, kid: str) -> None:
        self.algorithm, self.kid = algorithm, kid
        self.private: Any = _new_private(algorithm)

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """Return its public half as a key set has it, with other members."""
        kind: Any = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
        public = json.loads(kind[self.algorithm].to_jwk(self.private.public_key()))
        public.pop("key_ops", None)
        whole = public | {"kid": self.kid, "use": "sig", "alg": self.algorithm} | changes
        return {name: value for name, value in whole.items() if value is not WITHOUT}

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Return a good token but for the header fields and claims named."""
        head = {"kid": self.kid, "typ": "JWT"} | (header or {})
        kept = {n: v for n, v in (claims_now() | claims).items() if v is not WITHOUT}
        return jwt.encode(kept, self.private, algorithm=self.algorithm, headers=head)


def claims_now() -> dict[str, Any]:
    """Return the claims of a good token of a tenant named acme."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "auth0|ann",
        "tenant": "acme",
        "scope": " ".join(SCOPES),
        "iat": now,
        "exp": now + 600,
    }


class Provider:
    """What the server publishes: `keys`, or `answer` in their place; None is an outage."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.answer: bytes | None = None
        self.status = 200
        self.is_out = False
        self.asked = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        self.asked += 1
        if self.is_out:
            request.connection.close()
            return
        body = json.dumps({"keys": self.keys}).encode() if self.answer is None else self.answer
        request.send_response(self.status)
        request.send_header("Location", "/elsewhere")
        request.end_headers()
        request.wfile.write(body)

    def flags(self, **more: str) -> list[str]:
        """Return the flags of a service whose provider it is."""
        given = {"url": self.url, "issuer": ISSUER, "audience": AUDIENCE, "refresh": "1"} | more
        words = ((f"--jwks-{name.replace('_', '-')}", text) for name, text in given.items())
        return [word for pair in words for word in pair]


@contextmanager
def running_provider(*keys: SigningKey) -> Iterator[Provider]:
    """Run a provider with these keys for a block."""
    provider = Provider()
    provider.keys = [key.jwk() for key in keys]
    thread = threading.Thread(target=provider.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.server.shutdown()
        provider.server.server_close()


class DripHandler(socketserver.BaseRequestHandler):
    """Sends one byte after the other, for ever."""

    def handle(self) -> None:
        try:
            self.request.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                self.request.sendall(b"x")
                time.sleep(0.2)
        except OSError:
            return


def unsigned(key: SigningKey) -> str:
    """Return a token of alg none with the kid of a key."""
    return jwt.encode(claims_now(), "", algorithm="none", headers={"kid": key.kid, "typ": "JWT"})


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _new_private(algorithm: str) -> Any:
    if algorithm == "RS256":
        return rsa.generate_private_key(65537, 2048)
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()

"""Key sets of identity providers: which keys verify what, and how long one is waited for."""

import json
import socketserver
import threading
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from persona_server.identity.key_sets import (
    MAX_BYTES,
    SECONDS,
    KeySetError,
    fetch,
    read_key_set,
)
from persona_server.identity.principal import TokenError
from persona_server.identity.reading import Trust, VerifyingKey, read_token
from support.operating.forge import WITHOUT
from support.operating.provider import (
    ALGORITHMS,
    AUDIENCE,
    ISSUER,
    DripHandler,
    SigningKey,
    claims_now,
    running_provider,
)

TRUST = Trust(ISSUER, AUDIENCE, is_provider=True)
KEYS = {algorithm: SigningKey(algorithm, f"{algorithm}-1") for algorithm in ALGORITHMS}


def read(*members: Any, until: float = float("inf")) -> dict[str, VerifyingKey]:
    return read_key_set(json.dumps({"keys": members}).encode(), TRUST, until)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_verifies_by_the_algorithm_of_its_type(algorithm: str) -> None:
    key = KEYS[algorithm]
    for jwk in (key.jwk(), key.jwk(alg=WITHOUT), key.jwk(use=WITHOUT)):
        found = read(jwk)
        assert {kid: each.algorithm for kid, each in found.items()} == {key.kid: algorithm}
        assert read_token(key.token(), found.get).subject == "auth0|ann"


def small_rsa() -> dict[str, Any]:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 (that it is weak is the point)
    return dict(json.loads(RSAAlgorithm.to_jwk(key.public_key()))) | {"kid": "x", "use": "sig"}


def other_curve() -> dict[str, Any]:
    key = ec.generate_private_key(ec.SECP384R1())
    return dict(json.loads(ECAlgorithm.to_jwk(key.public_key()))) | {"kid": "x"}


def ed448_key() -> dict[str, Any]:
    public = ed448.Ed448PrivateKey.generate().public_key()
    return dict(json.loads(OKPAlgorithm.to_jwk(public))) | {"kid": "x"}


UNFIT: dict[str, Callable[[], Any]] = {
    "symmetric": lambda: {"kty": "oct", "k": "AAAA", "kid": "x", "alg": "HS256"},
    "private": lambda: json.loads(RSAAlgorithm.to_jwk(KEYS["RS256"].private)) | {"kid": "x"},
    "for encryption": lambda: KEYS["RS256"].jwk(use="enc"),
    "for encryption by operations": lambda: KEYS["RS256"].jwk(key_ops=["encrypt"]),
    "operations are a word": lambda: KEYS["RS256"].jwk(key_ops="verify"),
    "HS256 named": lambda: KEYS["RS256"].jwk(alg="HS256"),
    "none named": lambda: KEYS["RS256"].jwk(alg="none"),
    "alg of another type": lambda: KEYS["RS256"].jwk(alg="ES256"),
    "alg is a list": lambda: KEYS["RS256"].jwk(alg=["RS256"]),
    "PS256": lambda: KEYS["RS256"].jwk(alg="PS256"),
    "no kid": lambda: KEYS["ES256"].jwk(kid=WITHOUT),
    "empty kid": lambda: KEYS["ES256"].jwk(kid=""),
    "kid is a number": lambda: KEYS["ES256"].jwk(kid=7),
    "long kid": lambda: KEYS["ES256"].jwk(kid="x" * 256),
    "no point": lambda: KEYS["ES256"].jwk(x="AAAA"),
    "no modulus": lambda: KEYS["RS256"].jwk(n=WITHOUT),
    "small": small_rsa,
    "P-384": other_curve,
    "Ed448": ed448_key,
    "a list": list,
    "a word": lambda: "key",
}


@pytest.mark.filterwarnings("ignore::Warning")  # PyJWT warns of short keys
@pytest.mark.parametrize("name", UNFIT)
def test_what_can_not_verify_is_passed_over(name: str) -> None:
    good = KEYS["EdDSA"]
    assert set(read(UNFIT[name](), good.jwk())) == {good.kid}
    assert read(UNFIT[name]()) == {}  # so that what was there before is withdrawn


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',  # rather a fault than the end of all tokens
        b"\xff",
        b"[" * 100_000,
        b'{"keys": [' + b"{}," * 200 + b"{}]}",
    ],
)
def test_what_is_no_key_set(raw: bytes) -> None:
    with pytest.raises(KeySetError):
        read_key_set(raw, TRUST, 0.0)


def test_the_first_key_of_a_kid_counts() -> None:
    first, second = KEYS["ES256"], SigningKey("ES256", "ES256-1")
    found = read(first.jwk(), second.jwk())
    assert read_token(first.token(), found.get)
    with pytest.raises(TokenError):
        read_token(second.token(), found.get)


def test_a_key_is_taken_until_its_time() -> None:
    key = KEYS["ES256"]
    assert read_token(key.token(), read(key.jwk(), until=time.time() + 60).get).expires <= (
        time.time() + 60
    )
    with pytest.raises(TokenError):
        read_token(key.token(), read(key.jwk(), until=time.time()).get)


def test_the_algorithm_is_that_of_the_key_whatever_the_token_says() -> None:
    key = KEYS["RS256"]
    found = read(key.jwk(), KEYS["ES256"].jwk())
    for algorithm in ("RS384", "RS512", "PS256"):
        head = {"kid": key.kid, "typ": "JWT"}
        token = jwt.encode(claims_now(), key.private, algorithm=algorithm, headers=head)
        with pytest.raises(TokenError):
            read_token(token, found.get)
    with pytest.raises(TokenError):
        read_token(key.token({"kid": KEYS["ES256"].kid}), found.get)


@pytest.mark.parametrize("status", [301, 302, 404, 500])
def test_nothing_is_followed(status: int) -> None:
    with running_provider(KEYS["ES256"]) as provider:
        assert json.loads(fetch(provider.url))["keys"]
        provider.status = status
        with pytest.raises(KeySetError, match=str(status)):
            fetch(provider.url)
        assert provider.asked == 2


def test_a_key_set_is_not_longer_than_it_may_be() -> None:
    with running_provider() as provider:
        provider.answer = b" " * MAX_BYTES
        assert len(fetch(provider.url)) == MAX_BYTES
        provider.answer += b" "
        with pytest.raises(KeySetError, match="bytes"):
            fetch(provider.url)


def test_one_who_sends_byte_by_byte_is_not_waited_for() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), DripHandler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started = time.monotonic()
        with pytest.raises(KeySetError, match="it takes more than 5 s"):
            fetch(f"http://127.0.0.1:{server.server_address[1]}/keys")
        assert time.monotonic() - started < 2 * SECONDS
        server.shutdown()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/keys", "https://127.0.0.1:1/keys"])
def test_nobody_there(url: str) -> None:
    with pytest.raises(KeySetError, match="refused"):
        fetch(url)

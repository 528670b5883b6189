"""R8: whatever is not one good token is refused, by every RPC, before its message is looked at."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from grpc_health.v1 import health_pb2, health_pb2_grpc

from persona_server.identity.scopes import SCOPES
from persona_server.transport.methods import Method
from support.data import uid
from support.errors import assert_no_leak
from support.operating.forge import WITHOUT, Forge, encoded, hs256, nothing, other_key, rs256
from support.requests.world import World
from support.rpcs import METHODS, REFLECTION, bearer, exchange, list_services, send
from support.service import Service

HOUR = 3600
PATHS = [*(method.path for method in METHODS), REFLECTION]


def ago(seconds: int) -> int:
    return int(time.time()) - seconds


def header(**fields: Any) -> Callable[[Forge], str]:
    return lambda forge: forge.token(fields)


def claim(**claims: Any) -> Callable[[Forge], str]:
    return lambda forge: forge.token(**claims)


def parts(change: Callable[[list[str]], list[str]]) -> Callable[[Forge], str]:
    return lambda forge: ".".join(change(forge.token().split(".")))


def raw_header(raw: bytes) -> Callable[[Forge], str]:
    return lambda _: f"{encoded(raw)}.e30.e30"


def other_claims(forge: Forge) -> str:
    """Return a token whose payload was swapped for another tenant's under the same signature."""
    head, _, signature = forge.token().split(".")
    return (
        f"{head}.{encoded(json.dumps(forge.claims() | {'tenant': 'victim'}).encode())}.{signature}"
    )


TOKENS: dict[str, Callable[[Forge], str]] = {
    "empty": lambda _: "",
    "rubbish": lambda _: "rubbish",
    "two dots": lambda _: "..",
    "not base64": lambda _: "%%%.%%%.%%%",
    "deeply nested header": raw_header(b"[" * 5000),
    "deeply nested object": raw_header(b'{"a":' * 1000),
    "header is a list": raw_header(b"[]"),
    "header is not UTF-8": raw_header(b"\xff\xfe"),
    "huge number in header": raw_header(b'{"a":' + b"9" * 5000 + b"}"),
    "alg none": lambda f: f.token({"alg": "none"}, nothing),
    "alg None": lambda f: f.token({"alg": "None"}, nothing),
    "alg none, signed": lambda f: f.token({"alg": "none"}),
    "no alg": header(alg=WITHOUT),
    "ES256 without signature": lambda f: f.token(sign=nothing),
    "HS256 by the public PEM": lambda f: f.token({"alg": "HS256"}, hs256(f.public(Encoding.PEM))),
    "HS256 by the public DER": lambda f: f.token({"alg": "HS256"}, hs256(f.public(Encoding.DER))),
    "HS256 by the point": lambda f: f.token({"alg": "HS256"}, hs256(f.public(Encoding.X962))),
    "HS256 by nothing": lambda f: f.token({"alg": "HS256"}, hs256(b"")),
    "HS256 by the kid": lambda f: f.token({"alg": "HS256"}, hs256(f.kid.encode())),
    "RS256": lambda f: f.token({"alg": "RS256"}, rs256()),
    "ES384 named": header(alg="ES384"),
    "another key": lambda f: f.token(sign=other_key()),
    "another key, its kid": lambda f: f.token({"kid": "x" * 43}, other_key()),
    "key in the header": lambda f: f.token({"jwk": {"kty": "EC"}}, other_key()),
    "unknown kid": header(kid="x" * 43),
    "no kid": header(kid=WITHOUT),
    "kid is a number": header(kid=1),
    "kid is a list": header(kid=["x"]),
    "no typ": header(typ=WITHOUT),
    "typ id+jwt": header(typ="id+jwt"),
    "typ JOSE": header(typ="JOSE"),
    "typ is a list": header(typ=["JWT"]),
    "unknown critical extension": header(crit=["b64"], b64=False),
    "no exp": claim(exp=WITHOUT),
    "no iat": claim(iat=WITHOUT),
    "no aud": claim(aud=WITHOUT),
    "no iss": claim(iss=WITHOUT),
    "no sub": claim(sub=WITHOUT),
    "no tenant": claim(tenant=WITHOUT),
    "exp is null": claim(exp=None),
    "exp is a word": claim(exp="never"),
    "exp is infinite": claim(exp=float("inf")),
    "iat is not a number": claim(iat=float("nan")),
    "exp is a list": claim(exp=[]),
    "wrong aud": claim(aud="another-service"),
    "aud of others": claim(aud=["another", "third"]),
    "aud is a number": claim(aud=7),
    "wrong iss": claim(iss="another-service"),
    "iss in another case": claim(iss="Persona-Service"),
    "iss is a list": claim(iss=["persona-service"]),
    "sub is empty": claim(sub=""),
    "sub is a number": claim(sub=7),
    "scope is a list": claim(scope=list(SCOPES)),
    "expired": lambda f: f.token(iat=ago(2 * HOUR), exp=ago(HOUR)),
    "expired beyond leeway": lambda f: f.token(iat=ago(HOUR), exp=ago(61)),
    "not yet valid": lambda f: f.token(nbf=ago(-HOUR)),
    "issued in the far future": lambda f: f.token(iat=ago(-HOUR), exp=ago(-2 * HOUR)),
    "tenant empty": claim(tenant=""),
    "tenant in capitals": claim(tenant="Local"),
    "tenant too long": claim(tenant="a" * 65),
    "tenant with newline": claim(tenant="local\n"),
    "tenant with space": claim(tenant="local x"),
    "tenant with NUL": claim(tenant="local\0"),
    "tenant in other digits": claim(tenant="local١"),
    "tenant is a list": claim(tenant=["local"]),
    "tenant is null": claim(tenant=None),
    "payload swapped": other_claims,
    "payload cut": parts(lambda p: [p[0], p[1][:-4], p[2]]),
    "signature changed": parts(lambda p: [*p[:2], ("B" if p[2][0] == "A" else "A") + p[2][1:]]),
    "signature cut": parts(lambda p: [*p[:2], p[2][:-4]]),
    "signature gone": parts(lambda p: p[:2]),
    "a fourth part": parts(lambda p: [*p, p[2]]),
    "all zero signature": parts(lambda p: [*p[:2], encoded(bytes(64))]),
    "over 8 KiB": claim(padding="x" * 6500),
}

VALUES: dict[str, Callable[[str], list[str]]] = {
    "no token": lambda _: [],
    "empty value": lambda _: [""],
    "token alone": lambda token: [token],
    "Bearer alone": lambda _: ["Bearer"],
    "Bearer and spaces": lambda _: ["Bearer   "],
    "Basic": lambda token: [f"Basic {token}"],
    "Token": lambda token: [f"Token {token}"],
    "no space": lambda token: [f"Bearer{token}"],
    "Bearer twice": lambda token: [f"Bearer Bearer {token}"],
    "two tokens in one": lambda token: [f"Bearer {token} {token}"],
    "joined by a comma": lambda token: [f"Bearer {token}, Bearer {token}"],
    "two values": lambda token: [f"Bearer {token}", f"Bearer {token}"],
    "good, then bad": lambda token: [f"Bearer {token}", "Bearer rubbish"],
    "bad, then good": lambda token: ["Basic x", f"Bearer {token}"],
}

MISSPELT = [
    "//persona.v1.PersonaService/GetPersona",
    "/persona.v1.PersonaService//GetPersona",
    "/persona.v1.PersonaService/GetPersona/",
    "/persona.v1.PersonaService/getPersona",
    "/persona.v1.PersonaService/GETPERSONA",
    "/persona.v1.personaservice/GetPersona",
    "/Persona.v1.PersonaService/GetPersona",
    "/persona.v2.PersonaService/GetPersona",
    "/PersonaService/GetPersona",
    "/persona.v1.PersonaService/GetPersona%20",
    "/persona.v1.PersonaService/../persona.v1.PersonaService/GetPersona",
    "/persona.v1.PersonaService/",
    "persona.v1.PersonaService/GetPersona",
    "/",
]


@pytest.fixture(scope="module")
def forge(own: Service) -> Forge:
    return Forge(own)


@pytest.fixture(scope="module")
def channel(own: Service) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(own.grpc) as opened:
        yield opened


def assert_refused(channel: grpc.Channel, values: list[str]) -> None:
    """Every RPC refuses these authorization values, whatever its message."""
    for path in PATHS:
        answer = exchange(channel, path, [b"\xff"], [("authorization", v) for v in values])
        problem = answer.problem
        assert (problem.code, problem.reason) == (
            grpc.StatusCode.UNAUTHENTICATED,
            "UNAUTHENTICATED",
        ), path
        assert (answer.messages, problem.metadata, problem.retry) == ((), {}, False)


@pytest.mark.parametrize("name", TOKENS)
def test_bad_token(channel: grpc.Channel, forge: Forge, name: str) -> None:
    assert_refused(channel, [f"Bearer {TOKENS[name](forge)}"])


@pytest.mark.parametrize("name", VALUES)
def test_bad_authorization(channel: grpc.Channel, forge: Forge, name: str) -> None:
    assert_refused(channel, VALUES[name](forge.token()))


@pytest.mark.parametrize("path", MISSPELT)
def test_misspelt_path_is_no_rpc(channel: grpc.Channel, forge: Forge, path: str) -> None:
    for metadata in (bearer(forge.token()), ()):
        answer = exchange(channel, path, [b""], metadata)
        assert answer.code == grpc.StatusCode.UNIMPLEMENTED
        assert_no_leak(answer.text)


@pytest.mark.parametrize(
    "typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"]
)
def test_good_token_of_every_type(channel: grpc.Channel, forge: Forge, typ: str) -> None:
    token = forge.token({"typ": typ})
    assert exchange(channel, PATHS[0], [b""], bearer(token)).problem.reason == "INVALID_FIELD"
    assert exchange(channel, REFLECTION, [list_services()], bearer(token)).error is None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_scheme_in_any_case(channel: grpc.Channel, forge: Forge, scheme: str) -> None:
    value = [("authorization", f"{scheme} {forge.token()}")]
    assert exchange(channel, REFLECTION, [list_services()], value).error is None


def test_leeway_and_long_tenants(channel: grpc.Channel, forge: Forge) -> None:
    fine = [
        forge.token(iat=ago(HOUR), exp=ago(5)),
        forge.token(nbf=ago(-5), iat=ago(-5)),
        forge.token(tenant="a-0" + "z" * 61),
        forge.token(aud=["another", "persona-service"]),
        forge.token(scope="unknown:scope " + " ".join(SCOPES)),
    ]
    for token in fine:
        assert exchange(channel, REFLECTION, [list_services()], bearer(token)).error is None


def test_corpus_is_refused_for_what_it_says_alone(channel: grpc.Channel, forge: Forge) -> None:
    """The forge makes good tokens, so that a bad one is bad for its one fault."""
    assert exchange(channel, REFLECTION, [list_services()], bearer(forge.token())).error is None


@pytest.mark.parametrize("method", METHODS, ids=lambda m: str(m.name))
def test_every_scope_of_an_rpc_is_needed_and_enough(
    own: Service, channel: grpc.Channel, forge: Forge, method: Method
) -> None:
    assert method.scopes
    for missing in method.scopes:
        rest = " ".join(scope for scope in SCOPES if scope != missing)
        problem = exchange(channel, method.path, [b"\xff"], bearer(forge.token(scope=rest))).problem
        assert problem.reason == "PERMISSION_DENIED"
        assert problem.code == grpc.StatusCode.PERMISSION_DENIED
        assert problem.metadata == {"missing_scopes": missing}
    caller = own.connect()
    messages = World(caller).messages(method, uid() if method.has_request_id else "")
    enough = bearer(forge.token(scope=" ".join(method.scopes)))
    assert send(channel, method, messages, enough).error is None
    caller.close()


def test_health_is_open_and_reflection_is_not(channel: grpc.Channel) -> None:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    for name in ("", "persona.v1.PersonaService", "persona.v1.ProjectService"):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    refused = exchange(channel, REFLECTION, [list_services()])
    assert refused.problem.reason == "UNAUTHENTICATED"

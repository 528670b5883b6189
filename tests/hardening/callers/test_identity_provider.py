"""An identity provider's tokens are taken for what they say, through rotations and outages."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from persona_server.identity.changes import revoke_token, suspend
from persona_server.identity.provider import LOOK_SECONDS
from persona_server.storage.store import open_store
from support.data import make_place, uid
from support.dbfile import reading
from support.importer import LEAN
from support.operating.forge import WITHOUT, Forge, hs256
from support.operating.provider import ALGORITHMS, Provider, SigningKey, running_provider, unsigned
from support.operating.workers import COUNT, FLAGS, caller_of, kill, pid_of
from support.rpcs import BY_NAME, Answer, bearer, exchange
from support.service import Service, running_service
from support.waiting import eventually

LIST = BY_NAME["ListProjects"].path
RSA, EC, ED = (SigningKey(algorithm, f"{algorithm}-1") for algorithm in ALGORITHMS)
KEYS = (RSA, EC, ED)
MONTH = 30 * 86_400  # seconds: what is made at the import may be used much later


class Place:
    """A service, its provider, and a connection."""

    def __init__(self, service: Service, provider: Provider, channel: grpc.Channel) -> None:
        self.service, self.provider, self.channel = service, provider, channel

    def call(self, token: str) -> Answer:
        return exchange(self.channel, LIST, [b""], bearer(token))

    def takes(self, token: str) -> bool:
        """Return whether a token is taken; what is not is refused as any bad token."""
        answer = self.call(token)
        if answer.error is None:
            return True
        problem = answer.problem
        assert (problem.reason, problem.metadata) == ("UNAUTHENTICATED", {})
        return False

    def logged(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.service.log if line["message"] == message]


@contextmanager
def placed(data: Path, provider: Provider, *flags: str, **words: str) -> Iterator[Place]:
    with (
        running_service(data, *LEAN, *flags, *provider.flags(**words)) as service,
        grpc.insecure_channel(service.grpc) as channel,
    ):
        yield Place(service, provider, channel)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with (
        running_provider(*KEYS) as provider,
        placed(tmp_path_factory.mktemp("provider") / "data", provider) as made,
    ):
        yield made


@pytest.mark.parametrize("key", KEYS, ids=lambda key: str(key.algorithm))
def test_its_tokens_are_taken_and_so_are_those_of_the_local_key(
    place: Place, key: SigningKey
) -> None:
    assert place.takes(key.token())
    assert place.takes(place.service.token("acme"))


BAD: dict[str, Callable[[], str]] = {
    "alg none": lambda: unsigned(RSA),
    "no exp": lambda: RSA.token(exp=WITHOUT),
    "no aud": lambda: RSA.token(aud=WITHOUT),
    "no iss": lambda: RSA.token(iss=WITHOUT),
    "no iat": lambda: RSA.token(iat=WITHOUT),
    "no sub": lambda: RSA.token(sub=WITHOUT),
    "no tenant": lambda: RSA.token(tenant=WITHOUT),
    "wrong aud": lambda: RSA.token(aud="persona-service"),
    "wrong iss": lambda: RSA.token(iss="persona-service"),
    "the service's own words": lambda: RSA.token(iss="persona-service", aud="persona-service"),
    "expired": lambda: RSA.token(exp=int(time.time()) - 60),
    "for longer than a year": lambda: RSA.token(exp=int(time.time()) + 367 * 86_400),
    "tenant in capitals": lambda: RSA.token(tenant="Acme"),
    "tenant is a list": lambda: RSA.token(tenant=["acme"]),
    "sub of an API key": lambda: RSA.token(sub="key:0011223344556677:nightly"),
    "scope is a number": lambda: RSA.token(scope=7),
    "jti is a number": lambda: RSA.token(jti=7),
    "typ of an id token": lambda: RSA.token({"typ": "id+jwt"}),
    "another's kid": lambda: RSA.token({"kid": EC.kid}),
    "unknown key of its kid": lambda: SigningKey("RS256", RSA.kid).token(),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_is_refused(place: Place, name: str) -> None:
    assert not place.takes(BAD[name]())


def test_a_public_key_is_no_shared_secret(place: Place) -> None:
    """What everybody can read must not sign, whether it is the provider's or the server's."""
    forge = Forge(place.service)
    for kid in (RSA.kid, EC.kid, forge.kid):
        for secret in (RSA.jwk()["n"], EC.jwk()["x"], RSA.kid):
            head = {"alg": "HS256", "kid": kid}
            assert not place.takes(forge.token(head, hs256(secret.encode())))


def test_neither_signs_for_the_other(place: Place) -> None:
    forge = Forge(place.service)
    assert not place.takes(EC.token({"kid": forge.kid}))
    assert not place.takes(forge.token({"kid": EC.kid}))
    assert not place.takes(forge.token(iss="https://id.example.org/", aud="persona"))


@pytest.mark.parametrize(
    "scope",
    [
        "projects:read",
        "openid profile projects:read",
        ["projects:read", 7],
        "role:reader",
        ["role:admin"],
    ],
)
def test_scopes_and_roles_come_as_words_or_a_list(place: Place, scope: object) -> None:
    assert place.takes(EC.token(scope=scope))


@pytest.mark.parametrize("scope", ["", [], "reader", ["admin"], "role:king", "all", WITHOUT])
def test_other_words_are_no_scopes(place: Place, scope: object) -> None:
    assert place.call(EC.token(scope=scope)).problem.reason == "PERMISSION_DENIED"


def test_the_audit_trail_has_its_subject(place: Place) -> None:
    caller = place.service.connect(ED.token(tenant="audited"))
    make_place(caller)
    with reading(place.service.data) as file:
        sql = "SELECT DISTINCT actor FROM audit WHERE tenant_id = ?"
        assert file.rows(sql, file.tenant("audited")) == [("auth0|ann",)]
    caller.close()


def test_its_tokens_and_tenants_can_be_ended_too(place: Place) -> None:
    one, other = EC.token(jti="one", tenant="ended"), EC.token(jti="other", tenant="ended")
    assert place.takes(one)
    store = open_store(place.service.place, make=False)
    revoke_token(store, "ended", "one")
    eventually(lambda: not place.takes(one))
    assert place.takes(other)
    suspend(store, "ended", suspended=True)
    eventually(lambda: place.call(other).error)
    assert place.call(other).problem.metadata == {"tenant": "suspended"}
    store.close()


def test_claims_can_be_named(tmp_path: Path) -> None:
    claims = {"tenant_claim": "https://persona.example/org", "scope_claim": "permissions"}
    with (
        running_provider(EC) as provider,
        placed(tmp_path / "data", provider, "--local-tokens", "off", **claims) as place,
    ):
        given: dict[str, Any] = {
            "https://persona.example/org": "acme",
            "permissions": ["projects:read"],
        }
        assert place.takes(EC.token(tenant=WITHOUT, scope=WITHOUT, **given))
        assert not place.takes(EC.token(tenant="acme"))
        assert not place.takes(place.service.token("acme")), "local tokens are off"


def test_rotation(tmp_path: Path) -> None:
    """A new key is fetched when a token names it; what the provider withdraws goes with that."""
    old, new = SigningKey("RS256", "old"), SigningKey("ES256", "new")
    with running_provider(old) as provider, placed(tmp_path / "data", provider) as place:
        assert place.takes(old.token())
        assert provider.asked == 1
        provider.keys = [old.jwk(), new.jwk()]
        eventually(lambda: place.takes(new.token()))
        assert place.takes(old.token())
        withdrawn = old.token()
        assert place.takes(withdrawn)  # before, since the keys are also looked at by themselves
        provider.keys = [new.jwk()]
        stranger = SigningKey("ES256", uid()).token()  # each time it asks for another look
        eventually(lambda: not (place.takes(stranger) or place.takes(withdrawn)))
        assert place.takes(new.token())


def test_a_set_without_a_key_that_can_be_used_withdraws_those_before(tmp_path: Path) -> None:
    """As where a provider goes over to an algorithm that is not taken, since a key has leaked."""
    with running_provider(EC) as provider, placed(tmp_path / "data", provider) as place:
        token = EC.token()
        assert place.takes(token)
        provider.keys = [{"kty": "EC", "crv": "P-384", "kid": "new", "x": "AA", "y": "AA"}]
        stranger = SigningKey("ES256", uid()).token()  # each time it asks for another look
        eventually(lambda: not (place.takes(stranger) or place.takes(token)))
        assert place.logged("no key of the identity provider can be used")


WRONG: dict[str, dict[str, Any]] = {
    "The token is for another audience (aud).": {"aud": "others"},
    "The token is of another issuer (iss).": {"iss": "https://other.example.org/"},
    "The token lacks the claim tenant.": {"tenant": WITHOUT},
    "The token is not valid yet (nbf, iat); are the clocks right?": {"nbf": time.time() + MONTH},
    "The token has expired. Get a new one.": {"exp": time.time() - 60},
    "The token's jti is not valid.": {"jti": ""},
}


@pytest.mark.parametrize("said", WRONG)
def test_who_has_a_signed_token_learns_what_is_wrong_with_it(place: Place, said: str) -> None:
    """Else nobody could find a wrong `--jwks-audience`."""
    assert place.call(EC.token(**WRONG[said])).problem.message == said


def test_unknown_keys_ask_the_provider_once_in_a_while(tmp_path: Path) -> None:
    with (
        running_provider(EC) as provider,
        placed(tmp_path / "data", provider, refresh="3600") as place,
    ):
        ends = time.monotonic() + 4 * LOOK_SECONDS
        while time.monotonic() < ends:
            assert not place.takes(SigningKey("ES256", uid()).token())
        assert provider.asked == 1


def test_an_outage(tmp_path: Path) -> None:
    """Known keys are kept for the time said, and are there again when the provider is."""
    with running_provider(EC) as provider, placed(tmp_path / "data", provider, keep="15") as place:
        token = EC.token()
        assert place.takes(token)
        provider.is_out = True
        assert not place.takes(SigningKey("ES256", uid()).token())
        eventually(lambda: place.logged("no keys of the identity provider"))
        assert place.takes(token)
        assert place.takes(EC.token()), "one that nobody has seen before"
        eventually(lambda: not place.takes(token))
        provider.is_out = False
        eventually(lambda: place.takes(token))


def test_a_worker_that_is_replaced_in_an_outage_knows_what_the_others_know(tmp_path: Path) -> None:
    key = SigningKey("ES256", "k1")
    with (
        running_provider(key) as provider,
        running_service(tmp_path, *LEAN, *FLAGS, *provider.flags()) as service,
    ):

        def told() -> list[Any]:
            return [one for one in service.log if one["message"] == "keys of the identity provider"]

        eventually(lambda: len(told()) > COUNT)  # their parent, too
        provider.is_out = True
        pid = pid_of(service, 0)
        kill(service, 0)
        eventually(lambda: pid_of(service, 0) != pid)
        caller_of(service, 0, key.token()).close()


def test_keys_are_fetched_again_before_they_are_over(tmp_path: Path) -> None:
    """Whoever asks for others meanwhile: that delays nothing."""
    with (
        running_provider(EC) as provider,
        placed(tmp_path / "data", provider, keep="4", refresh="3600") as place,
    ):
        token, ends = EC.token(), time.monotonic() + 60
        while provider.asked < 4:
            assert time.monotonic() < ends
            assert place.takes(token)
            assert not place.takes(SigningKey("ES256", uid()).token())


@pytest.mark.parametrize("answer", [b"", b"<html>", b'{"keys": []}'])
def test_a_provider_that_says_nonsense_changes_nothing(tmp_path: Path, answer: bytes) -> None:
    with running_provider(EC) as provider, placed(tmp_path / "data", provider) as place:
        token = EC.token()
        provider.answer = answer
        assert not place.takes(SigningKey("ES256", uid()).token())
        eventually(lambda: place.logged("no keys of the identity provider"))
        assert place.takes(token)
        assert place.takes(EC.token())


def test_a_provider_that_is_not_there_yet(tmp_path: Path) -> None:
    """The server starts, takes what it can, and fetches the keys when they are there."""
    with running_provider(EC) as provider:
        provider.is_out = True
        with placed(tmp_path / "data", provider) as place:
            assert not place.takes(EC.token())
            assert place.takes(place.service.token())
            provider.is_out = False
            eventually(lambda: place.takes(EC.token()))

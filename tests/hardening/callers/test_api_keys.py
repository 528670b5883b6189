"""API keys over gRPC and REST: taken, named in the audit trail, and refused once revoked."""

import json
import time
from collections.abc import Iterator, Sequence

import grpc
import pytest
from rest.wire import Rest

from persona_server.identity.api_keys import make_key
from persona_server.identity.changes import revoke_key
from persona_server.storage.store import open_store
from support.data import make_place, persona, uid
from support.dbfile import reading
from support.errors import refusal_of
from support.machine import slowness
from support.operating.operated import id_of, new_key, operate, said
from support.rpcs import BY_NAME, bearer, exchange
from support.service import Service, running_service
from support.streams import begun
from support.waiting import eventually

LIST = BY_NAME["ListProjects"].path
HELD = 5.0  # seconds within which a revocation holds everywhere


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("keys") / "data", "--grace", "1.5") as running:
        yield running


@pytest.fixture(scope="module")
def channel(served: Service) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(served.grpc) as opened:
        yield opened


@pytest.fixture(scope="module")
def key(served: Service) -> str:
    return new_key(served, "acme")


def status(served: Service, *headers: tuple[str, str]) -> int:
    return Rest(served.rest, None).call("GET", "/api/v1/projects", headers=headers).status


def test_a_key_is_taken_as_bearer_and_as_x_api_key(
    served: Service, channel: grpc.Channel, key: str
) -> None:
    """As soon as the command that made it has printed it."""
    assert exchange(channel, LIST, [b""], bearer(key)).error is None
    assert exchange(channel, LIST, [b""], [("x-api-key", key)]).error is None
    assert status(served, ("Authorization", f"Bearer {key}")) == 200
    assert status(served, ("X-API-Key", key)) == 200
    body = Rest(served.rest, None).call(
        "POST", "/api/v1/projects", {"name": "By key"}, headers=[("X-API-Key", key)]
    )
    assert body.status == 201


def test_more_than_one_credential_is_refused(
    served: Service, channel: grpc.Channel, key: str
) -> None:
    token = served.token("acme")
    both = [("x-api-key", key), ("x-api-key", key)], [("x-api-key", key), *bearer(token)]
    for metadata in both:
        assert_refused_alike(served, channel, metadata, "more than one token or API key; send one")


def test_without_a_credential_both_are_named(served: Service, channel: grpc.Channel) -> None:
    words = "A token or an API key is required: authorization: Bearer <token or key>, or x-api-key"
    assert_refused_alike(served, channel, [], words)


def assert_refused_alike(
    served: Service, channel: grpc.Channel, metadata: Sequence[tuple[str, str]], words: str
) -> None:
    """Refused by REST, which does so by itself, as by gRPC."""
    problem = exchange(channel, LIST, [b""], metadata).problem
    assert problem.reason == "UNAUTHENTICATED"
    assert words in problem.message
    answer = Rest(served.rest, None).call("GET", "/api/v1/projects", headers=metadata)
    assert answer.problem(401, "UNAUTHENTICATED")["detail"] == problem.message


@pytest.mark.parametrize("made_of", ["{token}", "Bearer {token}", "Bearer {key}", "", "psk_"])
def test_x_api_key_takes_api_keys_alone(
    served: Service, channel: grpc.Channel, key: str, made_of: str
) -> None:
    value = made_of.format(token=served.token("acme"), key=key)
    words = "API key" if made_of == "psk_" else "x-api-key must be an API key"
    assert_refused_alike(served, channel, [("x-api-key", value)], words)


def test_a_key_has_its_scopes_and_its_tenant_alone(served: Service, channel: grpc.Channel) -> None:
    reader = new_key(served, "acme", "--role", "reader")
    create = BY_NAME["CreateProject"].path
    problem = exchange(channel, create, [b""], bearer(reader)).problem
    assert (problem.reason, problem.metadata) == (
        "PERMISSION_DENIED",
        {"missing_scopes": "projects:write"},
    )
    assert exchange(channel, LIST, [b""], bearer(reader)).error is None
    narrow = new_key(served, "elsewhere", "--scopes", "projects:read")
    assert exchange(channel, LIST, [b""], bearer(narrow)).messages == (b"",)


def test_the_audit_trail_names_the_key(served: Service, key: str) -> None:
    caller = served.connect(key)
    make_place(caller)
    with reading(served.data) as file:
        trail = file.rows(
            "SELECT method, actor FROM audit WHERE tenant_id = ?", file.tenant("acme")
        )
    assert ("CreatePersonaGroup", f"key:{id_of(key)}:nightly") in trail
    assert ("CreateApiKey", "operator") in trail
    caller.close()


def test_wrong_keys_get_one_answer(served: Service, channel: grpc.Channel, key: str) -> None:
    revoked = new_key(served, "acme")
    said(served, "keys", "revoke", id_of(revoked), "--tenant", "acme")
    answers = {
        exchange(channel, LIST, [b"\xff"], bearer(wrong)).details
        for wrong in (revoked, make_key("acme").text, make_key("nobody").text, key[:-1], f"{key}x")
    }
    assert len(answers) == 1
    problem = exchange(channel, LIST, [b"\xff"], bearer(revoked)).problem
    assert (problem.code, problem.reason) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "UNAUTHENTICATED",
    )


def test_a_revoked_key_is_refused_everywhere_and_its_streams_end(
    served: Service, channel: grpc.Channel
) -> None:
    key = new_key(served, "acme")
    place = make_place(served.connect(key))
    stream = begun(place)
    assert stream.batch(1, [persona()]) == (1, 1)
    assert status(served, ("X-API-Key", key)) == 200
    store = open_store(served.place, make=False)
    assert revoke_key(store, "acme", bytes.fromhex(id_of(key)))
    revoked = time.monotonic()
    eventually(lambda: exchange(channel, LIST, [b""], bearer(key)).error)
    assert status(served, ("X-API-Key", key)) == 401
    assert refusal_of(lambda: next(stream.call)).reason == "UNAUTHENTICATED"
    assert time.monotonic() - revoked < HELD * slowness()
    store.close()
    place.caller.close()


def test_a_key_is_refused_when_the_command_that_revokes_it_has_ended(
    served: Service, channel: grpc.Channel
) -> None:
    key = new_key(served, "acme")
    assert exchange(channel, LIST, [b""], bearer(key)).error is None
    said(served, "keys", "revoke", id_of(key), "--tenant", "acme")
    assert exchange(channel, LIST, [b""], bearer(key)).problem.reason == "UNAUTHENTICATED"
    assert operate(served, "keys", "revoke", id_of(key), "--tenant", "acme").returncode == 1


def test_keys_are_listed_without_what_they_are(served: Service) -> None:
    keys = [new_key(served, "lists", "--scopes", "personas:read", "--ttl", "2d") for _ in range(2)]
    said(served, "keys", "revoke", id_of(keys[0]), "--tenant", "lists")
    printed = said(served, "keys", "list", "--tenant", "lists", "--json")
    rows = [json.loads(line) for line in printed.splitlines()]
    assert [(row["id"], row["state"]) for row in rows] == [
        (id_of(keys[0]), "revoked"),
        (id_of(keys[1]), "valid"),
    ]
    assert {(row["name"], row["scopes"]) for row in rows} == {("nightly", "personas:read")}
    plain = said(served, "keys", "list", "--tenant", "lists")
    assert all(id_of(key) in plain and key.split("_")[3] not in plain + printed for key in keys)
    assert said(served, "keys", "list", "--tenant", uid()) == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("create", "--tenant", "acme", "--name", "x"), 2),
        (("create", "--tenant", "acme", "--name", "x", "--role", "king"), 2),
        (("create", "--tenant", "acme", "--name", "x", "--role", "reader", "--scopes", "all"), 2),
        (("create", "--tenant", "acme", "--name", "x", "--role", "reader", "--ttl", "367d"), 2),
        (("create", "--tenant", "acme", "--name", "x", "--role", "reader", "--ttl", "soon"), 2),
        (("create", "--tenant", "Acme", "--name", "x", "--role", "reader"), 2),
        (("revoke", "xyz", "--tenant", "acme"), 2),
        (("revoke", "00" * 8, "--tenant", "acme"), 1),
        (("revoke", "00" * 8, "--tenant", "nobody-at-all"), 1),
        (("list", "--tenant", "A"), 2),
    ],
)
def test_what_can_not_be_is_one_line(served: Service, words: tuple[str, ...], code: int) -> None:
    done = operate(served, "keys", *words)
    assert done.returncode == code
    assert done.stderr.startswith("persona: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""

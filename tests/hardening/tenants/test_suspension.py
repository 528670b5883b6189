"""What the operator ends while a server runs: tokens one by one, a signing key, a whole tenant."""

import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from rest.wire import Rest

from persona_server.identity import changes
from persona_server.storage.store import Store, open_store
from support.answers import answer, record
from support.data import make_place, persona, uid
from support.errors import refusal_of
from support.machine import slowness
from support.operating.operated import operate, said
from support.rpcs import BY_NAME, bearer, exchange
from support.service import Service, running_service
from support.streams import begun
from support.waiting import eventually

LIST = BY_NAME["ListProjects"].path
HELD = 5.0  # seconds within which a change holds
SUSPENDED = ("PERMISSION_DENIED", {"tenant": "suspended"})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("ended") / "data", "--grace", "1.5") as running:
        yield running


@pytest.fixture(scope="module")
def channel(served: Service) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(served.grpc) as opened:
        yield opened


@pytest.fixture
def store(served: Service) -> Iterator[Store]:
    opened = open_store(served.place, make=False)
    yield opened
    opened.close()


def jti(token: str) -> str:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return str(claims["jti"])


def refused(channel: grpc.Channel, token: str) -> bool:
    return exchange(channel, LIST, [b""], bearer(token)).error is not None


def test_a_revoked_token_is_refused_everywhere_and_its_streams_end(
    served: Service, channel: grpc.Channel, store: Store
) -> None:
    token, other = served.token("revoked"), served.token("revoked")
    place = make_place(served.connect(token))
    stream = begun(place)
    changes.revoke_token(store, "revoked", jti(token))
    revoked = time.monotonic()
    eventually(lambda: refused(channel, token))
    assert Rest(served.rest, token).call("GET", "/api/v1/projects").status == 401
    assert refusal_of(lambda: next(stream.call)).reason == "UNAUTHENTICATED"
    assert time.monotonic() - revoked < HELD * slowness()
    assert not refused(channel, other)
    place.caller.close()


def test_streams_end_with_the_key_that_signed_for_them(
    served: Service, channel: grpc.Channel, store: Store
) -> None:
    place = make_place(served.connect(served.token("signed")))
    stream = begun(place)
    changes.rotate(store, 0)
    rotated = time.monotonic()
    assert refusal_of(lambda: next(stream.call)).reason == "UNAUTHENTICATED"
    assert time.monotonic() - rotated < HELD * slowness()
    assert not refused(channel, served.token("signed"))
    place.caller.close()


def test_the_command_makes_revokes_and_rotates(served: Service, channel: grpc.Channel) -> None:
    made = operate(served, "token", "--tenant", "rotated", "--role", "reader")
    token = made.stdout.strip()
    assert jti(token) in made.stderr
    scopes = jwt.decode(token, options={"verify_signature": False})["scope"]
    assert scopes == "library:read personas:read projects:read responses:read"
    assert not refused(channel, token)
    said(served, "token", "--tenant", "rotated", "--revoke", jti(token))
    assert refused(channel, token)
    old = served.token("rotated")
    said(served, "token", "--rotate", "--keep", "1h")
    assert not refused(channel, old)
    assert not refused(channel, served.token("rotated"))
    said(served, "token", "--rotate", "--keep", "0s")
    assert refused(channel, old), "of the key before, however long that was to be kept"
    assert not refused(channel, served.token("rotated"))


def test_a_slip_in_the_name_of_a_tenant_is_said(served: Service, store: Store) -> None:
    changes.revoke_token(store, "known", "one")
    known = operate(served, "token", "--tenant", "known", "--revoke", "other")
    assert (known.stdout, known.stderr) == ("Revoked other.\n", "")
    slip = operate(served, "token", "--tenant", "knwon", "--revoke", "other")
    assert slip.stdout == "Revoked other.\n", "it may have tokens, too"
    assert slip.stderr == "knwon has no data here: is it the tenant's name?\n"


@pytest.mark.parametrize(
    "words",
    [
        ("token",),
        ("token", "--rotate", "--tenant", "acme"),
        ("token", "--rotate", "--ttl", "5d"),
        ("token", "--tenant", "acme", "--revoke", "x", "--role", "reader"),
        ("token", "--tenant", "acme", "--scopes", ","),
        ("keys", "create", "--tenant", "acme", "--name", "x", "--scopes", " , "),
        ("token", "--rotate", "--keep", "soon"),
        ("token", "--rotate", "--keep", "367d"),
        ("token", "--revoke", "x"),
        ("token", "--tenant", "acme", "--role", "king"),
        ("token", "--tenant", "acme", "--role", "reader", "--scopes", "all"),
        ("token", "--tenant", "acme", "--subject", "key:x"),
        ("tenants", "suspend", "A"),
    ],
)
def test_what_can_not_be_is_one_line(served: Service, words: tuple[str, ...]) -> None:
    done = operate(served, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("persona: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("token", "--tenant", "acme", "--revoke", ""),
        ("token", "--tenant", "acme", "--scopes", ""),
        ("token", "--tenant", "acme", "--database", ""),
        ("tenants", "erase", "acme", "--yes", "--database", ""),
    ],
)
def test_an_option_that_says_nothing_is_refused(served: Service, words: tuple[str, ...]) -> None:
    """As of a variable that is not set: a revocation must not become a token for everything."""
    done = operate(served, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"'{words[-2]}'" in done.stderr
    assert "is empty" in done.stderr


def test_a_suspended_tenant_is_refused_and_keeps_all(
    served: Service, channel: grpc.Channel, store: Store
) -> None:
    token = served.token("late-payer")
    caller = served.connect(token)
    place = make_place(caller)
    kept = place.fill(3)
    stream = begun(place)
    assert stream.batch(1, [persona()]) == (1, 1)
    changes.suspend(store, "late-payer", suspended=True)
    suspended = time.monotonic()
    eventually(lambda: refused(channel, token))
    problem = exchange(channel, LIST, [b"\xff"], bearer(token)).problem
    assert (problem.reason, problem.metadata) == SUSPENDED
    assert problem.code == grpc.StatusCode.PERMISSION_DENIED
    assert refusal_of(lambda: place.create(persona())).reason == "PERMISSION_DENIED"
    rest = Rest(served.rest, token).call("GET", "/api/v1/projects")
    assert rest.problem(403, "PERMISSION_DENIED")["metadata"] == {"tenant": "suspended"}
    ended = refusal_of(lambda: next(stream.call))
    assert ended.reason == SUSPENDED[0]
    assert ended.metadata.items() >= SUSPENDED[1].items(), "no new token would help"
    assert time.monotonic() - suspended < HELD * slowness()
    assert not refused(channel, served.token("good-payer"))
    changes.suspend(store, "late-payer", suspended=False)
    eventually(lambda: not refused(channel, token))
    assert {each.id for each in kept} < {each.id for each in place.walk()}
    caller.close()


def test_the_commands_suspend_resume_and_list(served: Service, channel: grpc.Channel) -> None:
    token = served.token("listed")
    make_place(served.connect(token)).fill(1)
    assert said(served, "tenants", "suspend", "listed") == "listed is suspended."
    assert refused(channel, token)
    assert said(served, "tenants", "suspend", "listed") == "listed was suspended already."
    (line,) = [x for x in said(served, "tenants", "list").splitlines() if x.startswith("listed ")]
    assert "suspended since 20" in line
    assert said(served, "tenants", "resume", "listed") == "listed is active."
    assert not refused(channel, token)
    rows = map(json.loads, said(served, "tenants", "list", "--json").splitlines())
    (row,) = [row for row in rows if row["tenant"] == "listed"]
    assert row["suspended_at"] is None
    assert row["stored_bytes"] > 0
    gone = operate(served, "tenants", "resume", "nobody-here")
    assert (gone.returncode, gone.stderr) == (1, "persona: There is no tenant nobody-here.\n")


def test_a_tenant_that_has_written_nothing_is_suspended_too(
    served: Service, channel: grpc.Channel
) -> None:
    token = served.token("early-bird")
    assert not refused(channel, token)
    done = operate(served, "tenants", "suspend", "early-bird")
    assert (done.returncode, done.stdout) == (0, "early-bird is suspended.\n")
    assert done.stderr == "early-bird has no data here: is it the tenant's name?\n"
    assert exchange(channel, LIST, [b""], bearer(token)).problem.reason == "PERMISSION_DENIED"


def test_an_export_has_all_and_is_the_owner_s_alone(served: Service, tmp_path: Path) -> None:
    caller = served.connect(served.token("leaves"))
    place = make_place(caller)
    people = place.fill(3, occupation="Bäcker")
    recorded = record(caller, uid(), answer(people[0].id))
    folder, left = tmp_path / "out", tmp_path / "out.part"
    left.mkdir()  # as by an export that was killed
    said(served, "tenants", "export", "leaves", str(folder))
    left.rmdir()
    lines = {
        file.stem: [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        for file in folder.iterdir()
    }
    assert {name: len(rows) for name, rows in lines.items()} == {
        "projects": 1,
        "persona-groups": 1,
        "personas": 3,
        "simulations": 1,
        "responses": 1,
        "library-personas": 0,
        "reference-answers": 0,
        "audit": 4,
    }
    assert {row["id"] for row in lines["personas"]} == {each.id for each in people}
    assert {row["occupation"] for row in lines["personas"]} == {"Bäcker"}
    assert [row["id"] for row in lines["responses"]] == [each.id for each in recorded]
    assert [row["method"] for row in lines["audit"]][-1] == "RecordResponses"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    again = operate(served, "tenants", "export", "leaves", str(folder))
    assert again.returncode == 1
    assert operate(served, "tenants", "export", "nobody-here", f"{folder}2").returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    caller.close()

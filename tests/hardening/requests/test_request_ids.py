"""R6: a hundred concurrent calls with one request_id: one effect, a hundred equal answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from persona_server.transport.methods import Method
from support.data import uid
from support.dbfile import DatabaseFile, reading
from support.errors import problem_of
from support.importer import LEAN
from support.requests.world import World
from support.rpcs import BY_NAME, WRITES, bearer, send
from support.service import Service, running_service

CALLS, CONNECTIONS = 100, 4
EACH = pytest.mark.parametrize("method", WRITES, ids=lambda m: str(m.name))


def at_once(service: Service, method: Method, request: Any, number: int, tenant: str) -> list[Any]:
    """Return what each of `number` concurrent calls got: its bytes, or its error."""
    metadata: Any = bearer(service.token(tenant))
    # An option of its own gives each channel a connection of its own.
    channels = [
        grpc.insecure_channel(service.grpc, [("grpc.channel_number", i)])
        for i in range(CONNECTIONS)
    ]
    calls: list[Any] = [channel.unary_unary(method.path) for channel in channels]
    raw = request.SerializeToString()
    futures = [
        calls[i % CONNECTIONS].future(raw, metadata=metadata, timeout=30) for i in range(number)
    ]
    answers = [future.result() if future.exception() is None else future for future in futures]
    for channel in channels:
        channel.close()
    return answers


def effect(file: DatabaseFile, tenant: str, before: dict[str, int]) -> dict[str, int]:
    """Return by how much a tenant's tables and versions grew."""
    after = file.counts(tenant)
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


@EACH
def test_one_effect_and_equal_answers(own: Service, file: DatabaseFile, method: Method) -> None:
    effects = []
    for number in (1, CALLS):
        tenant, request_id = f"retries-{number}-{method.name.lower()}", uid()
        caller = own.connect(own.token(tenant))
        (request,) = World(caller).messages(method, request_id)
        before = file.counts(tenant)
        answers = at_once(own, method, request, number, tenant)
        assert len(answers) == number
        assert {type(answer) for answer in answers} == {bytes}
        assert len(set(answers)) == 1
        effects.append(effect(file, tenant, before))
        audit = file.audit(tenant, request_id)
        assert [row.method for row in audit] == [method.name]
        caller.close()
    one, hundred = effects
    assert one == hundred
    assert one["audit"] == one["idempotency"] == 1


@EACH
def test_another_request_under_the_same_id(
    own: Service, file: DatabaseFile, method: Method
) -> None:
    """Of two requests that race for an id one has its effect, the other is refused by name."""
    tenant, request_id = f"reused-{method.name.lower()}", uid()
    caller = own.connect(own.token(tenant))
    requests = [World(caller).messages(method, request_id)[0] for _ in range(2)]
    if method.name == "CreateProject":  # it names no parent, so the two would be equal
        requests[0].project.name = "The other"
    won = [at_once(own, method, request, 1, tenant)[0] for request in requests]
    assert isinstance(won[0], bytes)
    problem = problem_of(won[1])
    assert (problem.reason, problem.metadata) == ("REQUEST_ID_REUSED", {"field": "request_id"})
    assert len(file.audit(tenant, request_id)) == 1
    caller.close()


def test_one_id_serves_every_method(own: Service, file: DatabaseFile) -> None:
    """The ledger is scoped by method: the same UUID is another request_id elsewhere."""
    tenant, request_id = "one-id", uid()
    caller = own.connect(own.token(tenant))
    for method in WRITES:
        (request,) = World(caller).messages(method, request_id)
        assert isinstance(at_once(own, method, request, 1, tenant)[0], bytes)
    rows = [row.method for row in file.audit(tenant, request_id)]
    assert sorted(rows) == sorted(method.name for method in WRITES)
    caller.close()


class Made:
    """Mutations that were made before a restart, with their answers."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.requests: dict[str, Any] = {}
        self.answers: dict[str, bytes] = {}
        with running_service(data, *LEAN) as service:
            caller = service.connect()
            for method in WRITES:
                (request,) = World(caller).messages(method, uid())
                self.requests[method.name] = request
                (self.answers[method.name],) = at_once(service, method, request, 1, "local")
            caller.close()
            service.kill()
        with reading(data) as file:
            self.print = file.fingerprint("local")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("restarted") / "data")


@pytest.fixture(scope="module")
def restarted(made: Made) -> Iterator[Service]:
    with running_service(made.data, *LEAN) as service:
        yield service


@EACH
def test_holds_across_a_restart(restarted: Service, made: Made, method: Method) -> None:
    answers = at_once(restarted, method, made.requests[method.name], 10, "local")
    assert set(answers) == {made.answers[method.name]}
    with reading(made.data) as file:
        assert file.fingerprint("local") == made.print


def test_retry_outlives_what_it_deleted(own: Service) -> None:
    """The request_id is looked up before what exists is."""
    caller, tenant = own.connect(own.token("outlives")), "outlives"
    world = World(caller)
    for name in ("DeletePersona", "DeleteAllPersonas", "DeletePersonaGroup", "DeleteProject"):
        (request,) = world.messages(BY_NAME[name], uid())
        first = at_once(own, BY_NAME[name], request, 1, tenant)
        assert at_once(own, BY_NAME[name], request, 3, tenant) == first * 3
        again = type(request)()
        again.CopyFrom(request)
        again.request_id = uid()
        answer = send(caller.channel, BY_NAME[name], [again], bearer(own.token(tenant)))
        found = "" if answer.error is None else answer.problem.reason
        assert found == ("" if name == "DeleteAllPersonas" else f"{_what(name)}_NOT_FOUND")
    caller.close()


def _what(name: str) -> str:
    return {"DeletePersonaGroup": "PERSONA_GROUP"}.get(name, name.removeprefix("Delete").upper())

"""The order of the pipeline, as the server builds it, and what a step may rely on."""

import time
from collections.abc import Generator, Iterator

import pytest
from google.protobuf.message import Message

from persona.v1 import errors_pb2
from persona.v1.persona_service_pb2 import ListPersonasRequest
from persona_server import patience
from persona_server.errors import DisturbedError, ServiceError
from persona_server.identity.principal import LEEWAY, Principal
from persona_server.quotas import Quota, TenantQuotas
from persona_server.services.call import Call
from persona_server.telemetry.metrics import Metrics
from persona_server.transport.auth import Authenticator
from persona_server.transport.entrance.answers import MOST
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.methods import Method
from persona_server.transport.pipeline import Pipeline, Step
from persona_server.transport.recorder import Recorder
from persona_server.transport.rpc import Rpc
from persona_server.transport.sharing.use import Use
from persona_server.transport.steps import call_steps

FREE = Quota(*[10**9] * len(Quota._fields))
ORDER = (
    "record",
    "shield",
    "gateway",
    "draining",
    "authentication",
    "suspension",
    "scopes",
    "quotas",
    "revocation",
    "deadline",
    "own quotas",
    "unread answers",
    "unpack",
    "bytes",
    "parse",
    "idempotency key",
    "validation",
)
LIST = Method(
    "persona.v1.PersonaService", "ListPersonas", "read", ("personas:read",), ListPersonasRequest
)
UUID = "018f0000-0000-7000-8000-000000000000"
BEARER = [("authorization", "Bearer token")]


def known_to_all(token: str) -> Principal:
    return Principal("acme", "me", frozenset(("personas:read",)), float("inf"))


def steps_with(guards: Guards, authenticator: Authenticator | None = None) -> tuple[Step, ...]:
    authenticator = authenticator or Authenticator(known_to_all)
    quotas = TenantQuotas(FREE, lambda _: {})
    recorder = Recorder(Metrics())
    use = Use(quotas.known)
    return call_steps(guards, authenticator, recorder, quotas, use, lambda error: error)


@pytest.fixture
def steps() -> tuple[Step, ...]:
    return steps_with(Guards())


def index(steps: tuple[Step, ...], name: str) -> int:
    return [step.name for step in steps].index(name)


def test_the_order_of_the_steps(steps: tuple[Step, ...]) -> None:
    assert tuple(step.name for step in steps) == ORDER


def test_what_looks_at_no_message_comes_before_what_does(steps: tuple[Step, ...]) -> None:
    """So a step stands in the list where it stands in a call."""
    admitting = [i for i, step in enumerate(steps) if step.admit]
    entering = [i for i, step in enumerate(steps) if step.enter]
    reading = [i for i, step in enumerate(steps) if step.message]
    assert max(admitting) < min(entering)
    assert max(entering) < min(reading)
    assert index(steps, "shield") < min(admitting)


def traced(trace: list[str], name: str) -> Step:
    """Return a step that notes each of its moments."""

    def admit(_rpc: Rpc) -> None:
        trace.append(f"{name} admit")

    def enter(_rpc: Rpc) -> None:
        trace.append(f"{name} enter")

    def message(_rpc: Rpc, given: bytes | Message) -> bytes | Message:
        trace.append(f"{name} {type(given).__name__}")
        return given

    def answered(_rpc: Rpc) -> None:
        trace.append(f"{name} answered")

    def leave(_rpc: Rpc) -> None:
        trace.append(f"{name} leave")

    return Step(name, admit, enter, message, answered, leave=leave)


def test_a_step_is_put_in_by_its_place_alone(steps: tuple[Step, ...]) -> None:
    trace: list[str] = []
    at = index(steps, "deadline")
    put_in = (traced(trace, "outer"), *steps[:at], traced(trace, "inner"), *steps[at:])
    rpc = Rpc(LIST, BEARER)

    def serve(call: Call, request: ListPersonasRequest) -> bytes:
        trace.append(f"{call.tenant} {type(request).__name__}")
        return b"answer"

    request = ListPersonasRequest(project_id=UUID, group_id=UUID).SerializeToString()
    pipeline = Pipeline(put_in)
    assert pipeline.admit(rpc)
    rpc.begin(None, "peer")
    assert pipeline.unary(rpc, request, serve) == b"answer"
    assert (rpc.code, rpc.refusal) == ("OK", None)
    assert trace == [
        "outer admit",
        "inner admit",
        "outer enter",
        "inner enter",
        "outer bytes",
        "inner bytes",
        "acme ListPersonasRequest",
        "inner answered",
        "outer answered",
        "inner leave",
        "outer leave",
    ]


def refuse(_rpc: Rpc) -> None:
    raise ServiceError(errors_pb2.ERROR_REASON_TOO_MANY_STREAMS, "Too many.")


@pytest.mark.parametrize("streams", [False, True])
def test_a_refusal_is_a_value_and_every_step_is_left(
    steps: tuple[Step, ...], streams: bool
) -> None:
    trace: list[str] = []
    pipeline = Pipeline((*steps, Step("quota", enter=refuse), traced(trace, "last")))
    rpc = Rpc(LIST, [*BEARER, ("x-request-id", "r1")])
    assert pipeline.admit(rpc)
    rpc.begin(None, "peer")

    def answers() -> Generator[bytes, None, None]:
        trace.append("served")
        yield b""

    if streams:
        found: Iterator[bytes] = pipeline.stream(rpc, answers())
        assert list(found) == []
    else:
        assert pipeline.unary(rpc, b"", lambda _call, _request: b"") is None
    assert trace == ["last admit", "last leave"]
    assert rpc.refusal is not None
    assert rpc.refusal.code.name == rpc.code == "RESOURCE_EXHAUSTED"
    assert (rpc.refusal.details, rpc.reason) == ("Too many.", "TOO_MANY_STREAMS")
    assert dict(rpc.refusal.trailing)["x-request-id"] == "r1"


def test_who_is_not_known_is_not_let_in(steps: tuple[Step, ...]) -> None:
    trace: list[str] = []
    pipeline = Pipeline((*steps, traced(trace, "last")))
    rpc = Rpc(LIST, [])
    assert not pipeline.admit(rpc)
    assert trace == []
    pipeline.leave(rpc)
    assert trace == ["last leave"]
    assert (rpc.code, rpc.reason) == ("UNAUTHENTICATED", "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("suspended", "code"), [(False, "UNAUTHENTICATED"), (True, "PERMISSION_DENIED")]
)
def test_who_is_out_by_the_time_of_a_thread_is_not_served(suspended: bool, code: str) -> None:
    out: set[str] = set()
    authenticator = Authenticator(
        known_to_all, lambda tenant: suspended and tenant in out, lambda who: who.tenant in out
    )
    pipeline = Pipeline(steps_with(Guards(), authenticator))
    rpc = Rpc(LIST, BEARER)
    assert pipeline.admit(rpc)
    out.add("acme")
    rpc.begin(None, "peer")
    request = ListPersonasRequest(project_id=UUID, group_id=UUID).SerializeToString()
    assert pipeline.unary(rpc, request, lambda _call, _request: b"answer") is None
    assert (rpc.code, rpc.reason) == (code, code)


@pytest.mark.parametrize(
    ("known", "sent", "believed"),
    [("s3", ["s3"], True), ("s3", ["s4"], False), ("s3", ["s3", "s3"], False), ("", [""], False)],
)
def test_only_the_own_gateway_says_who_calls(known: str, sent: list[str], believed: bool) -> None:
    guards = Guards()
    guards.gateway.secret = known
    pipeline = Pipeline(steps_with(guards))
    secrets = [("persona-gateway-secret", secret) for secret in sent]
    rpc = Rpc(LIST, [*BEARER, *secrets, ("persona-caller-address", "192.0.2.7")])
    assert pipeline.admit(rpc)
    rpc.begin(None, "127.0.0.1:5000")
    assert rpc.peer == ("192.0.2.7" if believed else "127.0.0.1:5000")


@pytest.mark.parametrize(("key_id", "leeway"), [("", LEEWAY), ("k1", 0)])
def test_a_key_is_over_at_its_time_and_a_token_when_no_clock_takes_it(
    key_id: str, leeway: int
) -> None:
    """Who made a token may have another clock; a key's time is by this one."""
    rpc = Rpc(LIST, BEARER)
    rpc.identify(Principal("acme", "me", frozenset(), 1000.0, key_id=key_id))
    assert rpc.expires == 1000.0 + leeway


def test_answers_of_a_stream_take_no_room_of_unread_ones() -> None:
    """They wait for their reader one by one; counted for good, they would shut everybody out."""
    guards = Guards()
    pipeline = Pipeline(steps_with(guards))
    method = LIST._replace(streams_out=True)
    rpc = Rpc(method, BEARER)
    assert pipeline.admit(rpc)
    rpc.begin(None, "192.0.2.7:5000")
    assert sum(1 for _ in pipeline.stream(rpc, (b"x" * MOST for _ in range(3)))) == 3
    assert rpc.refusal is None
    guards.answers.require_room(rpc)


def test_a_call_has_waited_from_its_headers_to_its_thread() -> None:
    before = time.perf_counter()
    rpc = Rpc(LIST, BEARER)
    made = time.perf_counter()
    taken = time.perf_counter()
    rpc.begin(None, "192.0.2.1:50051")
    assert before <= rpc.started <= made
    assert taken - made <= rpc.waited <= time.perf_counter() - before


@pytest.mark.parametrize(("disturbed", "code"), [(4, "OK"), (5, "ABORTED")])
def test_what_the_database_takes_back_is_done_again(
    steps: tuple[Step, ...], disturbed: int, code: str
) -> None:
    rpc = Rpc(LIST, BEARER)
    pipeline = Pipeline(steps)
    assert pipeline.admit(rpc)
    rpc.begin(60.0, "peer")
    tries = 0

    def serve(_call: Call, _request: Message) -> bytes:
        nonlocal tries
        tries += 1
        assert patience.caller() is not None  # each try is for whoever waits
        patience.end()  # as what takes a transaction back does
        if tries <= disturbed:
            raise DisturbedError
        return b"answer"

    request = ListPersonasRequest(project_id=UUID, group_id=UUID).SerializeToString()
    answer = pipeline.unary(rpc, request, serve)
    assert (answer, rpc.code) == (b"answer" if code == "OK" else None, code)
    assert tries == 5

"""Nobody takes more than 100 MB, and a good caller is answered meanwhile (R11, R23, R24)."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from rest.conftest import Place, persona
from rest.flood import (
    ATTACKER,
    NEIGHBOUR,
    Neighbour,
    at_once,
    bounded,
    call,
    cpu_of_calls,
    dial,
    hold,
    post,
    pour,
    send,
    start,
    status,
)
from rest.processes import Backend, Gateway, gateway
from rest.wire import Answer, Rest

from support.service import Service

MIB = 1 << 20


@pytest.fixture
def token(service: Service) -> str:
    """A token that the service takes."""
    return service.token()


@pytest.fixture
def neighbour(own_gateway: Gateway, place: Place, token: str) -> Iterator[Neighbour]:
    """A good caller beside the test, which must be answered and find the memory bounded."""
    with bounded(own_gateway, f"/api/v1/projects/{place.project}", token) as running:
        yield running


def batch(*items: bytes) -> bytes:
    """Return a batch of personas as they are given."""
    return b'{"personas":[' + b",".join(items) + b"]}"


EMPTY_ITEMS = batch(*[b"{}"] * (4 * MIB // 3 - 10))
# What costs most to decode and is not more than a message may hold.
MANY_VALUES = batch(*[b'{"personality_traits":[' + b",".join([b'""'] * 590) + b"]}"] * 1000)
MEMBERS = b",".join(b'"%d":""' % i for i in range(245))
MANY_MEMBERS = batch(*[b'{"attributes":{' + MEMBERS + b"}}"] * 1000)


def test_items_are_counted_before_they_are_made(
    own_gateway: Gateway, place: Place, token: str, neighbour: Neighbour
) -> None:
    path = f"{place.path}:batchCreate"
    answer = Rest(own_gateway.base, token).call("POST", path, EMPTY_ITEMS)
    problem = answer.problem(400, "INVALID_FIELD", "personas")
    assert problem["detail"] == "personas: must hold at most 1000 items"
    request = post(path, token, EMPTY_ITEMS)
    assert set(at_once(12, lambda: call(own_gateway, request))) <= {400, 429, 503}


def test_bodies_in_vain_hold_up_the_next_ones_of_their_address(
    own_gateway: Gateway, place: Place, token: str
) -> None:
    path, good = f"{place.path}:batchCreate", batch(json.dumps(persona(1)).encode())

    def posted(body: bytes, seconds: int, source: str = ATTACKER) -> int:
        headers = (f"Content-Length: {len(body)}", f"Grpc-Timeout: {seconds}S")
        return call(own_gateway, start("POST", path, token, *headers) + body, source)

    def held_up() -> bool:
        """Whether the next one of the address had to wait, and of no other.

        By the next try nobody waits any more: a machine that is slow may not be within a second.
        """
        assert posted(good, 60) == 200
        assert posted(MANY_VALUES, 60) == 400  # which holds up by almost four seconds
        return posted(good, 1) == 429 and posted(good, 1, NEIGHBOUR) == 200

    assert any(held_up() for _ in range(5))
    assert posted(good, 60) == 200


def test_what_a_body_waits_for_is_of_its_call_s_time(backend: Backend) -> None:
    with gateway(backend.address) as running:

        def called(body: bytes) -> int:
            headers = (f"Content-Length: {len(body)}", "Grpc-Timeout: 20S")
            return call(running, start("POST", "/api/v1/projects", "any", *headers) + body)

        def has_waited() -> bool:
            """Whether the server has been given less; a machine that is slow may not be in time."""
            assert called(MANY_VALUES) == 400  # which holds up the next one by almost four seconds
            assert called(b'{"name":"X"}') == 201
            return backend.remaining < 19

        assert any(has_waited() for _ in range(5))


def test_a_body_that_is_asked_for_late_comes(backend: Backend) -> None:
    """It was the gateway that stood still, no reader."""
    with gateway(backend.address, "--max-stall", "0.5") as running, dial(running) as connection:
        body = b'{"name":"X"}'
        headers = (f"Content-Length: {len(body)}", "Grpc-Timeout: 60S", "Expect: 100-continue")
        assert call(running, post("/api/v1/projects", "any", MANY_VALUES)) == 400
        send(connection, start("POST", "/api/v1/projects", "any", *headers))
        assert status(connection) == 100
        send(connection, body)
        assert status(connection) == 201


@pytest.mark.parametrize("body", [MANY_VALUES, MANY_MEMBERS], ids=["values", "members"])
def test_what_is_costly_to_decode_waits_for_memory(
    own_gateway: Gateway, place: Place, token: str, neighbour: Neighbour, body: bytes
) -> None:
    request = post(f"{place.path}:batchCreate", token, body)
    assert set(at_once(4, lambda: call(own_gateway, request))) <= {400, 429, 503, 504}


TOO_MUCH = [  # a body, the field that is named, and what is said of it
    (b'{"personas":[{"attributes":{' + b'"a":"",' * 1000 + b'"b":""}}]}', "personas[0].attributes"),
    (b'{"personas":' + b"[" * 40 + b"]" * 40 + b"}", "body"),
    (batch(*[b"[" + b",".join([b"0"] * 999) + b"]"] * 700), "body"),
    (batch(*[b"{" + b",".join([b'"a":0'] * 999) + b"}"] * 300), "body"),
]


@pytest.mark.parametrize(("body", "field"), TOO_MUCH)
def test_too_much_is_refused_by_field(rest: Rest, place: Place, body: bytes, field: str) -> None:
    answer = rest.call("POST", f"{place.path}:batchCreate", body)
    assert answer.problem(400, "INVALID_FIELD", field)["detail"].startswith(f"{field}: ")


def test_a_whole_batch_of_full_personas_passes_the_counts(rest: Rest, place: Place) -> None:
    full = {
        "trusted_brands": [f"b{i}" for i in range(50)],
        "distrusted_brands": [f"c{i}" for i in range(50)],
        "attributes": {f"k{i}": "" for i in range(100)},
    }
    items = [{**persona(i), **full} for i in range(1000)]
    body = json.dumps({"personas": items}, separators=(",", ":")).encode()
    patient = [("Grpc-Timeout", "60S")]  # by default ten seconds: little for so much, beside others
    assert rest.call("POST", f"{place.path}:batchCreate", body, patient).status == 200


@pytest.mark.parametrize("given", [None, "not-a-token"])
def test_bodies_without_a_valid_token_are_not_read(
    own_gateway: Gateway, place: Place, neighbour: Neighbour, given: str | None
) -> None:
    head = start("POST", place.path, given, f"Content-Length: {4 * MIB}")
    with contextlib.ExitStack() as stack:
        connections = hold(stack, own_gateway, 40, head)
        for connection in connections:
            pour(connection, b" " * (4 * MIB - 1))
        assert set(map(status, connections)) <= {401, 0}
        neighbour.answers_again()


@pytest.mark.parametrize("known", [False, True])
def test_2000_bodies_of_one_byte(
    own_gateway: Gateway, place: Place, token: str, neighbour: Neighbour, known: bool
) -> None:
    head = start("POST", place.path, token if known else None, "Transfer-Encoding: chunked")
    with contextlib.ExitStack() as stack:
        connections = hold(stack, own_gateway, 2000, head + b"1\r\n{\r\n")
        neighbour.answers_again()
        if not known:
            assert set(map(status, connections)) <= {401, 429}


def test_calls_that_wait_make_others_no_dearer(service: Service, place: Place, token: str) -> None:
    """As they would where so many leave no memory: it would be looked through at every call."""
    headers = ("Transfer-Encoding: chunked", "Grpc-Timeout: 60S")
    head = start("POST", place.path, token, *headers)
    with (
        gateway(service.grpc, "--max-new-connections", "100000") as running,
        contextlib.ExitStack() as stack,
    ):
        spent = partial(cpu_of_calls, running, f"/api/v1/projects/{place.project}", token, 400)
        spent()
        quiet = spent()
        hold(stack, running, 2000, head + b"1\r\n{\r\n")
        spent()  # and with it they have come
        assert min(spent() for _ in range(3)) < 3 * quiet


def test_40_whole_bodies_but_for_a_byte(
    own_gateway: Gateway, place: Place, token: str, neighbour: Neighbour
) -> None:
    held = start("POST", place.path, token, f"Content-Length: {4 * MIB}")
    with contextlib.ExitStack() as stack:
        for connection in hold(stack, own_gateway, 40, held):
            pour(connection, b" " * (4 * MIB - 1))
        neighbour.answers_again()


@pytest.mark.parametrize("form", ["?page_size=1000", "", ":export"])
def test_answers_that_nobody_reads(
    own_gateway: Gateway, place: Place, token: str, neighbour: Neighbour, form: str
) -> None:
    client = Rest(own_gateway.base, token)
    for _ in range(4):
        people = [{**persona(i), "psychographic_notes": "x" * 15_000} for i in range(180)]
        assert client.call("POST", f"{place.path}:batchCreate", {"personas": people}).status == 200
    with contextlib.ExitStack() as stack:
        hold(stack, own_gateway, 64, start("GET", f"{place.path}{form}", token))
        for _ in range(20):
            neighbour.answers_again()


@pytest.mark.alone  # each must be answered within ten seconds, whatever else the machine has to do
def test_2000_calls_at_once_are_answered(
    own_gateway: Gateway, place: Place, token: str, neighbour: Neighbour
) -> None:
    with contextlib.ExitStack() as stack:
        request = start("GET", f"/api/v1/projects/{place.project}", token)
        connections = hold(stack, own_gateway, 2000, request)
        assert Counter(map(status, connections)) == {200: 2000}


def test_silent_connections_keep_nobody_out(own_gateway: Gateway, neighbour: Neighbour) -> None:
    half = b"GET / HTTP/1.1\r\nX: " + b"a" * 15_000
    with contextlib.ExitStack() as stack:
        hold(stack, own_gateway, 1500, half)
        hold(stack, own_gateway, 1500, half, "127.0.0.3")
        neighbour.answers_again()


def test_who_has_most_connections_gives_way(service: Service, place: Place, token: str) -> None:
    path = f"/api/v1/projects/{place.project}"
    with gateway(service.grpc, "--max-connections", "20") as full, contextlib.ExitStack() as stack:
        held = [stack.enter_context(dial(full)) for _ in range(20)]
        with bounded(full, path, token) as neighbour:
            neighbour.answers_again()
        assert held[0].recv(1) == b""  # the one that had waited longest


def test_an_address_has_so_many_connections(service: Service) -> None:
    flags = ("--max-connections-per-address", "5")
    with gateway(service.grpc, *flags) as few, contextlib.ExitStack() as stack:
        held = [stack.enter_context(dial(few)) for _ in range(6)]
        assert held[0].recv(1) == b""
        send(held[5], start("GET", "/nowhere", None))
        assert status(held[5]) == 404


def test_who_is_refused_over_and_over_is_refused_sooner(
    service: Service, place: Place, token: str
) -> None:
    path = f"/api/v1/projects/{place.project}"
    with gateway(service.grpc, "--max-refusals", "0.1") as strict:
        good, bad = Rest(strict.base, token), Rest(strict.base, "bad")
        assert good.call("GET", path).status == 200
        bad.call("GET", path).problem(401, "UNAUTHENTICATED")
        refused: Answer = bad.call("GET", path)
        assert refused.problem(429, "TOO_MANY_REQUESTS")["code"] == "RESOURCE_EXHAUSTED"
        assert refused.headers["Retry-After"] == "1"
        assert good.call("GET", path).status == 200  # from the same address
        with bounded(strict, path, token):
            pass

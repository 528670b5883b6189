"""Calls that wait for room for their answers: in which order they go on, and when they give up."""

import time

from persona.v1 import persona_service_pb2 as pb
from persona_server.transport.entrance.answers import EACH, SECONDS, WAITING_TENANT, Answers
from persona_server.transport.methods import Method
from persona_server.transport.rpc import Rpc

LONG = Method("x.Service", "Long", "read", (), pb.ListPersonasRequest)
SHORT = LONG._replace(name="Short")
PART = EACH // 3  # bytes of a long answer: a connection may leave two unread


class Calls:
    """Calls to a server, by name, and what became of them."""

    def __init__(self) -> None:
        self.answers = Answers()
        self.said: list[str] = []
        self._rpcs: dict[str, Rpc] = {}

    def begin(self, name: str, peer: str = "10.0.0.1:1", method: Method = LONG) -> bool:
        """Make a call; return whether it is served at once, and then answered."""
        rpc = self._rpcs[name] = Rpc(method, ())
        rpc.begin(None, peer)
        rpc.tenant = peer
        served = self.answers.begin(
            rpc,
            lambda: self.said.append(f"{name} goes on"),
            lambda: self.said.append(f"{name} ends"),
        )
        if served:
            self.answer(name)
        return served

    def answer(self, name: str) -> None:
        rpc = self._rpcs[name]
        rpc.answer_bytes = PART if rpc.method == LONG else 10
        self.answers.take_room(rpc)

    def over(self, name: str) -> bool:
        return self.answers.over(self._rpcs[name])


def full() -> Calls:
    """Return calls of which two are answered, and nobody has read that."""
    calls = Calls()
    assert calls.begin("a")
    assert calls.begin("b")
    return calls


def test_who_waits_longest_goes_on_when_an_answer_is_read() -> None:
    calls = full()
    assert not calls.begin("c")
    assert not calls.begin("d")
    assert calls.answers.waiting == 2
    assert not calls.over("a")
    assert calls.said == ["c goes on"]
    assert not calls.begin("e")  # the room is taken, though there is no answer yet
    calls.answer("c")
    assert not calls.over("b")
    assert not calls.over("c")
    assert calls.said == ["c goes on", "d goes on", "e goes on"]
    assert calls.answers.waiting == 0


def test_what_is_short_or_of_another_connection_does_not_wait() -> None:
    calls = full()
    assert not calls.begin("c")
    assert calls.begin("short", method=SHORT)
    assert calls.begin("first of another", "10.0.0.2:1")


def test_who_has_left_does_not_go_on() -> None:
    calls = full()
    assert not calls.begin("c")
    assert calls.over("c")
    assert not calls.over("a")
    calls.answers.tick(time.monotonic() + 2 * SECONDS)
    assert calls.said == []


def test_a_call_gives_up_that_has_waited_too_long() -> None:
    calls = full()
    assert not calls.begin("c")
    calls.answers.tick(time.monotonic() + SECONDS - 1)
    assert calls.said == []
    calls.answers.tick(time.monotonic() + SECONDS + 1)
    assert calls.said == ["c ends"]
    assert not calls.over("c")
    assert calls.answers.waiting == 0


def test_so_many_of_a_tenant_wait() -> None:
    calls = full()
    for number in range(WAITING_TENANT):
        assert not calls.begin(f"{number}")
    assert calls.said == []
    assert not calls.begin("one more")
    assert calls.said == ["one more ends"]
    assert calls.answers.waiting == WAITING_TENANT


def test_the_room_of_a_call_that_fails_is_given_back() -> None:
    calls = full()
    assert not calls.begin("c")
    assert not calls.over("a")
    assert not calls.over("c")  # which was served, and had no answer
    assert calls.begin("d")
    held = calls.answers.bytes
    assert not calls.over("b")
    assert not calls.over("d")
    assert held > 0 == calls.answers.bytes

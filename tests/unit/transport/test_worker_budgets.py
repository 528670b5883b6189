"""Memory for messages and answers: several workers share what one server may take."""

import itertools

from persona.v1 import persona_service_pb2 as pb
from persona_server.transport.entrance.answers import EACH, LEAST, Answers
from persona_server.transport.entrance.receipts import (
    MESSAGE_BYTES,
    Receipt,
    ReceiptLimits,
    Receipts,
)
from persona_server.transport.methods import Method
from persona_server.transport.rpc import Rpc

READ = Method("x.Service", "Read", "read", (), pb.ListPersonasRequest, validated=True)


class Call(Receipt):
    """A call that notes when its message may come."""

    def __init__(self, payer: str) -> None:
        super().__init__()
        self.payer = payer
        self.receives = False

    def receive(self) -> None:
        self.receives = True


def received(workers: int, payers: int) -> int:
    """Return how many messages may come at once, over all workers."""
    total = 0
    for _ in range(workers):
        receipts = Receipts(ReceiptLimits().part(workers))
        calls = [Call(f"payer-{number % payers}") for number in range(100)]
        for call in calls:
            receipts.add(call)
        total += sum(call.receives for call in calls)
    return total


def test_messages_of_all_workers_take_no_more_than_of_one() -> None:
    assert [received(workers, 10) for workers in (1, 2, 5)] == [10, 10, 10]
    assert [received(workers, 1) for workers in (1, 2, 5)] == [5, 4, 5]


def test_each_of_many_workers_takes_two_messages_of_two() -> None:
    assert (received(16, 1), received(16, 2)) == (16, 32)


def nothing() -> None:
    """Do nothing for a call that waits."""


def is_answered(answers: Answers) -> bool:
    """Make a call for a MiB, and return whether it was served at once."""
    rpc = Rpc(READ, ())
    rpc.begin(None, "127.0.0.1:1")
    begun = answers.begin(rpc, nothing, nothing)
    rpc.answer_bytes = MESSAGE_BYTES // 4
    if begun:
        answers.take_room(rpc)
    return begun


def unread(workers: int) -> int:
    """Return how many answers of a MiB one connection may leave unread."""
    answers = Answers(workers)
    return next(number for number in itertools.count() if not is_answered(answers))


def test_answers_of_all_workers_take_no_more_than_of_one() -> None:
    assert unread(1) == EACH * 4 // MESSAGE_BYTES - 1
    assert unread(2) == unread(16) == LEAST * 4 // MESSAGE_BYTES - 1

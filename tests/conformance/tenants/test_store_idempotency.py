"""Answers kept for retries: found by method and request_id, for a day."""

import uuid

from persona_server.storage.repositories.idempotency import KEEP_ANSWERS, KeptAnswer
from persona_server.storage.store import Store
from support.probe import Probe
from support.stored import read

HASH = bytes(32)
NOW = 2 * KEEP_ANSWERS
MINUTE = 60_000_000


def keep(store: Store, key: bytes, now: int, method: str = "M", answer: bytes = b"answer") -> None:
    with store.writing("acme", None) as repositories:
        repositories.idempotency.keep(method, key, HASH, answer, now)


def test_answer_is_found_by_method_and_id(store: Store) -> None:
    key = uuid.uuid4().bytes
    keep(store, key, NOW)
    idempotency = read(store).idempotency
    assert idempotency.find("M", key, NOW - 1) == KeptAnswer(HASH, b"answer")
    assert idempotency.find("Other", key, 0) is None
    assert idempotency.find("M", uuid.uuid4().bytes, 0) is None


def test_expired_answer_is_not_found_and_may_be_replaced(store: Store) -> None:
    key = uuid.uuid4().bytes
    keep(store, key, NOW)
    assert read(store).idempotency.find("M", key, NOW) is None
    keep(store, key, NOW + KEEP_ANSWERS, answer=b"new")
    assert read(store).idempotency.find("M", key, NOW) == KeptAnswer(HASH, b"new")
    assert Probe(store).count("idempotency") == 1


def test_answer_may_be_empty_or_hold_anything(store: Store) -> None:
    for answer in (b"", b"\0\xff" * 9):
        key = uuid.uuid4().bytes
        keep(store, key, NOW, answer=answer)
        assert read(store).idempotency.find("M", key, 0) == KeptAnswer(HASH, answer)


def test_sweep_removes_expired_answers_alone(store: Store) -> None:
    old, edge, young = (uuid.uuid4().bytes for _ in range(3))
    keep(store, old, NOW - KEEP_ANSWERS - 1)
    keep(store, edge, NOW - KEEP_ANSWERS)
    keep(store, young, NOW - KEEP_ANSWERS + 1)
    store.sweeper.sweep(NOW, MINUTE)
    assert Probe(store).rows("idempotency", "request_id") == [(young,)]

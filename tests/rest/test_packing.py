"""Bodies packed by gzip, both ways."""

import gzip
import json
import uuid
import zlib
from collections.abc import Callable

import pytest
from rest.conftest import Place, persona
from rest.processes import Gateway
from rest.wire import JSON, Rest, encoded

from support.service import Service

PACKED = (*JSON, ("Content-Encoding", "gzip"))
LIMIT = 4 << 20


def accepting(what: str) -> list[tuple[str, str]]:
    return [("Accept-Encoding", what)]


@pytest.mark.parametrize(
    "accepted", ["gzip", "deflate, gzip;q=0.5, br", "GZIP", "x-gzip", "*", "br;q=1.0, *;q=0.1"]
)
def test_long_answers_are_packed_for_who_takes_it(
    rest: Rest, place: Place, filled: Callable[[int], list[str]], accepted: str
) -> None:
    ids = filled(30)
    body = {"persona_ids": ids}
    for method, path, sent in (
        ("GET", f"{place.path}?page_size=30", None),
        ("GET", place.path, None),
        ("GET", f"{place.path}:export", None),
        ("POST", f"{place.path}:batchGet", body),
    ):
        plain = rest.call(method, path, sent)
        packed = rest.call(method, path, sent, headers=accepting(accepted))
        assert plain.headers["Content-Encoding"] is None
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
        assert gzip.decompress(packed.body) == plain.body
        assert len(packed.body) < len(plain.body) / 3
        for answer in (plain, packed):
            assert "Accept-Encoding" in ", ".join(answer.headers.get_all("Vary", []))


@pytest.mark.parametrize(
    "refused", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0, *", "*;q=0", "gzip;x", "gzipped"]
)
def test_they_are_not_for_who_does_not(
    rest: Rest, place: Place, filled: Callable[[int], list[str]], refused: str
) -> None:
    filled(30)
    for path in (f"{place.path}?page_size=30", place.path):
        answer = rest.call("GET", path, headers=accepting(refused))
        assert answer.headers["Content-Encoding"] is None
        assert len(answer.json()) == 30


def test_short_answers_and_errors_are_not_packed(rest: Rest, place: Place) -> None:
    for path in (f"/api/v1/projects/{place.project}", f"{place.path}?page_size=x"):
        answer = rest.call("GET", path, headers=accepting("gzip"))
        assert answer.headers["Content-Encoding"] is None
        json.loads(answer.body)


def test_a_body_may_be_packed(rest: Rest, place: Place) -> None:
    many = {"personas": [persona(i) for i in range(200)]}
    path = f"{place.path}:batchCreate"
    made = rest.call("POST", path, gzip.compress(encoded(many)), sent=PACKED)
    assert made.status == 200
    assert [each["id"] for each in made.json()] == [each["id"] for each in many["personas"]]
    key = [("Idempotency-Key", str(uuid.uuid4()))]
    one = encoded({"full_name": "Maria Santos"})
    first = rest.call("POST", place.path, gzip.compress(one, mtime=1), key, PACKED)
    again = rest.call("POST", place.path, one, key)  # the same request, said otherwise
    assert (first.status, first.json()) == (201, again.json())


def test_an_unpacked_body_is_bound_like_any_other(own_gateway: Gateway, service: Service) -> None:
    client = Rest(own_gateway.base, service.token())
    path = "/api/v1/projects"
    largest = encoded({"description": "x" * 100}).ljust(LIMIT)
    client.call("POST", path, gzip.compress(largest), sent=PACKED).problem(400, "INVALID_FIELD")
    refused = client.call("POST", path, gzip.compress(largest + b" "), sent=PACKED)
    assert refused.problem(413, "MESSAGE_TOO_LARGE")["metadata"] == {"limit": str(LIMIT)}
    before = own_gateway.memory("VmHWM")
    bomb = bombs(1 << 30)
    assert len(bomb) < LIMIT
    client.call("POST", path, bomb, sent=PACKED).problem(413, "MESSAGE_TOO_LARGE")
    client.call("POST", path, bytes(LIMIT + 1), sent=PACKED).problem(413, "MESSAGE_TOO_LARGE")
    nothing = gzip.compress(b"", mtime=0) * (LIMIT // 20)  # a member for each 20 bytes
    client.call("POST", path, nothing, sent=PACKED).problem(400, "INVALID_FIELD", "name")
    assert own_gateway.memory("VmHWM") < before + (40 << 20)


def bombs(size: int) -> bytes:
    """Return so many zeros, packed."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1 << 24)) for _ in range(size >> 24)) + packer.flush()


GOOD = gzip.compress(encoded({"name": "X"}), mtime=0)


@pytest.mark.parametrize(
    "body",
    [b'{"name": "X"}', GOOD[:-1], GOOD[:5], GOOD + b"more", GOOD[:-8] + bytes(8), b"\x1f\x8b"],
    ids=["plain", "cut", "no header", "more behind it", "checksum", "magic"],
)
def test_what_is_not_gzip_is_refused(rest: Rest, body: bytes) -> None:
    answer = rest.call("POST", "/api/v1/projects", body, sent=PACKED)
    assert "gzip" in answer.problem(400, "INVALID_FIELD", "body")["detail"]


def test_what_is_packed_is_checked_like_any_other(rest: Rest) -> None:
    for body, field in ((b"{", "body"), (b'{"nope": 1}', "nope"), (b'{"name": 1}', "name")):
        answer = rest.call("POST", "/api/v1/projects", gzip.compress(body), sent=PACKED)
        answer.problem(400, "INVALID_FIELD", field)


@pytest.mark.parametrize(
    ("coding", "body"),
    [("x-gzip", GOOD), ("X-GZIP", GOOD), ("identity", b'{"name": "X"}')],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_names_of_a_coding_are_known(rest: Rest, coding: str, body: bytes) -> None:
    sent = (*JSON, ("Content-Encoding", coding))
    assert rest.call("POST", "/api/v1/projects", body, sent=sent).json()["name"] == "X"


@pytest.mark.parametrize("coding", [["br"], ["deflate"], ["gzip, gzip"], ["gzip", "gzip"], [""]])
def test_another_coding_is_415(rest: Rest, coding: list[str]) -> None:
    headers = [("Content-Encoding", one) for one in coding]
    answer = rest.call("POST", "/api/v1/projects", GOOD, headers)
    answer.problem(415, "INVALID_FIELD", "Content-Encoding")
    assert answer.headers["Accept-Encoding"] == "gzip"

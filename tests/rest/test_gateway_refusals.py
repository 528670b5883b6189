"""An address that was refused too often: few of its tokens are tried, and good ones found."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest
from rest.processes import Backend, gateway
from rest.wire import Rest

from support.waiting import eventually

GOOD, BAD = "/api/v1/projects/good", "/api/v1/projects/UNAUTHENTICATED"
TRIALS = 5  # a second, and at once


@pytest.fixture
def base(backend: Backend) -> Iterator[str]:
    """Where a gateway is that has refused this address too often already."""
    with gateway(backend.address, "--max-refusals", "0.1") as running:
        Rest(running.base, None).call("GET", BAD).problem(401, "UNAUTHENTICATED")
        yield running.base


def test_the_server_is_asked_for_few_tokens_whoever_sends_how_many(
    base: str, backend: Backend
) -> None:
    begun = time.monotonic()
    statuses = Counter(Rest(base, f"bad{i}").call("GET", BAD).status for i in range(200))
    assert TRIALS <= backend.calls <= TRIALS * (1 + time.monotonic() - begun)
    assert statuses == {401: backend.calls, 429: 200 - backend.calls}
    tried = backend.calls

    def taken() -> bool:
        return Rest(base, "good").call("GET", GOOD).status == 200

    eventually(taken)  # once one may be tried again
    assert backend.calls == tried + 1
    assert all(taken() for _ in range(2 * TRIALS))


def test_what_was_refused_is_not_tried_again_in_place_of_others(
    base: str, backend: Backend
) -> None:
    statuses = [Rest(base, "bad").call("GET", BAD).status for _ in range(10 * TRIALS)]
    assert statuses == [401] + [429] * (10 * TRIALS - 1)
    for _ in range(10 * TRIALS):  # what is no token, neither
        assert Rest(base, None).call("GET", BAD).status == 429
    assert backend.calls == 1
    assert Rest(base, "good").call("GET", GOOD).status == 200

"""What the server and its gateway tell each other: figures are those of when they are asked for."""

import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import pytest

from persona_server.process.gateway_channel import FIGURES, GatewayChannel
from support.waiting import eventually


class Told:
    """The end of a channel that a gateway has."""

    def __init__(self) -> None:
        (orders, orders_end), (answers, answers_end) = os.pipe(), os.pipe()
        self._orders: BinaryIO = os.fdopen(orders, "rb")
        self._answers: BinaryIO = os.fdopen(answers_end, "wb", 0)
        self._taken: BinaryIO = os.fdopen(answers, "rb", 0)
        self.channel = GatewayChannel(os.fdopen(orders_end, "wb"), self._taken)
        self._thread = threading.Thread(target=self.channel.run, args=(lambda: None,))
        self._thread.start()

    def asked(self) -> bool:
        """Wait for an order, and return whether it is that for figures."""
        return self._orders.readline().decode() == f"{FIGURES}\n"

    def answer(self, page: str) -> None:
        self._answers.write(json.dumps({FIGURES: page}).encode() + b"\n")

    def close(self) -> None:
        self.channel.close()
        self._answers.close()
        self._thread.join()
        self._orders.close()
        self._taken.close()


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.close()


def test_a_scrape_shows_nothing_from_before_it_came(told: Told) -> None:
    """The gateway is asked from time to time anyway, and may have looked just before."""
    assert told.asked()
    with ThreadPoolExecutor(1) as scraping:
        page = scraping.submit(told.channel.page)
        eventually(lambda: told.channel._guard._waiters)  # type: ignore[attr-defined]
        told.answer("before")
        assert told.asked()
        told.answer("now")
        assert page.result() == b"now"

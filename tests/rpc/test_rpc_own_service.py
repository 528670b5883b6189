"""What takes a service of its own: settings from the environment, and a server that fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from persona_server.storage.store import open_store
from persona_server.transport.errors import internal
from support.data import make_place, persona, uid
from support.errors import refused
from support.probe import Probe
from support.service import Service, running_service
from support.waiting import eventually

ENVIRONMENT = {
    "PERSONA_OPEN_REFLECTION": "on",
    "PERSONA_LISTNE": "a slip of the pen",
    "PERSONA_TOKEN": "the client's",
    "PERSONA_GRACE": "999999",  # refused, were it not for the flag
}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Service]:
    flags = ("--rest", "off", "--grace", "2")
    with running_service(tmp_path / "data", *flags, env=ENVIRONMENT) as service:
        yield service


def entries(service: Service, message: str) -> list[dict[str, Any]]:
    return [line for line in list(service.log) if line["message"] == message]


def test_unknown_variables_are_warned_about_once(own: Service) -> None:
    found = entries(own, "unknown setting ignored")
    assert [(entry["level"], entry["variable"]) for entry in found] == [
        ("warning", "PERSONA_LISTNE")
    ]


def test_a_fault_of_ours_is_internal_with_an_id_that_the_log_knows(own: Service) -> None:
    """A table is taken away under a running server: it says nothing of that, and lives on."""
    place = make_place(own.connect())
    store = open_store(own.place, make=False)
    Probe(store).change("DROP TABLE idempotency")
    store.close()
    with refused("INTERNAL", grpc.StatusCode.INTERNAL) as refusal:
        place.create(persona(), request_id=uid())
    assert set(refusal.problem.metadata) == {"error_id"}
    assert "idempotency" not in refusal.problem.message
    assert refusal.problem.message == internal("").message  # one fixed sentence
    error_id = refusal.problem.metadata["error_id"]

    def logged() -> list[dict[str, Any]]:
        return [line for line in list(own.log) if line.get("error_id") == error_id]

    eventually(lambda: len(logged()) == 2)
    cause, call = logged()
    assert "idempotency" in cause["traceback"]
    assert cause["level"] == "error"
    assert (call["method"], call["code"], call["reason"]) == (
        "CreatePersona",
        "INTERNAL",
        "INTERNAL",
    )
    assert place.count() == 0  # rolled back
    assert place.create(persona()) in place.walk()

"""Fixtures of the REST tests: clients of the running service, and parents to work under."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from rest.processes import Backend, Gateway, gateway
from rest.wire import Rest

from support.answering.shelf import Shelf
from support.peers.browser import Browser, program, running_browser
from support.service import Service


class Place(NamedTuple):
    """A persona group in a project, with the path of its personas."""

    project: str
    group: str
    path: str


@pytest.fixture(scope="session")
def rest(service: Service) -> Rest:
    """A client of the service with all scopes."""
    return Rest(service.rest, service.token())


@pytest.fixture
def place(rest: Rest) -> Place:
    """A new, empty group."""
    project = rest.call("POST", "/api/v1/projects", {"name": "Tests"}).json()["id"]
    groups = f"/api/v1/projects/{project}/persona-groups"
    group = rest.call("POST", groups, {"name": "Everyone"}).json()["id"]
    return Place(project, group, f"{groups}/{group}/personas")


@pytest.fixture
def filled(rest: Rest, place: Place) -> Callable[[int], list[str]]:
    """A function that adds n personas to the place and returns their ids in the order of lists."""

    def fill(n: int) -> list[str]:
        ids = []
        for start in range(0, n, 1000):
            items = [persona(i) for i in range(start, min(n, start + 1000))]
            answer = rest.call("POST", f"{place.path}:batchCreate", {"personas": items})
            ids += [item["id"] for item in answer.json()]
        return ids

    return fill


def persona(i: int) -> dict[str, Any]:
    """Return the JSON of the ith persona."""
    fields = {"id": str(uuid.uuid4()), "full_name": f"Person {i}", "age": 20 + i % 60}
    return fields | {"attributes": {"a": "1"}}


def recorded_answer(rest: Rest, persona_id: str) -> str:
    """Record an answer of a persona and return its id."""
    one = {"persona_id": persona_id, "question_key": "q", "text": "Yes."}
    path = f"/api/v1/simulations/{uuid.uuid4()}/responses"
    recorded = rest.call("POST", path, {"responses": [one]}).json()
    return str(recorded["responses"][0]["id"])


@pytest.fixture(scope="session")
def shelf(service: Service) -> Shelf:
    """Individuals of the library, used in two groups, that no test changes."""
    return Shelf(service.connect())


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests."""
    if program() is None:
        pytest.skip("no Chromium is on this machine, and `make setup-dev` could not install one")
    with running_browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def own_gateway(service: Service) -> Iterator[Gateway]:
    """A gateway of this test alone, in front of the service."""
    with gateway(service.grpc) as running:
        yield running


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A gRPC server that goes wrong as it is told."""
    running = Backend()
    yield running
    running.stop()


@pytest.fixture
def broken(backend: Backend) -> Iterator[Rest]:
    """A client of a gateway in front of `backend`."""
    with gateway(backend.address) as running:
        yield Rest(running.base, "any")

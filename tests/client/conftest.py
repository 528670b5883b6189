"""Clients of the running service, and of a stand-in that fails as told."""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from client.standin import Standin

from persona_client import PersonaClient, PersonaGroup, Project, RetryPolicy
from support.data import Place as Group
from support.service import Service


class Place(NamedTuple):
    """The ids of a persona group."""

    project_id: str
    group_id: str


@pytest.fixture(scope="session")
def client(service: Service) -> Iterator[PersonaClient]:
    """A client of the running service, with all scopes."""
    with PersonaClient(service.grpc, service.token()) as made:
        yield made


@pytest.fixture
def place(client: PersonaClient) -> Place:
    """A new, empty group."""
    project = client.create_project(Project(name="Tests"))
    group = client.create_persona_group(project.id, PersonaGroup(name="all"))
    return Place(project.id, group.id)


@pytest.fixture
def group(service: Service, place: Place) -> Group:
    """The place as the other tests' helpers know it."""
    return Group(service.connect(), place.project_id, place.group_id)


@pytest.fixture
def standin() -> Iterator[Standin]:
    """A server that answers as told."""
    server = Standin()
    yield server
    server.stop()


@dataclasses.dataclass
class Naps:
    """The seconds that a client would have slept."""

    taken: list[float] = dataclasses.field(default_factory=list)


@pytest.fixture
def naps() -> Naps:
    """What the client of the stand-in waits between its tries, without waiting."""
    return Naps()


@pytest.fixture
def failing(standin: Standin, naps: Naps) -> Iterator[PersonaClient]:
    """A client of the stand-in."""
    retry = RetryPolicy(sleep=naps.taken.append)
    with PersonaClient(standin.address, "secret", retry=retry) as made:
        yield made

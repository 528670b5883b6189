"""Fixtures of the gRPC tests: a tenant of each test's own in the one running service."""

import uuid
from collections.abc import Callable, Iterator

import pytest

from persona_server.identity.tokens import LocalKey, local_key
from persona_server.storage.store import open_store
from support.data import Place, make_place
from support.service import TOKEN_SECONDS, Caller, Service

Connect = Callable[..., Caller]


@pytest.fixture(scope="session")
def key(service: Service) -> LocalKey:
    """The key of the running service, to sign tokens with."""
    store = open_store(service.place, make=False)
    found = local_key(store)
    store.close()
    return found


@pytest.fixture
def tenant() -> str:
    """A tenant that nothing else uses."""
    return f"t-{uuid.uuid4().hex}"


@pytest.fixture
def connect(service: Service, key: LocalKey, tenant: str) -> Iterator[Connect]:
    """A function that connects with a token of this tenant, or of another, with these scopes."""
    callers: list[Caller] = []

    def connected(of: str = tenant, scopes: str = "all", subject: str = "tests") -> Caller:
        callers.append(service.connect(key.issue(of, subject, scopes.split(), TOKEN_SECONDS)))
        return callers[-1]

    yield connected
    for caller in callers:
        caller.close()


@pytest.fixture
def caller(connect: Connect) -> Caller:
    """A caller with all scopes."""
    return connect()


@pytest.fixture
def place(caller: Caller) -> Place:
    """An empty group."""
    return make_place(caller)

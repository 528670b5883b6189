"""What a service is composed of as its settings say, whether by one process or by several."""

import os
from collections.abc import Callable
from dataclasses import fields
from importlib.metadata import version
from typing import NamedTuple

from persona_server.identity.tokens import LocalKey, local_key
from persona_server.measures.individual.policy import Policy
from persona_server.process.certificates import Certificates, Identity, make_identity
from persona_server.process.gateway_process import GatewayProcess, command_of
from persona_server.quotas import Quota
from persona_server.running.opening import require_volume
from persona_server.services.paging import PageTokens
from persona_server.settings.addresses import loopback_of_all, own_addresses, why_refused
from persona_server.settings.config import Settings
from persona_server.settings.values import Address
from persona_server.storage import keys
from persona_server.storage.engine.database import shown
from persona_server.storage.engine.errors import refusing_to_open
from persona_server.storage.engine.folder import (
    FileIdentity,
    FolderLock,
    lock_file,
    make_private,
    require_file,
)
from persona_server.storage.replica import Replica, replica_at
from persona_server.storage.store import Store, open_store
from persona_server.storage.upgrade import Watched
from persona_server.telemetry.logs import LOGGER
from persona_server.telemetry.metrics_port import MetricsPort
from persona_server.telemetry.tracing import Tracing, TracingError
from persona_server.transport.server import PersonaServer
from persona_server.transport.tls import credentials_of

_PAGE_TOKEN_KEY = "page-token-key"  # noqa: S105 (the name of a secret, not one)


class StartError(Exception):
    """The service can't start as it is configured; the text says why and what to do."""


class Addresses(NamedTuple):
    """Where a started service listens; None where it does not."""

    grpc: str
    rest: str | None
    metrics: str | None


class Opened(NamedTuple):
    """A store, the keys that it keeps, and the lock that one service holds until it ends."""

    store: Store
    key: LocalKey
    tokens: PageTokens
    lock: FolderLock | None


def opened(
    settings: Settings, watched: Watched, *, locks: bool, file: FileIdentity | None = None
) -> Opened:
    """Open the store, made and migrated where that is due. Raises DatabaseError.

    An upgrade is made within what `watched` returns. A file is for one service, which `locks` it;
    with `file` it must be that one.
    """
    lock = None
    with refusing_to_open(shown(settings.place)):
        require_volume(settings)
        if file:
            require_file(settings.data, file)
        if locks and not settings.database:
            make_private(settings.data)
            lock = lock_file(settings.data)
        store = open_store(
            settings.place, pooler=settings.pooler, traces=settings.tracing, watched=watched
        )
        key = local_key(store)
        secret = store.secrets.ensure(_PAGE_TOKEN_KEY, _random_key, keys.now())
    if store.created:
        LOGGER.info("database made", extra={"place": shown(settings.place)})
    return Opened(store, key, PageTokens(secret), lock)


def replica_of(settings: Settings) -> Replica | None:
    """Return the replica from which personas are read, if there is one."""
    if not settings.read_database:
        return None
    return replica_at(settings.read_database, pooler=settings.pooler)


def policy_of(settings: Settings) -> Policy:
    """Return the limits of all measures as they are set."""
    return Policy(**{field.name: getattr(settings, field.name) for field in fields(Policy)})


def quota_of(settings: Settings) -> Quota:
    """Return what a tenant may use that has no values of its own."""
    return Quota(**{name: getattr(settings, f"quota_{name}") for name in Quota._fields})


def identity_of(certificates: Certificates | None) -> Identity | None:
    """Return a certificate for the gateway, if those who call need one."""
    return make_identity("persona-gateway") if certificates else None


def tracing_of(settings: Settings) -> Tracing | None:
    """Return what makes and sends traces, if they are asked for. Raises StartError."""
    try:
        return Tracing(version("persona-service")) if settings.tracing else None
    except TracingError as error:
        raise StartError(str(error)) from None


def gateway_to(
    server: Address, settings: Settings, identity: Identity | None, *, connections: int = 1
) -> GatewayProcess:
    """Start the REST gateway before a server, to which it shows `identity` if there is one.

    It calls by so many `connections`, unless --gateway-options says otherwise. Raises GatewayError.
    """
    command = command_of(settings, server, connections)
    return GatewayProcess(command, identity.pem if identity else b"")


def reachable_text(address: str) -> str:
    """Return HOST:PORT by which this machine reaches a listener, whatever it listens on."""
    host, _, port = address.rpartition(":")
    return str(reachable(Address(host.strip("[]"), int(port))))


def reachable(listen: Address) -> Address:
    """Return the address by which this machine reaches a listener on all interfaces."""
    return Address(loopback_of_all(listen.host), listen.port)


def _random_key() -> bytes:
    return os.urandom(32)


def listen_for_calls(
    server: PersonaServer,
    address: Address,
    certificates: Certificates | None,
    gateway: Identity | None,
) -> Address:
    """Bind a server to all that an address stands for, and return where it is now.

    With certificates it is reached by TLS alone, and by `gateway`. Raises StartError.
    """
    credentials = credentials_of(certificates, gateway.cert) if certificates and gateway else None
    port = address.port
    try:
        for one in own_addresses(address):
            port = server.listen(str(one._replace(port=port)), credentials)
    except OSError:
        raise refused_to_calls(address) from None
    return address._replace(port=port)


def refused_to_calls(address: Address) -> StartError:
    """Return what is said where gRPC can't listen."""
    return _refused("gRPC", address, "--listen HOST:PORT")


def _refused(what: str, address: Address, instead: str) -> StartError:
    return StartError(
        f"{what} can't listen on {address}: {why_refused(address)}. Name another with {instead}."
    )


def listen_for_metrics(
    settings: Settings, page: Callable[[], bytes], certificates: Certificates | None
) -> str | None:
    """Serve a page of metrics; return where, None if that is off. Raises StartError."""
    address = settings.metrics
    if address is None:
        return None
    context = (lambda: certificates.current().context) if certificates else None
    try:
        port = MetricsPort(address.host, address.port, page, context).port
    except OSError:
        raise _refused("Metrics", address, "--metrics HOST:PORT, or --metrics off") from None
    return str(Address(address.host, port))

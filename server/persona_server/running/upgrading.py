"""A start that upgrades its database: what the log, probes and callers are told meanwhile."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from persona_server import errors
from persona_server.process import supervisor
from persona_server.process.certificates import certificates_of
from persona_server.running.composing import (
    gateway_to,
    identity_of,
    listen_for_calls,
    reachable,
    reachable_text,
)
from persona_server.settings.config import Settings
from persona_server.storage.upgrade import TELL_SECONDS, Upgrade, Watched, telling
from persona_server.telemetry.logs import LOGGER
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.standin import stand_in

STOP_SECONDS = 0.5


def upgrading(settings: Settings) -> Watched:
    """Return what a service does while its database is upgraded: it listens, and is not ready."""

    @contextmanager
    def watched(upgrade: Upgrade) -> Iterator[None]:
        with _standing_in(settings) as where, _told(upgrade, where):
            yield

    return watched


@contextmanager
def _standing_in(settings: Settings) -> Iterator[dict[str, str]]:
    """Answer where the service will for a block; give where that is.

    Raises StartError or GatewayError, before anything has begun.
    """
    certificates = certificates_of(settings)
    identity = identity_of(certificates)
    guards = Guards()
    server = stand_in(_not_yet, guards)
    grpc = reachable(listen_for_calls(server, settings.listen, certificates, identity))
    server.start()
    where, gateway = {"grpc": str(grpc)}, None
    try:
        if settings.rest:
            gateway = gateway_to(grpc, settings, identity)
            guards.gateway.secret = gateway.secret
            where["rest"] = reachable_text(gateway.address)
        yield where
    finally:
        if gateway:
            gateway.stop(STOP_SECONDS)
        server.stop(STOP_SECONDS)


def _not_yet() -> errors.ServiceError:
    return errors.database_unavailable("The database is being upgraded.")


@contextmanager
def _told(upgrade: Upgrade, where: dict[str, str]) -> Iterator[None]:
    """Log an upgrade's begin, progress and end."""
    way, started = {"from": upgrade.old, "to": upgrade.new}, time.monotonic()

    def tell() -> None:
        supervisor.tell(supervisor.more_time(3 * TELL_SECONDS))
        LOGGER.info("upgrading", extra={"step": str(upgrade), "number": upgrade.number})

    LOGGER.info("upgrading the database", extra={**way, "migrations": upgrade.steps, **where})
    with telling(tell):
        yield
    LOGGER.info("upgraded", extra={**way, "seconds": round(time.monotonic() - started, 1)})

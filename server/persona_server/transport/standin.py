"""A server in the place of one that can't serve yet: health says NOT_SERVING, calls are refused."""

from collections.abc import Callable
from typing import Never

from persona_server.errors import ServiceError
from persona_server.telemetry.metrics import Metrics
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.pipeline import Pipeline, Step
from persona_server.transport.rpc import Rpc, refusal_for
from persona_server.transport.server import PersonaServer
from persona_server.transport.streams import Streams


def stand_in(why: Callable[[], ServiceError], guards: Guards) -> PersonaServer:
    """Return a server that refuses every call, whoever makes it, but for those of health."""
    pipeline = Pipeline(refusing_steps(why, guards))
    return PersonaServer(lambda _: _never_called, pipeline, guards, Metrics(), Streams())


def refusing_steps(why: Callable[[], ServiceError], guards: Guards) -> tuple[Step, ...]:
    """Return the steps of such a server's calls."""

    def refuse(_rpc: Rpc) -> None:
        raise why()

    def tell(rpc: Rpc, error: Exception) -> None:
        assert isinstance(error, ServiceError)  # nothing else is done
        rpc.refusal = refusal_for(error, rpc.request_id)

    return (
        Step("shield", failed=tell),
        Step("gateway", admit=guards.gateway.recognise),
        Step("stand-in", admit=refuse),
    )


def _never_called(*_: object) -> Never:
    raise AssertionError("a call was let in that is to be refused")

"""The standard health service."""

from typing import Any

from grpc_health.v1 import health, health_pb2

from persona_server.transport.methods import SERVICES
from persona_server.transport.pools import Pools

_Status = health_pb2.HealthCheckResponse
_NAMES = (health.OVERALL_HEALTH, *(service.full_name for service in SERVICES))


class Health(health.HealthServicer):
    """Health of all and of each service, for which a busy pool can't hide that the server lives.

    Check has a thread of its own. Watch passes as it is: only then does it hold no thread.
    """

    def __init__(self, pools: Pools) -> None:
        super().__init__(experimental_non_blocking=True)
        answer = super().Check

        def check(request: Any, context: Any) -> Any:
            return answer(request, context)

        # The attribute that names the pool must be on a behaviour of this server's own.
        self.Check = pools.bind(check, "health")  # type: ignore[method-assign]
        self.serving(False)

    def serving(self, serving: bool) -> None:
        """Set what health says, overall and per service; nothing any more once it has ended."""
        status = _Status.SERVING if serving else _Status.NOT_SERVING
        for name in _NAMES:
            self.set(name, status)

"""A server in the place of one that can't serve yet: health says NOT_SERVING, calls are refused."""

from collections.abc import Callable

from persona_server.errors import ServiceError
from persona_server.services.comparison.service import ComparisonService
from persona_server.services.library.service import LibraryService
from persona_server.services.personas.service import PersonaService
from persona_server.services.projects.service import ProjectService
from persona_server.services.responses.service import ResponseService
from persona_server.services.simulations.service import SimulationService
from persona_server.telemetry.metrics import Metrics
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.pipeline import Pipeline, Step
from persona_server.transport.rpc import Rpc, refusal_for
from persona_server.transport.server import PersonaServer
from persona_server.transport.streams import Streams

# What names their RPCs; none of them is called.
_SERVICES: dict[str, object] = {
    "persona.v1.PersonaService": PersonaService,
    "persona.v1.ProjectService": ProjectService,
    "persona.v1.ResponseService": ResponseService,
    "persona.v1.LibraryService": LibraryService,
    "persona.v1.SimulationService": SimulationService,
    "persona.v1.ComparisonService": ComparisonService,
}


def stand_in(why: Callable[[], ServiceError]) -> PersonaServer:
    """Return a server that refuses every call, whoever makes it, but for those of health."""

    def refuse(_rpc: Rpc) -> None:
        raise why()

    def tell(rpc: Rpc, error: Exception) -> None:
        assert isinstance(error, ServiceError)  # nothing else is done
        rpc.refusal = refusal_for(error, rpc.request_id)

    steps = (Step("shield", failed=tell), Step("stand-in", admit=refuse))
    return PersonaServer(_SERVICES, Pipeline(steps), Guards(), Metrics(), Streams())

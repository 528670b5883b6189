"""The calls of SimulationService."""

from collections.abc import Iterator, Sequence

from persona.v1.simulation_pb2 import AskedQuestion, Simulation
from persona.v1.simulation_service_pb2 import (
    CreateSimulationRequest,
    GetSimulationRequest,
    ListQuestionsRequest,
    ListSimulationsRequest,
    UpdateSimulationRequest,
)
from persona.v1.simulation_service_pb2_grpc import SimulationServiceStub
from persona_client.calls import Caller, Connection, field_mask


class SimulationCalls(Caller):
    """Simulations, and what was asked in them. Every method raises PersonaError."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._simulations = SimulationServiceStub(self._channel)

    def create_simulation(
        self,
        project_id: str,
        simulation: Simulation,
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> Simulation:
        """Make a simulation and return it as stored.

        Raises ProjectNotFound, InvalidField, AlreadyExists (`metadata["field"]` says whether it is
        the id or the name that is taken).
        """
        request = CreateSimulationRequest(
            project_id=project_id,
            simulation=simulation,
            request_id=request_id,
            validate_only=validate_only,
        )
        return self._mutate(self._simulations.CreateSimulation, request, timeout).simulation

    def list_simulations(
        self, project_id: str, *, name: str = "", page_size: int = 0, timeout: float | None = None
    ) -> Iterator[Simulation]:
        """Yield the simulations of a project, newest first, or the one of a name.

        The project may be deleted. Raises ProjectNotFound.
        """
        request = ListSimulationsRequest(project_id=project_id, name=name, page_size=page_size)
        for page in self._pages(self._simulations.ListSimulations, request, timeout):
            yield from page.simulations

    def get_simulation(
        self, project_id: str, simulation_id: str, *, timeout: float | None = None
    ) -> Simulation:
        """Return one simulation. Raises ProjectNotFound, SimulationNotFound."""
        request = GetSimulationRequest(project_id=project_id, simulation_id=simulation_id)
        return self._call(self._simulations.GetSimulation, request, timeout).simulation

    def update_simulation(
        self,
        project_id: str,
        simulation_id: str,
        simulation: Simulation,
        *,
        update_mask: Sequence[str] | None = None,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> Simulation:
        """Change what is said of a simulation and return it as it is now; its answers stay.

        `update_mask` as in `update_project`. Raises SimulationNotFound, InvalidField,
        AlreadyExists for a name that is taken.
        """
        request = UpdateSimulationRequest(
            project_id=project_id,
            simulation_id=simulation_id,
            simulation=simulation,
            update_mask=field_mask(update_mask),
            request_id=request_id,
            validate_only=validate_only,
        )
        return self._mutate(self._simulations.UpdateSimulation, request, timeout).simulation

    def list_questions(
        self,
        project_id: str,
        *,
        simulation_id: str = "",
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[AskedQuestion]:
        """Yield the questions answered in a project, or in one simulation of it, as first asked.

        Raises ProjectNotFound, SimulationNotFound.
        """
        request = ListQuestionsRequest(
            project_id=project_id, simulation_id=simulation_id, page_size=page_size
        )
        for page in self._pages(self._simulations.ListQuestions, request, timeout):
            yield from page.questions

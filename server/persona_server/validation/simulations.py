"""What the requests of the SimulationService must be."""

from persona.v1.simulation_service_pb2 import (
    CreateSimulationRequest,
    ListQuestionsRequest,
    ListSimulationsRequest,
    UpdateSimulationRequest,
)
from persona_server.validation.fields import check_line, check_name, check_text, check_uuid
from persona_server.validation.limits import LINES, TEXTS
from persona_server.validation.projects import prepared, require
from persona_server.validation.violations import Violations

SIMULATION_FIELDS = ("name", "description", "model", "prompt_version")


def check_simulation(
    found: Violations, request: CreateSimulationRequest | UpdateSimulationRequest
) -> None:
    """Check and normalise the simulation of a create or an update; it may have no name."""
    require(found, request, "simulation")
    simulation = request.simulation
    prepared(found, request, simulation, "simulation", SIMULATION_FIELDS)
    if simulation.name:
        check_name(found, "simulation.name", simulation.name)
    check_text(found, "simulation.description", simulation.description, TEXTS["description"])
    for name in ("model", "prompt_version"):
        check_line(found, f"simulation.{name}", getattr(simulation, name), LINES[name])


def check_simulations(found: Violations, request: ListSimulationsRequest) -> None:
    """Check what is the list's own."""
    check_line(found, "name", request.name, LINES["name"])


def check_questions(found: Violations, request: ListQuestionsRequest) -> None:
    """Check and normalise whose questions are asked for: a project's, or a simulation's of it."""
    request.project_id = check_uuid(found, "project_id", request.project_id, required=True)
    simulation_id = check_uuid(found, "simulation_id", request.simulation_id, required=False)
    request.simulation_id = simulation_id

"""Voiding answers by a call, and what is then told of them."""

from persona.v1 import simulation_service_pb2 as simulations_pb
from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import (
    GetResponseRequest,
    RecordResponsesRequest,
    RecordResponsesResponse,
    VoidResponsesRequest,
)
from support.data import Place

REASON = "The model was down."


def void(place: Place, *ids: str, reason: str = REASON, request_id: str = "") -> int:
    """Mark answers as void, and return how many stood until now."""
    request = VoidResponsesRequest(response_ids=ids, reason=reason, request_id=request_id)
    return place.caller.responses.VoidResponses(request).voided_count


def get(place: Place, response_id: str) -> Response:
    """Return an answer as it is now."""
    request = GetResponseRequest(response_id=response_id)
    return place.caller.responses.GetResponse(request).response


def say(place: Place, simulation: str, *answers: Response) -> RecordResponsesResponse:
    """Record answers in a simulation, and return what is told of them."""
    request = RecordResponsesRequest(simulation_id=simulation, responses=answers)
    return place.caller.responses.RecordResponses(request)


def counted(place: Place, simulation: str) -> tuple[int, int]:
    """Return how many responses and individuals a simulation has."""
    request = simulations_pb.GetSimulationRequest(
        project_id=place.project, simulation_id=simulation
    )
    found = place.caller.simulations.GetSimulation(request).simulation
    return found.response_count, found.individual_count

"""What the requests of the ComparisonService must be."""

from persona.v1.comparison_service_pb2 import SummarizeResponsesRequest
from persona_server.validation.fields import check_uuid
from persona_server.validation.violations import Violations


def check_selection(found: Violations, request: SummarizeResponsesRequest) -> None:
    """Check and normalise what is selected: without a project it is the library."""
    within = bool(request.simulation_id or request.group_id)
    request.project_id = check_uuid(found, "project_id", request.project_id, required=within)
    simulation_id = check_uuid(found, "simulation_id", request.simulation_id, required=False)
    request.simulation_id = simulation_id
    request.group_id = check_uuid(found, "group_id", request.group_id, required=False)

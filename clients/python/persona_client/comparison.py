"""The calls of ComparisonService."""

from collections.abc import Iterator

from persona.v1.comparison_pb2 import QuestionSummary
from persona.v1.comparison_service_pb2 import SummarizeResponsesRequest
from persona.v1.comparison_service_pb2_grpc import ComparisonServiceStub
from persona_client.calls import Caller
from persona_client.retry import RetryPolicy


class ComparisonCalls(Caller):
    """What groups of individuals answered. Every method raises PersonaError."""

    def __init__(self, address: str, token: str, timeout: float, retry: RetryPolicy) -> None:
        super().__init__(address, token, timeout, retry)
        self._comparison = ComparisonServiceStub(self._channel)

    def summarize_responses(
        self,
        project_id: str = "",
        *,
        simulation_id: str = "",
        group_id: str = "",
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[QuestionSummary]:
        """Yield what a selection answered to each question, as first asked, with intervals.

        Without a project it is the library; a simulation and a group are of the project, and may be
        given together. Each individual counts once. Raises ProjectNotFound, SimulationNotFound,
        PersonaGroupNotFound, and InvalidField for more than 10,000 individuals but in a simulation.
        """
        request = SummarizeResponsesRequest(
            project_id=project_id,
            simulation_id=simulation_id,
            group_id=group_id,
            page_size=page_size,
        )
        for page in self._pages(self._comparison.SummarizeResponses, request, timeout):
            yield from page.summaries

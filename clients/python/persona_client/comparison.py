"""The calls of ComparisonService."""

from collections.abc import Iterator, Sequence

from persona.v1.comparison_pb2 import (
    DistributionDistance,
    MeanDifference,
    QuestionComparison,
    QuestionSummary,
    TargetDistribution,
)
from persona.v1.comparison_service_pb2 import CompareResponsesRequest, SummarizeResponsesRequest
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

    def compare_responses(
        self,
        project_id: str,
        *,
        simulation_id: str = "",
        group_id: str = "",
        model: str = "",
        other_simulation_id: str = "",
        other_group_id: str = "",
        other_model: str = "",
        targets: Sequence[TargetDistribution] = (),
        page_size: int = 0,
        timeout: float | None = None,
    ) -> list[QuestionComparison]:
        """Return how a selection's answers differ from another's, or from targets, by question.

        `adjusted_p` is adjusted over all of them. Raises as `summarize_responses` does.
        """
        request = CompareResponsesRequest(
            project_id=project_id,
            simulation_id=simulation_id,
            group_id=group_id,
            model=model,
            other_simulation_id=other_simulation_id,
            other_group_id=other_group_id,
            other_model=other_model,
            targets=targets,
            page_size=page_size,
        )
        pages = list(self._pages(self._comparison.CompareResponses, request, timeout))
        found = [one for page in pages for one in page.comparisons]
        if len(pages) > 1:  # else it is adjusted over the only one
            _adjust([one.distance for one in found if one.HasField("distance")])
            _adjust([one.mean_difference for one in found if one.HasField("mean_difference")])
        return found


def _adjust(tests: Sequence[DistributionDistance | MeanDifference]) -> None:
    """Adjust every p over all (Benjamini and Hochberg 1995)."""
    least = 1.0
    ordered = sorted(tests, key=lambda test: test.p, reverse=True)
    for i, test in enumerate(ordered):
        least = min(least, test.p * len(ordered) / (len(ordered) - i))
        test.adjusted_p = least

"""The calls of ComparisonService."""

from collections.abc import Iterable, Iterator, Sequence

from persona.v1.comparison_pb2 import (
    DistributionDistance,
    MeanDifference,
    QuestionComparison,
    QuestionSummary,
    TargetDistribution,
)
from persona.v1.comparison_service_pb2 import (
    CompareResponsesRequest,
    MeasureFidelityRequest,
    MeasureGroupFidelityRequest,
    RecordReferenceAnswersRequest,
    SummarizeResponsesRequest,
)
from persona.v1.comparison_service_pb2_grpc import ComparisonServiceStub
from persona.v1.fidelity_pb2 import Fidelity, QuestionFidelity, ReferenceAnswer
from persona_client.calls import Caller, Connection
from persona_client.transfer.batches import split_messages
from persona_client.transfer.sending import is_there, request_ids, send_all


class ComparisonCalls(Caller):
    """What groups of individuals answered. Every method raises PersonaError."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._comparison = ComparisonServiceStub(self._channel)

    def summarize_responses(
        self,
        project_id: str = "",
        *,
        simulation_id: str = "",
        group_id: str = "",
        question_key: str = "",
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
            question_key=question_key,
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
        question_key: str = "",
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
            question_key=question_key,
            page_size=page_size,
        )
        pages = list(self._pages(self._comparison.CompareResponses, request, timeout))
        found = [one for page in pages for one in page.comparisons]
        if len(pages) > 1:  # else it is adjusted over the only one
            _adjust_all(found)
        return found

    def record_reference_answers(
        self,
        project_id: str,
        group_id: str,
        answers: Iterable[ReferenceAnswer],
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> int:
        """Record what the people that personas stand for answered; return how many are new.

        So are those that differ from what was recorded of the same individual and question, which
        they replace, with its retest. Batches are as those of `record_responses`. Raises
        PersonaNotFound (`metadata["indexes"]` and `violations` name the answers to drop, by their
        place in the batch), InvalidField.
        """
        ids = request_ids(request_id)

        def record(batch: list[ReferenceAnswer]) -> Iterable[int]:
            request = RecordReferenceAnswersRequest(
                project_id=project_id,
                group_id=group_id,
                reference_answers=batch,
                request_id=next(ids),
                validate_only=validate_only,
            )
            method = self._comparison.RecordReferenceAnswers
            return (self._mutate(method, request, timeout).recorded_count,)

        are_there = bool(request_id) or is_there(answers)
        return sum(send_all(split_messages(answers), record, are_there=are_there))

    def measure_fidelity(
        self,
        project_id: str,
        group_id: str,
        persona_id: str,
        *,
        simulation_id: str = "",
        model: str = "",
        timeout: float | None = None,
    ) -> Fidelity:
        """Return how far a persona answers as its person, by its latest answers in the project.

        Or by its first ones in a simulation, or those of a model. Raises ProjectNotFound,
        SimulationNotFound, PersonaGroupNotFound, PersonaNotFound.
        """
        request = MeasureFidelityRequest(
            project_id=project_id,
            group_id=group_id,
            persona_id=persona_id,
            simulation_id=simulation_id,
            model=model,
        )
        return self._call(self._comparison.MeasureFidelity, request, timeout).fidelity

    def measure_group_fidelity(
        self,
        project_id: str,
        group_id: str,
        *,
        simulation_id: str = "",
        model: str = "",
        question_key: str = "",
        page_size: int = 0,
        timeout: float | None = None,
    ) -> list[QuestionFidelity]:
        """Return how far a group answers as its people, by question, each and all together.

        `adjusted_p` is adjusted over all of them. Raises as `summarize_responses` does.
        """
        request = MeasureGroupFidelityRequest(
            project_id=project_id,
            group_id=group_id,
            simulation_id=simulation_id,
            model=model,
            question_key=question_key,
            page_size=page_size,
        )
        pages = list(self._pages(self._comparison.MeasureGroupFidelity, request, timeout))
        found = [one for page in pages for one in page.questions]
        if len(pages) > 1:
            _adjust_all([one.comparison for one in found])
        return found


def _adjust_all(comparisons: Sequence[QuestionComparison]) -> None:
    """Adjust what the server has adjusted over a page over all pages."""
    _adjust([one.distance for one in comparisons if one.HasField("distance")])
    _adjust([one.mean_difference for one in comparisons if one.HasField("mean_difference")])


def _adjust(tests: Sequence[DistributionDistance | MeanDifference]) -> None:
    """Adjust every p over all (Benjamini and Hochberg 1995)."""
    least = 1.0
    ordered = sorted(tests, key=lambda test: test.p, reverse=True)
    for i, test in enumerate(ordered):
        least = min(least, test.p * len(ordered) / (len(ordered) - i))
        test.adjusted_p = least

"""The calls of ResponseService."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from persona.v1.persona_pb2 import Persona
from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import (
    GetResponsePersonaRequest,
    GetResponseRequest,
    ListResponsesRequest,
    RecordResponsesRequest,
    RecordResponsesResponse,
    RecordWarning,
    VoidResponsesRequest,
)
from persona.v1.response_service_pb2_grpc import ResponseServiceStub
from persona_client.calls import Caller, Connection
from persona_client.transfer.batches import split_responses
from persona_client.transfer.sending import is_there, request_ids, send_all


class RecordedResponses(list[Response]):
    """Responses as recorded, in order, and in `warnings` what is suspicious about some of them."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[RecordWarning] = []


class ResponseCalls(Caller):
    """What personas answered. Every method raises PersonaError."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._responses = ResponseServiceStub(self._channel)

    def record_responses(
        self,
        simulation_id: str,
        responses: Iterable[Response],
        *,
        group_id: str = "",
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> RecordedResponses:
        """Record answers of one simulation and return them as recorded, in order.

        What is suspicious, such as a second answer of an individual to one question, stands in
        `warnings` of what is returned; `index` counts from the first answer given.
        `simulation_id` is a UUID of yours; `group_id` names the group in which the
        `persona_external_id` of answers is looked up. More than 1,000 answers, or more than 3 MiB,
        go in several batches, and so do those of an iterator that takes its time: what it has made
        is recorded within about a second. Each batch is all or nothing and gets `timeout` seconds;
        those before a failing one stay. The same request_id with the same answers has its effect
        once, for which batches are sent only when they are full, and so has an answer with an id
        of your own. Raises PersonaNotFound (`metadata["indexes"]` and
        `violations` name the answers to drop, by their place in the batch), InvalidField,
        AlreadyExists.
        """
        ids = request_ids(request_id)

        def record(batch: list[Response]) -> Iterable[RecordResponsesResponse]:
            request = RecordResponsesRequest(
                simulation_id=simulation_id,
                responses=batch,
                group_id=group_id,
                request_id=next(ids),
                validate_only=validate_only,
            )
            return (self._mutate(self._responses.RecordResponses, request, timeout),)

        are_there = bool(request_id) or is_there(responses)
        answers = send_all(split_responses(responses), record, are_there=are_there)
        return _joined(answers)

    def list_responses(
        self,
        *,
        simulation_id: str = "",
        project_id: str = "",
        group_id: str = "",
        persona_id: str = "",
        library_persona_id: str = "",
        question_key: str = "",
        occurred_from: datetime | None = None,
        occurred_before: datetime | None = None,
        recorded_after: datetime | None = None,
        order_by: str = "",
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[Response]:
        """Yield the answers that match every filter given, page by page.

        At least one is, beside the bounds of when they occurred; what is named may be deleted.
        Times have a time zone; `occurred_before` and `recorded_after` are left out themselves.
        `order_by` is "occurred_at" or "recorded_at", or either with " desc". Raises ValueError at
        once for a time without a zone, InvalidField, ProjectNotFound, PersonaGroupNotFound,
        PersonaNotFound, LibraryPersonaNotFound.
        """
        request = ListResponsesRequest(
            simulation_id=simulation_id,
            project_id=project_id,
            group_id=group_id,
            persona_id=persona_id,
            library_persona_id=library_persona_id,
            question_key=question_key,
            occurred_from=_timestamp(occurred_from),
            occurred_before=_timestamp(occurred_before),
            recorded_after=_timestamp(recorded_after),
            order_by=order_by,
            page_size=page_size,
        )
        return self._listed(request, timeout)

    def _listed(self, request: ListResponsesRequest, timeout: float | None) -> Iterator[Response]:
        for page in self._pages(self._responses.ListResponses, request, timeout):
            yield from page.responses

    def get_response(self, response_id: str, *, timeout: float | None = None) -> Response:
        """Return one response. Raises ResponseNotFound."""
        request = GetResponseRequest(response_id=response_id)
        return self._call(self._responses.GetResponse, request, timeout).response

    def void_responses(
        self,
        response_ids: Iterable[str],
        reason: str,
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> int:
        """Mark up to 1,000 responses as void, all or none, and return how many stood until now.

        They stay readable, with `voided_at` and `void_reason`, and nothing measures or counts them
        any more. Raises ResponseNotFound, InvalidField.
        """
        request = VoidResponsesRequest(
            response_ids=response_ids,
            reason=reason,
            request_id=request_id,
            validate_only=validate_only,
        )
        return self._mutate(self._responses.VoidResponses, request, timeout).voided_count

    def void_simulation(
        self,
        simulation_id: str,
        reason: str,
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> int:
        """Mark a simulation as void with all responses in it, and return how many stood until now.

        Nothing can be recorded in it any more. What is counted in its project follows within
        seconds. Raises SimulationNotFound, InvalidField.
        """
        request = VoidResponsesRequest(
            simulation_id=simulation_id,
            reason=reason,
            request_id=request_id,
            validate_only=validate_only,
        )
        return self._mutate(self._responses.VoidResponses, request, timeout).voided_count

    def get_response_persona(self, response_id: str, *, timeout: float | None = None) -> Persona:
        """Return the persona as it was when it gave a response. Raises ResponseNotFound."""
        request = GetResponsePersonaRequest(response_id=response_id)
        return self._call(self._responses.GetResponsePersona, request, timeout).persona


def _joined(answers: Iterable[RecordResponsesResponse]) -> RecordedResponses:
    recorded = RecordedResponses()
    for answer in answers:
        for warning in answer.warnings:
            warning.index += len(recorded)
            recorded.warnings.append(warning)
        recorded.extend(answer.responses)
    return recorded


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    if time.tzinfo is None:
        raise ValueError("A time needs a time zone, such as datetime.UTC.")
    found = Timestamp()
    found.FromDatetime(time)
    return found

"""The calls of ResponseService."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from persona.v1.persona_pb2 import Persona
from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import (
    GetResponsePersonaRequest,
    ListResponsesRequest,
    RecordResponsesRequest,
)
from persona.v1.response_service_pb2_grpc import ResponseServiceStub
from persona_client.batches import split_responses
from persona_client.calls import Caller
from persona_client.retry import RetryPolicy
from persona_client.sending import is_there, request_ids, send_all


class ResponseCalls(Caller):
    """What personas answered. Every method raises PersonaError."""

    def __init__(self, address: str, token: str, timeout: float, retry: RetryPolicy) -> None:
        super().__init__(address, token, timeout, retry)
        self._responses = ResponseServiceStub(self._channel)

    def record_responses(
        self,
        simulation_id: str,
        responses: Iterable[Response],
        *,
        group_id: str = "",
        request_id: str = "",
        timeout: float | None = None,
    ) -> list[Response]:
        """Record answers of one simulation and return them as recorded, in order.

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

        def record(batch: list[Response]) -> Iterable[Response]:
            request = RecordResponsesRequest(
                simulation_id=simulation_id,
                responses=batch,
                group_id=group_id,
                request_id=next(ids),
            )
            return self._mutate(self._responses.RecordResponses, request, timeout).responses

        are_there = bool(request_id) or is_there(responses)
        return send_all(split_responses(responses), record, are_there=are_there)

    def list_responses(
        self,
        *,
        simulation_id: str | None = None,
        project_id: str | None = None,
        persona_id: str | None = None,
        library_persona_id: str | None = None,
        question_key: str = "",
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[Response]:
        """Yield the answers of a simulation, project, persona or library persona, page by page.

        Oldest first. Exactly one of the four is named, deleted or not; times have a time zone, and
        the end is left out. Raises ValueError at once for anything else, ProjectNotFound,
        PersonaNotFound, LibraryPersonaNotFound.
        """
        parents = {
            "simulation_id": simulation_id,
            "project_id": project_id,
            "persona_id": persona_id,
            "library_persona_id": library_persona_id,
        }
        parent = {name: value for name, value in parents.items() if value is not None}
        if len(parent) != 1:
            raise ValueError(f"Name exactly one of {', '.join(parents)}.")
        request = ListResponsesRequest(
            **parent,
            question_key=question_key,
            start_time=_timestamp(start_time),
            end_time=_timestamp(end_time),
            page_size=page_size,
        )
        return self._listed(request, timeout)

    def _listed(self, request: ListResponsesRequest, timeout: float | None) -> Iterator[Response]:
        for page in self._pages(self._responses.ListResponses, request, timeout):
            yield from page.responses

    def get_response_persona(self, response_id: str, *, timeout: float | None = None) -> Persona:
        """Return the persona as it was when it gave a response. Raises ResponseNotFound."""
        request = GetResponsePersonaRequest(response_id=response_id)
        return self._call(self._responses.GetResponsePersona, request, timeout).persona


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    if time.tzinfo is None:
        raise ValueError("A time needs a time zone, such as datetime.UTC.")
    found = Timestamp()
    found.FromDatetime(time)
    return found

"""The calls of PersonaService."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import TypedDict, Unpack

from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import (
    BatchCreatePersonasRequest,
    BatchGetPersonasRequest,
    CountPersonasRequest,
    CreatePersonaRequest,
    DeleteAllPersonasRequest,
    DeletePersonaRequest,
    ExportPersonasRequest,
    ExportPersonasResponse,
    GetPersonaRequest,
    ImportPersonasRequest,
    ImportPersonasResponse,
    ListPersonasRequest,
)
from persona.v1.persona_service_pb2_grpc import PersonaServiceStub
from persona_client.batches import split_batches
from persona_client.calls import Caller
from persona_client.errors import PersonaError
from persona_client.importing import Importer, OnAcknowledged, OnRefused
from persona_client.retry import Backoff, RetryPolicy
from persona_client.streams import STREAM_TIMEOUT, ResponseStream


class ProfileFilters(TypedDict, total=False):
    """What personas to list, of a group or of the library; "" and 0 are no filter.

    gender and income_level match whole, location and occupation as substrings, all case-folded;
    ages are years, inclusive.
    """

    gender: str
    income_level: str
    location: str
    occupation: str
    age_min: int
    age_max: int


class PersonaFilters(ProfileFilters, total=False):
    """What personas to list, export or count.

    external_id and attributes match verbatim, full_name whole and case-folded.
    """

    external_id: str
    full_name: str
    attributes: dict[str, str]


class PersonaCalls(Caller):
    """Personas of a group. Every method raises PersonaError, NotFound for a missing parent."""

    def __init__(self, address: str, token: str, timeout: float, retry: RetryPolicy) -> None:
        super().__init__(address, token, timeout, retry)
        self._personas = PersonaServiceStub(self._channel)

    def list_personas(
        self,
        project_id: str,
        group_id: str,
        *,
        page_size: int = 0,
        timeout: float | None = None,
        **filters: Unpack[PersonaFilters],
    ) -> Iterator[Persona]:
        """Yield a group's personas, oldest first, page by page.

        "-" in place of `group_id` means all groups of the project, one after the other.
        """
        request = ListPersonasRequest(
            project_id=project_id, group_id=group_id, page_size=page_size, **filters
        )
        for page in self._pages(self._personas.ListPersonas, request, timeout):
            yield from page.personas

    def get_persona(
        self, project_id: str, group_id: str, persona_id: str, *, timeout: float | None = None
    ) -> Persona:
        """Return one persona. Raises PersonaNotFound."""
        request = GetPersonaRequest(project_id=project_id, group_id=group_id, persona_id=persona_id)
        return self._call(self._personas.GetPersona, request, timeout).persona

    def batch_get_personas(
        self,
        project_id: str,
        group_id: str,
        persona_ids: Iterable[str],
        *,
        timeout: float | None = None,
    ) -> list[Persona]:
        """Return up to 1,000 personas, 3 MiB in total, in the order of their ids.

        Raises PersonaNotFound (`metadata["indexes"]` and `violations` name the ids to drop),
        MessageTooLarge.
        """
        request = BatchGetPersonasRequest(
            project_id=project_id, group_id=group_id, persona_ids=persona_ids
        )
        return list(self._call(self._personas.BatchGetPersonas, request, timeout).personas)

    def count_personas(
        self,
        project_id: str,
        group_id: str,
        *,
        timeout: float | None = None,
        **filters: Unpack[PersonaFilters],
    ) -> int:
        """Return how many personas of a group match, counted in as many calls as that takes."""
        request = CountPersonasRequest(project_id=project_id, group_id=group_id, **filters)
        parts = self._pages(self._personas.CountPersonas, request, timeout)
        return sum(part.count for part in parts)

    def find_persona(
        self, project_id: str, group_id: str, external_id: str, *, timeout: float | None = None
    ) -> Persona | None:
        """Return the persona that has an external id in a group, None if there is none."""
        found = self.list_personas(project_id, group_id, timeout=timeout, external_id=external_id)
        return next(found, None)

    def create_persona(
        self,
        project_id: str,
        group_id: str,
        persona: Persona,
        *,
        request_id: str = "",
        timeout: float | None = None,
    ) -> Persona:
        """Add one persona and return it as stored. Raises InvalidField, AlreadyExists."""
        request = CreatePersonaRequest(
            project_id=project_id, group_id=group_id, persona=persona, request_id=request_id
        )
        return self._mutate(self._personas.CreatePersona, request, timeout).persona

    def batch_create_personas(
        self,
        project_id: str,
        group_id: str,
        personas: Iterable[Persona],
        *,
        request_id: str = "",
        timeout: float | None = None,
    ) -> list[Persona]:
        """Add personas and return them as stored, in order.

        More than 1,000 of them, or more than 3 MiB, go in several batches. Each batch is all or
        nothing and gets `timeout` seconds; those before a failing one stay. The same request_id
        with the same personas has its effect once. Raises InvalidField, AlreadyExists. For tens of
        thousands use `import_personas`.
        """
        base = request_id or str(uuid.uuid4())
        stored: list[Persona] = []
        for i, batch in enumerate(split_batches(personas)):
            request = BatchCreatePersonasRequest(
                project_id=project_id,
                group_id=group_id,
                personas=batch,
                request_id=base if i == 0 else str(uuid.uuid5(uuid.UUID(base), str(i))),
            )
            answer = self._mutate(self._personas.BatchCreatePersonas, request, timeout)
            stored.extend(answer.personas)
        return stored

    def delete_persona(
        self,
        project_id: str,
        group_id: str,
        persona_id: str,
        *,
        request_id: str = "",
        timeout: float | None = None,
    ) -> None:
        """Delete one persona. Raises PersonaNotFound."""
        request = DeletePersonaRequest(
            project_id=project_id, group_id=group_id, persona_id=persona_id, request_id=request_id
        )
        self._mutate(self._personas.DeletePersona, request, timeout)

    def delete_all_personas(
        self,
        project_id: str,
        group_id: str,
        *,
        request_id: str = "",
        timeout: float | None = None,
    ) -> int:
        """Empty a group in one step and return how many personas it held."""
        request = DeleteAllPersonasRequest(
            project_id=project_id, group_id=group_id, request_id=request_id
        )
        return self._mutate(self._personas.DeleteAllPersonas, request, timeout).deleted_count

    def import_personas(
        self,
        project_id: str,
        group_id: str,
        batches: Iterable[Sequence[Persona]],
        import_id: str,
        *,
        resume_from: int = 0,
        on_acknowledged: OnAcknowledged | None = None,
        on_refused: OnRefused | None = None,
    ) -> ImportPersonasResponse:
        """Send batches over one stream until all are on disk; return the last acknowledgement.

        `import_id` is a UUID of yours: calling again with it and the same batches resumes, and
        nothing is lost or written twice. `batches` are numbered from `resume_from` + 1; those that
        the service has already are taken from the iterable and dropped. Each holds 1 to 1,000
        personas and 3 MiB (see `split_batches`); a few are in flight at once, so that the iterable
        may be of any length. After UNAVAILABLE the stream is opened again, as long as it gets ahead
        within a minute.

        `on_acknowledged` is called with every acknowledgement, the one of the opening included.
        `on_refused` is called with a batch that InvalidField or AlreadyExists refuses, and returns
        what to send in its place: fewer personas, or none to leave the batch out.
        Raises ImportGap, ImportConflict, and what `on_refused` did not mend.
        """
        first = ImportPersonasRequest(project_id=project_id, group_id=group_id, import_id=import_id)
        importer = Importer(
            lambda requests: self._personas.ImportPersonas(requests, metadata=self._metadata),
            first,
            iter(batches),
            resume_from,
            on_acknowledged=on_acknowledged,
            on_refused=on_refused,
        )
        return importer.run(Backoff(self._retry, STREAM_TIMEOUT))

    def export_chunks(
        self,
        project_id: str,
        group_id: str,
        *,
        resume_token: str = "",
        **filters: Unpack[PersonaFilters],
    ) -> Iterator[ExportPersonasResponse]:
        """Yield a group in chunks, oldest first; each has the token that continues after it.

        After UNAVAILABLE the stream goes on where it broke. Raises InvalidPageToken.
        """
        request = ExportPersonasRequest(
            project_id=project_id, group_id=group_id, resume_token=resume_token, **filters
        )
        backoff = Backoff(self._retry, STREAM_TIMEOUT)
        while True:
            answers = ResponseStream(
                self._personas.ExportPersonas(request, metadata=self._metadata)
            )
            try:
                while (chunk := answers.next()) is not None:
                    request.resume_token = chunk.resume_token
                    yield chunk
                    backoff.reset()
                return
            except PersonaError as error:
                failure = error
            finally:
                answers.close()
            backoff.wait(failure)

    def export_personas(
        self, project_id: str, group_id: str, **filters: Unpack[PersonaFilters]
    ) -> Iterator[Persona]:
        """Yield a group's personas, oldest first, over one stream that resumes by itself."""
        for chunk in self.export_chunks(project_id, group_id, **filters):
            yield from chunk.personas

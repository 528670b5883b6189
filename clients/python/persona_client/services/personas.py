"""The calls of PersonaService."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Unpack

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
    ImportStart,
    ListPersonasRequest,
)
from persona.v1.persona_service_pb2_grpc import PersonaServiceStub
from persona_client.calls import Caller, Connection
from persona_client.errors import PersonaError
from persona_client.filters import PersonaFilters
from persona_client.retry import Backoff
from persona_client.transfer.batches import split_batches
from persona_client.transfer.importing import Importer, OnAcknowledged, OnRefused
from persona_client.transfer.sending import is_there, request_ids, send_all
from persona_client.transfer.streams import STREAM_TIMEOUT, ResponseStream


class PersonaCalls(Caller):
    """Personas of a group. Every method raises PersonaError, NotFound for a missing parent."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
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
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> Persona:
        """Add one persona and return it as stored. Raises InvalidField, AlreadyExists."""
        request = CreatePersonaRequest(
            project_id=project_id,
            group_id=group_id,
            persona=persona,
            request_id=request_id,
            validate_only=validate_only,
        )
        return self._mutate(self._personas.CreatePersona, request, timeout).persona

    def batch_create_personas(
        self,
        project_id: str,
        group_id: str,
        personas: Iterable[Persona],
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> list[Persona]:
        """Add personas and return them as stored, in order.

        More than 1,000 of them, or more than 3 MiB, go in several batches, and so do those of an
        iterator that takes its time: what it has made is stored within about a second. Each batch
        is all or nothing and gets `timeout` seconds; those before a failing one stay. The same
        request_id with the same personas has its effect once, for which batches are sent only when
        they are full. Raises InvalidField, AlreadyExists. For tens of thousands use
        `import_personas`.
        """
        ids = request_ids(request_id)

        def create(batch: list[Persona]) -> Iterable[Persona]:
            request = BatchCreatePersonasRequest(
                project_id=project_id,
                group_id=group_id,
                personas=batch,
                request_id=next(ids),
                validate_only=validate_only,
            )
            return self._mutate(self._personas.BatchCreatePersonas, request, timeout).personas

        are_there = bool(request_id) or is_there(personas)
        return send_all(split_batches(personas), create, are_there=are_there)

    def delete_persona(
        self,
        project_id: str,
        group_id: str,
        persona_id: str,
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Delete one persona. Raises PersonaNotFound."""
        request = DeletePersonaRequest(
            project_id=project_id,
            group_id=group_id,
            persona_id=persona_id,
            request_id=request_id,
            validate_only=validate_only,
        )
        self._mutate(self._personas.DeletePersona, request, timeout)

    def delete_all_personas(
        self,
        project_id: str,
        group_id: str,
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> int:
        """Empty a group in one step and return how many personas it held."""
        request = DeleteAllPersonasRequest(
            project_id=project_id,
            group_id=group_id,
            request_id=request_id,
            validate_only=validate_only,
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
        validate_only: bool = False,
        on_acknowledged: OnAcknowledged | None = None,
        on_refused: OnRefused | None = None,
    ) -> ImportPersonasResponse:
        """Send batches over one stream until all are on disk; return the last acknowledgement.

        `batches` are `split_batches` of personas that may take any time to be made: what is made
        is on disk within about a second, and kept if the iterable raises. Or they are batches of
        your own, each of 1 to 1,000 personas and 3 MiB. A few are in flight at once, so that there
        may be any number. After UNAVAILABLE the stream is opened again, as long as it gets ahead
        within a minute, and so is one on which nothing was sent for long.

        `import_id` is a UUID of yours: calling again with it and the same personas, or batches of
        your own, resumes, and nothing is lost or written twice: as many as the service has are
        taken from the iterable and dropped. `resume_from` says that it begins after so many
        batches. What `on_refused` has dropped must be left out then, or batches be your own. With
        `validate_only` the service checks each batch and takes none.

        The iterable and the callbacks are called in your thread, so that an error of the service
        is raised when the iterable has made its next persona.
        `on_acknowledged` is called with every acknowledgement, the one of the opening included.
        `on_refused` is called with a batch that InvalidField or AlreadyExists refuses, and returns
        what to send in its place: fewer personas, or none to leave the batch out.
        Raises ImportGap, ImportConflict, and what `on_refused` did not mend.
        """
        start = ImportStart(
            project_id=project_id,
            group_id=group_id,
            import_id=import_id,
            validate_only=validate_only,
        )
        importer = Importer(
            lambda requests: self._personas.ImportPersonas(requests, metadata=self._metadata),
            ImportPersonasRequest(start=start),
            batches,
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

        After UNAVAILABLE the stream goes on where it broke. You may take any time over a chunk: no
        stream stays open for it. Raises InvalidPageToken.
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
                    with answers.left_if_busy():
                        yield chunk
                    backoff.reset()
                return
            except PersonaError as error:
                failure = error
            finally:
                answers.close()
            if not answers.was_left:
                backoff.wait(failure)

    def export_personas(
        self, project_id: str, group_id: str, **filters: Unpack[PersonaFilters]
    ) -> Iterator[Persona]:
        """Yield a group's personas, oldest first, each once; you may take any time over each."""
        for chunk in self.export_chunks(project_id, group_id, **filters):
            yield from chunk.personas

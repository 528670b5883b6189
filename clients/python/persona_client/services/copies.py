"""Copies of personas, by ids or group by group."""

from collections.abc import Iterator, Sequence
from typing import Unpack

from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import CopyPersonasRequest
from persona_client.filters import PersonaFilters
from persona_client.services.personas import PersonaCalls
from persona_client.transfer.batches import split_batches


class CopyCalls(PersonaCalls):
    """The calls of PersonaService, and those that put one group's personas into another."""

    def copy_personas(
        self,
        project_id: str,
        group_id: str,
        source_project_id: str,
        source_group_id: str,
        persona_ids: Sequence[str],
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> list[Persona]:
        """Copy 1 to 1,000 personas of another group into a group, all or none, and return them.

        Raises PersonaNotFound, and MessageTooLarge if they have more than 3 MiB together; for a
        whole group use `copy_group`.
        """
        request = CopyPersonasRequest(
            project_id=project_id,
            group_id=group_id,
            source_project_id=source_project_id,
            source_group_id=source_group_id,
            persona_ids=persona_ids,
            request_id=request_id,
            validate_only=validate_only,
        )
        return list(self._mutate(self._personas.CopyPersonas, request, timeout).personas)

    def copy_group(
        self,
        project_id: str,
        group_id: str,
        source_project_id: str,
        source_group_id: str,
        *,
        timeout: float | None = None,
        **filters: Unpack[PersonaFilters],
    ) -> Iterator[Persona]:
        """Copy a group's personas, or those that filters match, and yield the copies, oldest first.

        Each batch of up to 1,000 is all or none; those before a failing one stay. Nothing is copied
        before the first copy is taken.
        """
        source = source_project_id, source_group_id
        for batch in split_batches(self.list_personas(*source, timeout=timeout, **filters)):
            ids = [persona.id for persona in batch]
            yield from self.copy_personas(project_id, group_id, *source, ids, timeout=timeout)

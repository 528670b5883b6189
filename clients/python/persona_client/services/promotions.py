"""Promotions of several personas, by ids or group by group."""

from collections.abc import Iterator, Sequence

from persona.v1.library_pb2 import Promotion
from persona.v1.library_service_pb2 import PromotePersonasRequest
from persona_client.services.library import LibraryCalls


class PromotionCalls(LibraryCalls):
    """The calls of the library, and those that take several individuals into it."""

    def promote_personas(
        self,
        project_id: str,
        group_id: str,
        persona_ids: Sequence[str],
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> list[Promotion]:
        """Take those of 1 to 100 individuals into the library that are reliable, each by itself.

        Returns what became of each, in their order. Raises ProjectNotFound, PersonaGroupNotFound;
        for a whole group use `promote_group`.
        """
        if not persona_ids:  # which would be a page of the group
            return []
        request = PromotePersonasRequest(
            project_id=project_id,
            group_id=group_id,
            persona_ids=persona_ids,
            request_id=request_id,
            validate_only=validate_only,
        )
        return list(self._mutate(self._library.PromotePersonas, request, timeout).promotions)

    def promote_group(
        self,
        project_id: str,
        group_id: str,
        *,
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> Iterator[Promotion]:
        """Take those of a group that are reliable, and yield what became of each, oldest first.

        Up to 100 are promoted at once, when the first of them is taken; `timeout` bounds each call.
        Raises ProjectNotFound, PersonaGroupNotFound.
        """
        request = PromotePersonasRequest(
            project_id=project_id, group_id=group_id, validate_only=validate_only
        )
        while True:
            request.request_id = ""  # each page has one of its own
            page = self._mutate(self._library.PromotePersonas, request, timeout)
            yield from page.promotions
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

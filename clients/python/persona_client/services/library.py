"""The calls of LibraryService, and of lineage."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Unpack

from persona.v1.library_pb2 import LibraryMatch, LibraryPersona, LibraryPersonaProject
from persona.v1.library_service_pb2 import (
    GetAttitudeTimelineRequest,
    GetLibraryPersonaAttitudeTimelineRequest,
    GetLibraryPersonaReliabilityRequest,
    GetLibraryPersonaRequest,
    GetReliabilityRequest,
    ListLibraryPersonaProjectsRequest,
    ListLibraryPersonasRequest,
    ListReliabilitiesRequest,
    MatchLibraryPersonasRequest,
    PromotePersonaRequest,
    RetireLibraryPersonaRequest,
    ReuseLibraryPersonasRequest,
)
from persona.v1.library_service_pb2_grpc import LibraryServiceStub
from persona.v1.measures_pb2 import PersonaReliability, QuestionTimeline, Reliability
from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import GetPersonaLineageRequest
from persona.v1.persona_service_pb2_grpc import PersonaServiceStub
from persona_client.calls import Caller, Connection
from persona_client.filters import ProfileFilters


class LibraryFilters(ProfileFilters, total=False):
    """What library personas to list, and in which order.

    `attributes` match verbatim; `lower_bound_min` is for the lower bound of reliability at
    promotion; `order_by` is "lower_bound", "project_count" or "created_at", with " desc" for
    descending ("" is "lower_bound desc").
    """

    attributes: dict[str, str]
    lower_bound_min: float
    include_retired: bool
    order_by: str


class Lineage(NamedTuple):
    """The individual underneath a persona, None if it is not in the library, and all its uses."""

    library_persona: LibraryPersona | None
    personas: list[LibraryPersonaProject]


class LibraryCalls(Caller):
    """Reliability, the library, and attitudes over time. Every method raises PersonaError."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._library = LibraryServiceStub(self._channel)
        self._lineage = PersonaServiceStub(self._channel)

    def get_reliability(
        self, project_id: str, group_id: str, persona_id: str, *, timeout: float | None = None
    ) -> Reliability:
        """Return how reliably the individual behind a persona answers, deleted or not.

        Raises PersonaNotFound.
        """
        request = GetReliabilityRequest(
            project_id=project_id, group_id=group_id, persona_id=persona_id
        )
        return self._call(self._library.GetReliability, request, timeout).reliability

    def get_library_persona_reliability(
        self, library_persona_id: str, *, timeout: float | None = None
    ) -> Reliability:
        """Return how reliably an individual answers, over all its personas.

        Raises LibraryPersonaNotFound.
        """
        request = GetLibraryPersonaReliabilityRequest(library_persona_id=library_persona_id)
        method = self._library.GetLibraryPersonaReliability
        return self._call(method, request, timeout).reliability

    def list_reliabilities(
        self,
        project_id: str,
        group_id: str,
        *,
        order_by: str = "",
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[PersonaReliability]:
        """Yield how reliably each persona of a group answers, oldest first, page by page.

        `order_by` is "coefficient", "lower_bound" or "question_count", with " desc" for
        descending: a group of up to 1,000 personas is then answered as a whole. Raises
        ProjectNotFound, PersonaGroupNotFound, and InvalidField for an order of a larger group.
        """
        request = ListReliabilitiesRequest(
            project_id=project_id, group_id=group_id, order_by=order_by, page_size=page_size
        )
        for page in self._pages(self._library.ListReliabilities, request, timeout):
            yield from page.reliabilities

    def promote_persona(
        self,
        project_id: str,
        group_id: str,
        persona_id: str,
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> LibraryPersona:
        """Take a reliable individual into the library, or return it if it is there.

        Raises NotEligible (whose `reliability` has every rule with its figure), PersonaNotFound.
        """
        request = PromotePersonaRequest(
            project_id=project_id,
            group_id=group_id,
            persona_id=persona_id,
            request_id=request_id,
            validate_only=validate_only,
        )
        return self._mutate(self._library.PromotePersona, request, timeout).library_persona

    def list_library_personas(
        self, *, page_size: int = 0, timeout: float | None = None, **filters: Unpack[LibraryFilters]
    ) -> Iterator[LibraryPersona]:
        """Yield library personas, the most reliable first unless told otherwise, page by page."""
        request = ListLibraryPersonasRequest(page_size=page_size, **filters)
        for page in self._pages(self._library.ListLibraryPersonas, request, timeout):
            yield from page.library_personas

    def get_library_persona(
        self, library_persona_id: str, *, timeout: float | None = None
    ) -> LibraryPersona:
        """Return one library persona, retired or not. Raises LibraryPersonaNotFound."""
        request = GetLibraryPersonaRequest(library_persona_id=library_persona_id)
        return self._call(self._library.GetLibraryPersona, request, timeout).library_persona

    def retire_library_persona(
        self,
        library_persona_id: str,
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> LibraryPersona:
        """End the reuse of an individual, for good. Raises LibraryPersonaNotFound."""
        request = RetireLibraryPersonaRequest(
            library_persona_id=library_persona_id,
            request_id=request_id,
            validate_only=validate_only,
        )
        return self._mutate(self._library.RetireLibraryPersona, request, timeout).library_persona

    def match_library_personas(
        self,
        project_id: str,
        group_id: str,
        *,
        exclude_used_in_project: bool = False,
        min_score: float = 0.0,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[LibraryMatch]:
        """Yield the library personas that fit a group's definition, best first, page by page.

        Raises ProjectNotFound, PersonaGroupNotFound.
        """
        request = MatchLibraryPersonasRequest(
            project_id=project_id,
            group_id=group_id,
            exclude_used_in_project=exclude_used_in_project,
            min_score=min_score,
            page_size=page_size,
        )
        for page in self._pages(self._library.MatchLibraryPersonas, request, timeout):
            yield from page.matches

    def reuse_library_personas(
        self,
        project_id: str,
        group_id: str,
        library_persona_ids: Sequence[str],
        *,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> list[Persona]:
        """Put 1 to 1,000 individuals into a group, all or none; return its new personas, in order.

        Raises LibraryPersonaNotFound, LibraryPersonaRetired, AlreadyExists if one is there, and
        MessageTooLarge if they have more than 3 MiB together.
        """
        request = ReuseLibraryPersonasRequest(
            project_id=project_id,
            group_id=group_id,
            library_persona_ids=library_persona_ids,
            request_id=request_id,
            validate_only=validate_only,
        )
        return list(self._mutate(self._library.ReuseLibraryPersonas, request, timeout).personas)

    def get_attitude_timeline(
        self,
        project_id: str,
        group_id: str,
        persona_id: str,
        *,
        question_key: str = "",
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[QuestionTimeline]:
        """Yield the answers over time of a persona's individual, question by question.

        The persona may be deleted, and need not be in the library. Raises PersonaNotFound.
        """
        request = GetAttitudeTimelineRequest(
            project_id=project_id,
            group_id=group_id,
            persona_id=persona_id,
            question_key=question_key,
            page_size=page_size,
        )
        for page in self._pages(self._library.GetAttitudeTimeline, request, timeout):
            yield from page.timelines

    def get_library_persona_attitude_timeline(
        self,
        library_persona_id: str,
        *,
        question_key: str = "",
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[QuestionTimeline]:
        """Yield an individual's answers over time, question by question, page by page.

        Raises LibraryPersonaNotFound.
        """
        request = GetLibraryPersonaAttitudeTimelineRequest(
            library_persona_id=library_persona_id, question_key=question_key, page_size=page_size
        )
        method = self._library.GetLibraryPersonaAttitudeTimeline
        for page in self._pages(method, request, timeout):
            yield from page.timelines

    def list_library_persona_projects(
        self, library_persona_id: str, *, page_size: int = 0, timeout: float | None = None
    ) -> Iterator[LibraryPersonaProject]:
        """Yield every use of an individual, newest first. Raises LibraryPersonaNotFound."""
        request = ListLibraryPersonaProjectsRequest(
            library_persona_id=library_persona_id, page_size=page_size
        )
        for page in self._pages(self._library.ListLibraryPersonaProjects, request, timeout):
            yield from page.projects

    def get_persona_lineage(
        self,
        project_id: str,
        group_id: str,
        persona_id: str,
        *,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Lineage:
        """Return where a persona comes from, deleted or not, and who shares it, newest first.

        Raises PersonaNotFound.
        """
        request = GetPersonaLineageRequest(
            project_id=project_id, group_id=group_id, persona_id=persona_id, page_size=page_size
        )
        pages = list(self._pages(self._lineage.GetPersonaLineage, request, timeout))
        known = pages[0].HasField("library_persona")
        return Lineage(
            pages[0].library_persona if known else None,
            [link for page in pages for link in page.personas],
        )

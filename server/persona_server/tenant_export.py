"""All that a tenant has, as its callers would read it, and its audit trail beside."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from persona.v1 import library_service_pb2 as library_pb
from persona.v1 import persona_service_pb2 as personas_pb
from persona.v1 import project_service_pb2 as projects_pb
from persona.v1 import response_service_pb2 as responses_pb
from persona.v1 import simulation_service_pb2 as simulations_pb
from persona.v1.fidelity_pb2 import ReferenceAnswer
from persona_server.errors import ServiceError, invalid
from persona_server.measures.individual.policy import Policy
from persona_server.services.call import Call
from persona_server.services.library.service import LibraryService
from persona_server.services.paging import PageTokens
from persona_server.services.personas.page_cache import PageCache
from persona_server.services.personas.service import PersonaService
from persona_server.services.projects.service import ProjectService
from persona_server.services.responses.service import ResponseService
from persona_server.services.simulations.service import SimulationService
from persona_server.storage.erasure.people import OPERATOR
from persona_server.storage.keys import id_text
from persona_server.storage.store import Repositories, Store
from persona_server.validation.requests import validate

After = TypeVar("After")
Row = TypeVar("Row")
_ROWS = 1000  # that are read at a time
_EVER = Timestamp(seconds=1)
_DELETED = {"PROJECT_NOT_FOUND", "PERSONA_GROUP_NOT_FOUND"}  # since it was listed


class TenantExport:
    """Reads one tenant, page by page: what changes meanwhile is in it or not.

    Deleted personas and projects are not in it, but their answers and simulations are.
    """

    def __init__(self, store: Store, tenant: str) -> None:
        tokens = PageTokens(os.urandom(32))
        self._store = store
        self._tenant = tenant
        self._projects = ProjectService(store, tokens)
        self._personas = PersonaService(store, tokens, PageCache(0))
        self._simulations = SimulationService(store, tokens)
        self._responses = ResponseService(store, tokens)
        self._library = LibraryService(store, tokens, Policy())

    def contents(self) -> dict[str, Iterator[Any]]:
        """Return the messages of each kind, by the kind's name."""
        return {
            "projects": self._all_projects(),
            "persona-groups": self._all_groups(),
            "personas": self._all_personas(),
            "simulations": self._all_simulations(),
            "responses": self._all_responses(),
            "library-personas": self._all_library_personas(),
            "reference-answers": self._all_reference_answers(),
        }

    def audit(self) -> Iterator[dict[str, object]]:
        """Yield the rows of the audit trail, oldest first; `at` in microseconds since 1970."""
        for row in self._rows(
            lambda has, after: has.audit.page(after, _ROWS), 0, lambda row: row.id
        ):
            entry = {"at": row.at, **row.entry._asdict()}
            yield {name: _readable(value) for name, value in entry.items()}

    def _all_projects(self) -> Iterator[Any]:
        answer = projects_pb.ListProjectsResponse
        request = projects_pb.ListProjectsRequest()
        for page in self._pages(self._projects.list_projects, request, answer):
            yield from page.projects

    def _all_project_ids(self) -> Iterator[bytes]:
        """Return the ids of all projects, deleted ones too."""
        return self._rows(lambda has, after: has.projects.ids(after, _ROWS), b"", lambda one: one)

    def _all_groups(self) -> Iterator[Any]:
        answer = projects_pb.ListPersonaGroupsResponse
        for project in self._all_projects():
            request = projects_pb.ListPersonaGroupsRequest(project_id=project.id)
            for page in self._pages_of_parent(self._projects.list_persona_groups, request, answer):
                yield from page.persona_groups

    def _all_personas(self) -> Iterator[Any]:
        answer = personas_pb.ListPersonasResponse
        for group in self._all_groups():
            request = personas_pb.ListPersonasRequest(
                project_id=group.project_id, group_id=group.id
            )
            for page in self._pages_of_parent(self._personas.list_personas, request, answer):
                yield from page.personas

    def _all_simulations(self) -> Iterator[Any]:
        answer = simulations_pb.ListSimulationsResponse
        for project in self._all_project_ids():
            request = simulations_pb.ListSimulationsRequest(project_id=id_text(project))
            for page in self._pages(self._simulations.list_simulations, request, answer):
                yield from page.simulations

    def _all_responses(self) -> Iterator[Any]:
        answer = responses_pb.ListResponsesResponse
        request = responses_pb.ListResponsesRequest(recorded_after=_EVER)
        for page in self._pages(self._responses.list_responses, request, answer):
            yield from page.responses

    def _all_library_personas(self) -> Iterator[Any]:
        answer = library_pb.ListLibraryPersonasResponse
        request = library_pb.ListLibraryPersonasRequest(include_retired=True)
        for page in self._pages(self._library.list_library_personas, request, answer):
            yield from page.library_personas

    def _all_reference_answers(self) -> Iterator[Any]:
        rows = self._rows(
            lambda has, after: has.references.page(after, _ROWS), (b"", b""), lambda row: row[:2]
        )
        for _, persona, content in rows:
            message = ReferenceAnswer.FromString(content)
            message.persona_id = id_text(persona)
            yield message

    def _rows(
        self,
        page: Callable[[Repositories, After], Sequence[Row]],
        after: After,
        place: Callable[[Row], After],
    ) -> Iterator[Row]:
        """Yield every row of a list that no RPC pages through, each page behind the last place."""
        while True:
            with self._store.reading(self._tenant) as repositories:
                rows = page(repositories, after)
            yield from rows
            if len(rows) < _ROWS:
                return
            after = place(rows[-1])

    def _pages_of_parent(
        self, method: Callable[[Call, Any], bytes], request: Any, answer: Any
    ) -> Iterator[Any]:
        """Yield every page of a project or group, until it is deleted."""
        try:
            yield from self._pages(method, request, answer)
        except ServiceError as error:
            if error.reason_name not in _DELETED:
                raise

    def _pages(
        self, method: Callable[[Call, Any], bytes], request: Any, answer: Any
    ) -> Iterator[Any]:
        """Yield every page that a method lists."""
        call = Call(method.__name__, self._tenant, OPERATOR)
        while True:
            if found := validate(request):
                raise invalid(found)
            page = answer.FromString(method(call, request))
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def _readable(value: object) -> object:
    return id_text(value) if isinstance(value, bytes) else value

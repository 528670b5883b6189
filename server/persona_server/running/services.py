"""The gRPC services, each over the one store."""

from typing import NamedTuple

from persona_server.measures.individual.policy import Policy
from persona_server.services.comparison.service import ComparisonService
from persona_server.services.library.service import LibraryService
from persona_server.services.paging import PageTokens
from persona_server.services.personas.page_cache import PageCache
from persona_server.services.personas.service import PersonaService
from persona_server.services.projects.service import ProjectService
from persona_server.services.responses.service import ResponseService
from persona_server.services.simulations.service import SimulationService
from persona_server.storage.replica import Replica
from persona_server.storage.store import Store


class Services(NamedTuple):
    """One object for each service of the contract."""

    personas: PersonaService
    projects: ProjectService
    responses: ResponseService
    library: LibraryService
    simulations: SimulationService
    comparison: ComparisonService


def services_of(
    store: Store,
    tokens: PageTokens,
    pages: PageCache,
    replica: Replica | None,
    policy: Policy,
) -> Services:
    """Return all services of a store."""
    return Services(
        PersonaService(store, tokens, pages, replica),
        ProjectService(store, tokens),
        ResponseService(store, tokens),
        LibraryService(store, tokens, policy),
        SimulationService(store, tokens),
        ComparisonService(store, tokens),
    )

"""SimulationService: simulations by name, and what was asked in them."""

from collections.abc import Iterable, Iterator, Sequence

from persona.v1 import simulation_service_pb2 as pb
from persona.v1.simulation_pb2 import Simulation
from persona_server.services.call import Call
from persona_server.services.framing import ELEMENT, frame
from persona_server.services.idempotency import Outcome, audit_entry, mutate
from persona_server.services.paging import NEWEST, PageTokens, fitting, page_limit
from persona_server.services.parents import (
    already_exists,
    name_taken,
    project_not_found,
    require_project,
    simulation_not_found,
)
from persona_server.services.projects.messages import merged, same
from persona_server.services.simulations.messages import asked_message, simulation_message
from persona_server.storage import keys
from persona_server.storage.derived.participation import ALL_QUESTIONS, project_scope
from persona_server.storage.derived.repository import AskedRow
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.simulations import About, SimulationRow
from persona_server.storage.store import Repositories, Store, Transaction
from persona_server.validation.simulations import SIMULATION_FIELDS

_CHUNK = 100  # questions in memory at a time, at most; each has 64 KiB of options at most


class SimulationService:
    """One method per RPC; each takes the call and a validated request."""

    def __init__(self, store: Store, tokens: PageTokens) -> None:
        self._store = store
        self._tokens = tokens

    def create_simulation(self, call: Call, request: pb.CreateSimulationRequest) -> bytes:
        """Make a simulation, or return the same one. Raises ALREADY_EXISTS for an id or a name."""

        def effect(repositories: Transaction) -> Outcome:
            require_project(repositories, request.project_id)
            wanted, now = request.simulation, repositories.now
            simulation = id_bytes(wanted.id or repositories.new_id())
            found = repositories.simulations.find(simulation)
            if found is not None:
                stored = simulation_message(found)
                is_same = same(wanted, stored, SIMULATION_FIELDS)
                other = "" if stored.project_id == request.project_id else "project"
                if other or not is_same:
                    field = "simulation.id"
                    raise already_exists("simulation", field, wanted.id, visible=True, other=other)
                return Outcome(_created(stored), None)
            project = id_bytes(request.project_id)
            _require_free_name(repositories, project, wanted.name)
            repositories.simulations.insert(simulation, project, _about(wanted), now)
            stored = _simulation(repositories, request.project_id, id_text(simulation))
            return Outcome(_created(stored), audit_entry(call, request, simulation_id=simulation))

        return mutate(self._store, call, request, effect)

    def list_simulations(self, call: Call, request: pb.ListSimulationsRequest) -> bytes:
        """Return one page of simulations, newest first. Raises INVALID_PAGE_TOKEN."""
        before = self._tokens.read(call, request, request.page_token, NEWEST)
        limit = page_limit(request.page_size)
        with self._store.reading(call.tenant) as repositories:
            project = _known_project(repositories, request.project_id)
            if request.name:
                named = repositories.simulations.named(project, request.name)
                rows = [] if named is None else [named]
            else:
                rows = repositories.simulations.page(project, before, limit + 1)
        items = (frame(ELEMENT, simulation_message(row).SerializeToString()) for row in rows)
        page, more = fitting(items, limit)
        last = rows[len(page) - 1] if more else None
        return self._tokens.page(
            call, request, page, last and keys.position(last.created_at, last.id)
        )

    def get_simulation(self, call: Call, request: pb.GetSimulationRequest) -> bytes:
        """Return one simulation, of a deleted project too. Raises SIMULATION_NOT_FOUND."""
        with self._store.reading(call.tenant) as repositories:
            simulation = _simulation(repositories, request.project_id, request.simulation_id)
        return pb.GetSimulationResponse(simulation=simulation).SerializeToString()

    def update_simulation(self, call: Call, request: pb.UpdateSimulationRequest) -> bytes:
        """Change the fields of the mask; an update that changes nothing writes nothing."""

        def effect(repositories: Transaction) -> Outcome:
            require_project(repositories, request.project_id)
            stored = _simulation(repositories, request.project_id, request.simulation_id)
            wanted = merged(stored, request.simulation, request.update_mask.paths)
            changed = wanted != stored
            if changed:
                project, simulation = id_bytes(stored.project_id), id_bytes(stored.id)
                if wanted.name != stored.name:
                    _require_free_name(repositories, project, wanted.name)
                now = repositories.now
                repositories.simulations.update(simulation, _about(wanted), now)
                stored = _simulation(repositories, request.project_id, request.simulation_id)
            answer = pb.UpdateSimulationResponse(simulation=stored)
            entry = audit_entry(call, request) if changed else None
            return Outcome(answer.SerializeToString(), entry)

        return mutate(self._store, call, request, effect)

    def list_questions(self, call: Call, request: pb.ListQuestionsRequest) -> bytes:
        """Return one page of the questions of a project or a simulation, as first asked.

        Raises PROJECT_NOT_FOUND, SIMULATION_NOT_FOUND and INVALID_PAGE_TOKEN.
        """
        token = self._tokens.read(call, request, request.page_token, b"")
        after = int.from_bytes(token) if token else ALL_QUESTIONS
        limit = page_limit(request.page_size)
        with self._store.snapshot(call.tenant) as repositories:
            scope = _scope(repositories, request)
            asked = _questions(repositories, scope, after, limit + 1) if scope else ()
            ids: list[int] = []
            page, more = fitting(_framed(asked, ids), limit)
        last = ids[len(page) - 1].to_bytes(8) if more else None
        return self._tokens.page(call, request, page, last)


def _created(simulation: Simulation) -> bytes:
    return pb.CreateSimulationResponse(simulation=simulation).SerializeToString()


def _about(simulation: Simulation) -> About:
    return About(*[getattr(simulation, name) for name in About._fields])


def _known_project(repositories: Repositories, project_id: str) -> bytes:
    """Return the id of a project, deleted or not. Raises PROJECT_NOT_FOUND."""
    project = id_bytes(project_id)
    if repositories.projects.find(project) is None:
        raise project_not_found(project_id)
    return project


def _simulation(repositories: Repositories, project_id: str, simulation_id: str) -> Simulation:
    return simulation_message(_row(repositories, project_id, simulation_id))


def _row(repositories: Repositories, project_id: str, simulation_id: str) -> SimulationRow:
    project = _known_project(repositories, project_id)
    row = repositories.simulations.find(id_bytes(simulation_id))
    if row is None or row.project_id != project:
        raise simulation_not_found(simulation_id)
    return row


def _require_free_name(repositories: Repositories, project: bytes, name: str) -> None:
    if name and (other := repositories.simulations.named(project, name)) is not None:
        raise name_taken("simulation.name", name, id_text(other.id))


def _scope(repositories: Repositories, request: pb.ListQuestionsRequest) -> bytes:
    """Return what the questions are counted in, see derived/participation.py; b"" if none is."""
    if request.simulation_id:
        row = _row(repositories, request.project_id, request.simulation_id)
        return row.id if row.mark is None else b""
    return project_scope(_known_project(repositories, request.project_id))


def _questions(
    repositories: Repositories, scope: bytes, after: int, limit: int
) -> Iterator[tuple[AskedRow, Sequence[str]]]:
    """Yield at most `limit` questions behind one, with their options in declared order."""
    while limit and (chunk := repositories.derived.asked(scope, after, min(limit, _CHUNK))):
        declared = repositories.derived.declared(row.question for row in chunk)
        yield from ((row, declared[row.question]) for row in chunk)
        after, limit = chunk[-1].id, limit - len(chunk)


def _framed(asked: Iterable[tuple[AskedRow, Sequence[str]]], ids: list[int]) -> Iterator[bytes]:
    """Yield questions as elements of an answer, and add the id of each to `ids`."""
    for row, declared in asked:
        ids.append(row.id)
        yield frame(ELEMENT, asked_message(row, declared).SerializeToString())

"""Make what is derived from answers anew, tenant by tenant, from the responses alone."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.message import DecodeError
from peewee import fn

from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import RecordResponsesResponse
from persona_server.storage import keys, tables
from persona_server.storage.derived.answers import NewAnswer, new_answer
from persona_server.storage.derived.participation import Place
from persona_server.storage.derived.repository import DerivedTables
from persona_server.storage.derived.statements import DerivedStatements
from persona_server.storage.engine.database import LOCK_TIMEOUT, Database
from persona_server.storage.engine.errors import driver_errors_translated
from persona_server.storage.engine.statements import Statement, emptied, param
from persona_server.storage.repositories.library import Library, LibraryStatements
from persona_server.storage.repositories.pages import START
from persona_server.storage.repositories.personas import Personas, PersonaStatements
from persona_server.storage.repositories.response_lists import SHOWN, standing
from persona_server.storage.repositories.responses import Stored as StoredResponse
from persona_server.storage.repositories.responses import counted_after
from persona_server.storage.repositories.simulations import Simulations, SimulationStatements
from persona_server.storage.repositories.tenants import Tenants

Stored: TypeAlias = tuple[bytes, bytes, bytes, bytes]  # position, recorded, persona, framed

CHUNK = 5000  # responses in memory at a time, at most; each is of at most 64 KiB


def _uncounted(_responses: int) -> None:
    pass


class Rebuilt(NamedTuple):
    """A tenant that was done: its key, its simulations, and its responses."""

    tenant: int
    simulations: int
    responses: int


class Rebuild:
    """Clears the derived tables and fills them again. Ids of questions stay."""

    def __init__(
        self, database: Database, tenants: Tenants, id_generator: keys.IdGenerator
    ) -> None:
        self._database = database
        self._id_generator = id_generator
        self._tenants = tenants
        self._personas = PersonaStatements(database)
        self._derived = DerivedStatements(database)
        self._counted = counted_after(database)
        self._library = LibraryStatements(database)
        self._void = SimulationStatements(database)
        self._clear_voiding = emptied(database, tables.Voiding.simulation_id)
        simulation, response = tables.Simulation, tables.Response
        self._simulations = Statement(
            database,
            simulation.select(simulation.created_at, simulation.id, simulation.project_id).where(
                (simulation.tenant_id == param("tenant")) & (simulation.id > param("after"))
            ),
        )
        self._count = Statement(database, response.select(fn.COUNT(response.persona_id)))
        self._responses = Statement(
            database,
            response.select(
                response.position, response.recorded, response.persona_id, response.framed
            )
            .where(
                (response.tenant_id == param("tenant"))
                & (response.simulation_id == param("simulation"))
                & (response.position > param("after"))
                & standing(response)
            )
            .order_by(response.position)
            .limit(param("chunk")),
        )

    def run(self, now: int) -> Iterator[Rebuilt]:
        """Rebuild every tenant in a transaction of its own; yield each when it is on disk.

        `now` numbers the questions that had no id. Raises ServiceError if the database is not
        available; what was yielded is done.
        """
        with driver_errors_translated():
            for tenant in self._tenants.all():
                with self._database.write(LOCK_TIMEOUT):
                    self._tenants.hold(tenant)
                    done = self._rebuild(tenant, now)
                yield done

    def within(self, now: int, counted: Callable[[int], object] = _uncounted) -> None:
        """Rebuild every tenant within the transaction that is open.

        `counted` is told how many more responses are done.
        """
        for tenant in self._tenants.all():
            self._rebuild(tenant, now, counted)

    def size(self) -> int:
        """Return how many responses there are, void ones too."""
        ((count,),) = self._count.all()
        return int(count)

    def _rebuild(
        self, tenant: int, now: int, counted: Callable[[int], object] = _uncounted
    ) -> Rebuilt:
        derived = DerivedTables(self._derived, tenant, self._id_generator)
        kept = derived.clear()
        self._settle(tenant)
        # The oldest first, so that new ids of questions have the order in which they were asked.
        simulations = sorted(self._simulations.all(tenant=tenant, after=START))
        count = 0
        for _, simulation, project in simulations:
            place = Place(project, simulation)
            for chunk in self._chunks(tenant, simulation):
                derived.add(place, self._answers(tenant, simulation, chunk), now, kept)
                count += len(chunk)
                counted(len(chunk))
        return Rebuilt(tenant, len(simulations), count)

    def _settle(self, tenant: int) -> None:
        """End what waits of void simulations, of which no answer is added again.

        What the library counts is not made anew: what is counted there still is taken out.
        """
        personas, library = Personas(self._personas, tenant), Library(self._library, tenant)
        for simulation, settled in Simulations(self._void, tenant).voiding().items():
            after, where = settled, {"tenant": tenant, "simulation": simulation, "limit": CHUNK}
            while rows := self._counted.all(after=after, **where):
                gone = [StoredResponse(*row) for row in rows]
                ancestry = personas.ancestry(list({one.persona_id for one in gone}))
                library.uncount_responses([one.persona_id for one in gone], ancestry)
                after = gone[-1].position
        self._clear_voiding.run(tenant=tenant, first=START)

    def _chunks(self, tenant: int, simulation: bytes) -> Iterator[list[Stored]]:
        chunk: list[Any] = [()]
        after = START
        while chunk:
            chunk = self._responses.all(
                tenant=tenant, simulation=simulation, after=after, chunk=CHUNK
            )
            if chunk:
                yield chunk
                after = chunk[-1][0]

    def _answers(self, tenant: int, simulation: bytes, chunk: list[Stored]) -> list[NewAnswer]:
        """Return responses of one simulation as answers."""
        individuals = Personas(self._personas, tenant).individual_of({row[2] for row in chunk})
        answers = []
        for position, recorded, persona, framed in chunk:
            (response,) = RecordResponsesResponse.FromString(framed + SHOWN).responses
            answers.append(_read(response, individuals[persona], simulation, position, recorded))
        return answers


def _read(
    response: Response, individual: bytes, simulation: bytes, position: bytes, recorded: bytes
) -> NewAnswer:
    """Return a stored response as an answer. Raises DecodeError for what nobody could record."""
    try:
        return new_answer(response, individual, simulation, position, recorded)
    except ValueError as error:  # a choice that is none of its options
        raise DecodeError(f"response {response.id} is not what was recorded") from error

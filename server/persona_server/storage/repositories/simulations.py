"""Simulations of one tenant: made by a client or by their first answers, never removed."""

from typing import Any, NamedTuple

from peewee import JOIN, SQL, Tuple, fn

from persona_server.storage import tables
from persona_server.storage.derived.participation import ALL_QUESTIONS
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import NOTHING, exists
from persona_server.storage.engine.statements import (
    Statement,
    column_params,
    param,
    upsert_statement,
)
from persona_server.storage.keys import split_position
from persona_server.storage.repositories.pages import START


class About(NamedTuple):
    """What is said of a simulation; "" is nothing."""

    name: str = ""
    description: str = ""
    model: str = ""
    prompt_version: str = ""


class SimulationRow(NamedTuple):
    """A simulation as stored, with what is counted in it.

    `first` and `last` are positions of responses, (occurred_at, id); None without any.
    """

    id: bytes
    project_id: bytes
    name: str
    description: str
    model: str
    prompt_version: str
    created_at: int
    updated_at: int
    response_count: int
    individual_count: int
    first: bytes | None
    last: bytes | None
    mark: bytes | None  # that of its responses, if it is void


class SimulationStatements:
    """Every statement on simulations, compiled once."""

    def __init__(self, database: Database) -> None:
        simulation, asked = tables.Simulation, tables.Asked
        this = (simulation.tenant_id == param("tenant")) & (simulation.id == param("id"))
        of_project = (simulation.tenant_id == param("tenant")) & (
            simulation.project_id == param("project")
        )
        void = tables.SimulationVoid
        mark = void.select(void.mark).where(
            (void.tenant_id == param("tenant")) & (void.simulation_id == simulation.id)
        )
        counted = (asked.tenant_id == param("tenant")) & (asked.scope == simulation.id)
        counted &= ~exists(mark)
        read = simulation.select(
            *[getattr(simulation, name) for name in SimulationRow._fields[:8]],
            fn.COALESCE(asked.response_count, 0),
            fn.COALESCE(asked.individual_count, 0),
            asked.first,
            asked.last,
            mark,
        ).join(asked, JOIN.LEFT_OUTER, on=counted & (asked.question_id == ALL_QUESTIONS))
        self.find = Statement(database, read.where(this))
        # The second condition is that of the index.
        named = (simulation.name == param("name")) & (simulation.name != NOTHING)
        self.named = Statement(database, read.where(of_project & named))
        place = Tuple(simulation.created_at, simulation.id)
        self.page = Statement(
            database,
            read.where(of_project & (place < Tuple(param("before_at"), param("before_id"))))
            .order_by(simulation.created_at.desc(), simulation.id.desc())
            .limit(param("limit")),
        )
        self.project = Statement(database, simulation.select(simulation.project_id).where(this))
        self._write(database)
        self._void(database)

    def _void(self, database: Database) -> None:
        void, voiding = tables.SimulationVoid, tables.Voiding
        self.void = Statement(database, void.insert(column_params(void)))
        self.is_void = Statement(
            database,
            void.select(SQL("1")).where(
                (void.tenant_id == param("tenant")) & (void.simulation_id == param("simulation"))
            ),
        )
        mine = (voiding.tenant_id == param("tenant")) & (voiding.simulation_id > param("first"))
        self.voiding = Statement(
            database,
            voiding.select(voiding.simulation_id, voiding.after)
            .where(mine)
            .order_by(voiding.simulation_id),
        )
        self.put_voiding = upsert_statement(database, voiding, "after")
        self.drop_voiding = Statement(
            database,
            voiding.delete().where(
                (voiding.tenant_id == param("tenant"))
                & (voiding.simulation_id == param("simulation"))
            ),
        )

    def _write(self, database: Database) -> None:
        simulation = tables.Simulation
        about: dict[Any, Any] = {getattr(simulation, name): param(name) for name in About._fields}
        about[simulation.updated_at] = param("now")
        row = {
            simulation.tenant_id: param("tenant"),
            simulation.id: param("id"),
            simulation.project_id: param("project"),
            simulation.created_at: param("now"),
            **about,
        }
        self.insert = Statement(database, simulation.insert(row))
        this = (simulation.tenant_id == param("tenant")) & (simulation.id == param("id"))
        self.update = Statement(database, simulation.update(about).where(this))


class Simulations:
    """The simulations of one tenant."""

    def __init__(self, statements: SimulationStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def find(self, simulation: bytes) -> SimulationRow | None:
        """Return a simulation; None if there is none of this id."""
        row = self._do.find.first(tenant=self._tenant, id=simulation)
        return None if row is None else SimulationRow(*row)

    def named(self, project: bytes, name: str) -> SimulationRow | None:
        """Return the simulation of a project that has this name, which is not ""."""
        row = self._do.named.first(tenant=self._tenant, project=project, name=name)
        return None if row is None else SimulationRow(*row)

    def page(self, project: bytes, before: bytes, limit: int) -> list[SimulationRow]:
        """Return at most `limit` simulations of a project behind a position, newest first."""
        before_at, before_id = split_position(before)
        rows = self._do.page.all(
            tenant=self._tenant,
            project=project,
            before_at=before_at,
            before_id=before_id,
            limit=limit,
        )
        return [SimulationRow(*row) for row in rows]

    def project(self, simulation: bytes) -> bytes | None:
        """Return the project that a simulation belongs to, None if there is no such simulation."""
        row = self._do.project.first(tenant=self._tenant, id=simulation)
        return None if row is None else bytes(row[0])

    def insert(self, simulation: bytes, project: bytes, about: About, now: int) -> None:
        """Add a simulation whose id and name are free."""
        self._do.insert.run(
            tenant=self._tenant, id=simulation, project=project, now=now, **about._asdict()
        )

    def void(self, simulation: bytes, mark: bytes) -> None:
        """Mark a simulation that stands as void; its answers are taken out by whoever settles."""
        self._do.void.run(tenant=self._tenant, simulation_id=simulation, mark=mark)
        self.settled_until(simulation, START)

    def is_void(self, simulation: bytes) -> bool:
        """Return whether a simulation is void."""
        return self._do.is_void.first(tenant=self._tenant, simulation=simulation) is not None

    def voiding(self) -> dict[bytes, bytes]:
        """Return void simulations with answers that are counted, and behind which position."""
        return dict(self._do.voiding.all(tenant=self._tenant, first=START))

    def settled_until(self, simulation: bytes, position: bytes) -> None:
        """Say that answers up to a position are taken out."""
        self._do.put_voiding.run(tenant=self._tenant, simulation_id=simulation, after=position)

    def settled(self, simulation: bytes) -> None:
        """Say that all answers of a void simulation are taken out."""
        self._do.drop_voiding.run(tenant=self._tenant, simulation=simulation)

    def update(self, simulation: bytes, about: About, now: int) -> None:
        """Overwrite what is said of a simulation that is there; its name must be free."""
        self._do.update.run(tenant=self._tenant, id=simulation, now=now, **about._asdict())

"""Projects of one tenant."""

from typing import Any, NamedTuple

from peewee import Tuple

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.keys import split_position
from persona_server.validation.terms import name_term


class ProjectRow(NamedTuple):
    """A project as stored; `group_count` counts the groups it shows now."""

    id: bytes
    name: str
    description: str
    created_at: int
    updated_at: int
    deleted_at: int | None
    group_count: int


class ProjectStatements:
    """Every statement on projects, compiled once."""

    def __init__(self, database: Database) -> None:
        project = tables.Project
        mine = project.tenant_id == param("tenant")
        this = mine & (project.id == param("id"))
        visible = project.deleted_at.is_null()
        columns = [
            project.id,
            project.name,
            project.description,
            project.created_at,
            project.updated_at,
            project.deleted_at,
            project.group_count,
        ]
        read = project.select(*columns)
        self.find = Statement(database, read.where(this))
        self.ids = Statement(
            database,
            project.select(project.id)
            .where(mine & (project.id > param("after")))
            .order_by(project.id)
            .limit(param("limit")),
        )
        self.exists = Statement(database, project.select(project.id).where(this & visible))
        before = Tuple(project.created_at, project.id) < Tuple(
            param("before_at"), param("before_id")
        )
        listed = (
            read.where(mine & visible & before)
            .order_by(project.created_at.desc(), project.id.desc())
            .limit(param("limit"))
        )
        self.page = Statement(database, listed)
        self.named = Statement(database, listed.where(project.name_term == param("name_term")))
        row: dict[Any, Any] = {
            project.tenant_id: param("tenant"),
            project.id: param("id"),
            project.name: param("name"),
            project.description: param("description"),
            project.created_at: param("now"),
            project.updated_at: param("now"),
            project.name_term: param("name_term"),
        }
        self.insert = Statement(database, project.insert(row))
        changes = {
            project.name: param("name"),
            project.description: param("description"),
            project.updated_at: param("now"),
            project.name_term: param("name_term"),
        }
        self.update = Statement(database, project.update(changes).where(this & visible))
        self.delete = Statement(
            database, project.update({project.deleted_at: param("now")}).where(this & visible)
        )


class Projects:
    """The projects of one tenant."""

    def __init__(self, statements: ProjectStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def exists(self, project: bytes) -> bool:
        """Return whether the project is visible."""
        return self._do.exists.first(tenant=self._tenant, id=project) is not None

    def find(self, project: bytes) -> ProjectRow | None:
        """Return the project, deleted or not; None if the id was never used."""
        row = self._do.find.first(tenant=self._tenant, id=project)
        return None if row is None else ProjectRow(*row)

    def ids(self, after: bytes, limit: int) -> list[bytes]:
        """Return the ids of at most `limit` projects behind one, deleted or not."""
        rows = self._do.ids.all(tenant=self._tenant, after=after, limit=limit)
        return [row[0] for row in rows]

    def page(self, before: bytes, limit: int, name: str = "") -> list[ProjectRow]:
        """Return at most `limit` visible projects, newest first, that come after a position.

        With a name only those that have it, whatever its case.
        """
        before_at, before_id = split_position(before)
        statement = self._do.named if name else self._do.page
        rows = statement.all(
            tenant=self._tenant,
            before_at=before_at,
            before_id=before_id,
            limit=limit,
            name_term=name_term(name),
        )
        return [ProjectRow(*row) for row in rows]

    def insert(self, project: bytes, name: str, description: str, now: int) -> None:
        """Add a project whose id is free."""
        self._do.insert.run(
            tenant=self._tenant,
            id=project,
            name=name,
            description=description,
            now=now,
            name_term=name_term(name),
        )

    def update(self, project: bytes, name: str, description: str, now: int) -> None:
        """Overwrite what can change of a visible project."""
        self._do.update.run(
            tenant=self._tenant,
            id=project,
            name=name,
            description=description,
            now=now,
            name_term=name_term(name),
        )

    def mark_deleted(self, project: bytes, now: int) -> bool:
        """Mark a project; return whether it was visible. Its groups are marked by Groups."""
        return self._do.delete.run(tenant=self._tenant, id=project, now=now) == 1

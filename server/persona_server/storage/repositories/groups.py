"""Persona groups of one tenant, and the sets that their personas belong to."""

from typing import Any, NamedTuple

from peewee import JOIN, SQL, Select, Tuple

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import greater, locking
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.keys import IdGenerator, split_position
from persona_server.validation.terms import name_term


class GroupRow(NamedTuple):
    """A group as stored; `definition` is the encoded PersonaGroup without output-only fields."""

    id: bytes
    project_id: bytes
    definition: bytes
    persona_count: int
    created_at: int
    updated_at: int
    deleted_at: int | None
    set_id: int


class Head(NamedTuple):
    """What a page needs to know first. `set_id` is None where the group is missing."""

    project: bool
    set_id: int | None
    version: int
    max_framed: int


class Locked(NamedTuple):
    """A group whose row this transaction holds."""

    set_id: int
    hidden_set_id: int
    persona_count: int


class GroupStatements:
    """Every statement on groups and sets, compiled once."""

    def __init__(self, database: Database) -> None:
        self._read(database)
        self._write(database)
        self._write_sets(database)

    def _read(self, database: Database) -> None:
        project, group = tables.Project, tables.PersonaGroup
        columns = [getattr(group, name) for name in GroupRow._fields]
        mine = group.tenant_id == param("tenant")
        self.find = Statement(
            database, group.select(*columns).where(mine & (group.id == param("id")))
        )
        of_project = mine & (group.project_id == param("project")) & group.deleted_at.is_null()
        before = Tuple(param("before_at"), param("before_id"))
        listed = (
            group.select(*columns)
            .where(of_project & (Tuple(group.created_at, group.id) < before))
            .order_by(group.created_at.desc(), group.id.desc())
            .limit(param("limit"))
        )
        self.page = Statement(database, listed)
        self.named = Statement(database, listed.where(group.name_term == param("name_term")))
        parents = parents_of(project, group)
        head = (project.id.is_null(False), group.set_id, group.version, group.max_framed)
        self.head = Statement(database, parents.select(*head))
        self.lock = Statement(
            database,
            locking(
                group.select(group.set_id, group.hidden_set_id, group.persona_count).where(
                    mine
                    & (group.id == param("group"))
                    & (group.project_id == param("project"))
                    & group.deleted_at.is_null()
                )
            ),
        )

    def _write(self, database: Database) -> None:
        group = tables.PersonaGroup
        row: dict[Any, Any] = {
            group.tenant_id: param("tenant"),
            group.id: param("id"),
            group.project_id: param("project"),
            group.set_id: param("set"),
            group.hidden_set_id: param("hidden_set"),
            group.version: 0,
            group.persona_count: 0,
            group.max_framed: 0,
            group.definition: param("definition"),
            group.created_at: param("now"),
            group.updated_at: param("now"),
            group.name_term: param("name_term"),
        }
        self.insert = Statement(database, group.insert(row))
        this = (group.tenant_id == param("tenant")) & (group.id == param("group"))
        self.update = Statement(
            database,
            group.update(
                {
                    group.definition: param("definition"),
                    group.updated_at: param("now"),
                    group.name_term: param("name_term"),
                    group.version: group.version + 1,
                }
            ).where(this),
        )
        self.changed = Statement(
            database,
            group.update(
                {
                    group.version: group.version + 1,
                    group.persona_count: group.persona_count + param("difference"),
                    group.max_framed: greater(group.max_framed, param("longest")),
                }
            ).where(this),
        )
        mark = group.update({group.deleted_at: param("now"), group.version: group.version + 1})
        self.delete = Statement(database, mark.where(this & group.deleted_at.is_null()))
        of_project = (group.tenant_id == param("tenant")) & (group.project_id == param("project"))
        visible = of_project & group.deleted_at.is_null()
        self.sets_of_project = Statement(
            database, group.select(group.set_id, group.persona_count).where(visible)
        )
        self.delete_of_project = Statement(database, mark.where(visible))
        project, one = tables.Project, group.alias("one")
        owner = one.select(one.project_id).where(
            (one.tenant_id == param("tenant")) & (one.id == param("group"))
        )
        shows = {project.group_count: project.group_count + param("difference")}
        mine = project.tenant_id == param("tenant")
        self.count_in_project = Statement(
            database, project.update(shows).where(mine & (project.id == owner))
        )
        self.count_none = Statement(
            database,
            project.update({project.group_count: 0}).where(mine & (project.id == param("project"))),
        )

    def _write_sets(self, database: Database) -> None:
        group, persona_set = tables.PersonaGroup, tables.PersonaSet
        row: dict[Any, Any] = {
            persona_set.tenant_id: param("tenant"),
            persona_set.id: param("set"),
            persona_set.group_id: param("group"),
        }
        self.insert_set = Statement(database, persona_set.insert(row))
        self.point_to = Statement(
            database,
            group.update(
                {
                    group.set_id: param("set"),
                    group.persona_count: 0,
                    group.max_framed: 0,
                    group.version: group.version + 1,
                }
            ).where((group.tenant_id == param("tenant")) & (group.id == param("group"))),
        )
        # A mark never overwrites an earlier one: what was deleted first stays deleted then.
        self.drop_set = Statement(
            database,
            persona_set.update(
                {persona_set.dropped_at: param("now"), persona_set.purge_after: param("now")}
            ).where(
                (persona_set.tenant_id == param("tenant"))
                & (persona_set.id == param("set"))
                & persona_set.dropped_at.is_null()
            ),
        )


def parents_of(project: Any, group: Any) -> Any:
    """Return a query of one row that joins the project and then the group named, where visible."""
    return (
        Select((Select(columns=[SQL("1")]).alias("one"),), ())
        .join(
            project,
            JOIN.LEFT_OUTER,
            on=(project.tenant_id == param("tenant"))
            & (project.id == param("project"))
            & project.deleted_at.is_null(),
        )
        .join(
            group,
            JOIN.LEFT_OUTER,
            on=(group.tenant_id == param("tenant"))
            & (group.id == param("group"))
            & (group.project_id == project.id)
            & group.deleted_at.is_null(),
        )
    )


class Groups:
    """The groups of one tenant."""

    def __init__(self, statements: GroupStatements, tenant: int, id_generator: IdGenerator) -> None:
        self._do = statements
        self._tenant = tenant
        self._id_generator = id_generator

    def find(self, group: bytes) -> GroupRow | None:
        """Return the group, deleted or not, of any project; None if the id was never used."""
        row = self._do.find.first(tenant=self._tenant, id=group)
        return None if row is None else GroupRow(*row)

    def page(self, project: bytes, before: bytes, limit: int, name: str = "") -> list[GroupRow]:
        """Return at most `limit` visible groups, newest first, that come after a position.

        With a name only those that have it, whatever its case.
        """
        before_at, before_id = split_position(before)
        rows = (self._do.named if name else self._do.page).all(
            tenant=self._tenant,
            project=project,
            before_at=before_at,
            before_id=before_id,
            limit=limit,
            name_term=name_term(name),
        )
        return [GroupRow(*row) for row in rows]

    def head(self, project: bytes, group: bytes) -> Head:
        """Return which parents are visible, and the group's set, version and longest row."""
        row = self._do.head.first(tenant=self._tenant, project=project, group=group)
        assert row is not None
        return Head(bool(row[0]), *row[1:])

    def lock(self, project: bytes, group: bytes) -> Locked | None:
        """Lock a visible group for this transaction, first in every write; None if missing."""
        row = self._do.lock.first(tenant=self._tenant, project=project, group=group)
        return None if row is None else Locked(*row)

    def insert(
        self, group: bytes, project: bytes, definition: bytes, now: int, name: str = ""
    ) -> None:
        """Add an empty group, with its visible and its hidden set, whose id is free."""
        sets = self._id_generator.next(now), self._id_generator.next(now)
        self._do.insert.run(
            tenant=self._tenant,
            id=group,
            project=project,
            set=sets[0],
            hidden_set=sets[1],
            definition=definition,
            now=now,
            name_term=name_term(name),
        )
        for set_id in sets:
            self._do.insert_set.run(tenant=self._tenant, set=set_id, group=group)
        self._do.count_in_project.run(tenant=self._tenant, group=group, difference=1)

    def update(self, group: bytes, definition: bytes, now: int, name: str) -> None:
        """Overwrite a group's definition, in which it has this name."""
        term = name_term(name)
        self._do.update.run(
            tenant=self._tenant, group=group, definition=definition, now=now, name_term=term
        )

    def changed(self, group: bytes, difference: int, longest: int = 0) -> None:
        """Raise the version and adjust count and longest row: last in every write to personas."""
        self._do.changed.run(
            tenant=self._tenant, group=group, difference=difference, longest=longest
        )

    def swap_set(self, group: bytes, old: int, now: int) -> None:
        """Let a locked group show a new, empty set, and mark the old one."""
        new = self._id_generator.next(now)
        self._do.insert_set.run(tenant=self._tenant, set=new, group=group)
        self._do.point_to.run(tenant=self._tenant, set=new, group=group)
        self._do.drop_set.run(tenant=self._tenant, set=old, now=now)

    def mark_deleted(self, group: bytes, set_id: int, now: int) -> None:
        """Mark a locked group and its visible set; hidden rows carry their own times."""
        marked = self._do.delete.run(tenant=self._tenant, group=group, now=now)
        self._do.count_in_project.run(tenant=self._tenant, group=group, difference=-marked)
        self._do.drop_set.run(tenant=self._tenant, set=set_id, now=now)

    def mark_all_deleted(self, project: bytes, now: int) -> int:
        """Mark every visible group of a project and its set; return how many personas they held."""
        sets = self._do.sets_of_project.all(tenant=self._tenant, project=project)
        self._do.delete_of_project.run(tenant=self._tenant, project=project, now=now)
        self._do.count_none.run(tenant=self._tenant, project=project)
        for set_id, _ in sets:
            self._do.drop_set.run(tenant=self._tenant, set=set_id, now=now)
        return sum(count for _, count in sets)

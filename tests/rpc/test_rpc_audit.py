"""One audit row per committed mutation, read from the database; none for anything else."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from rpc.conftest import Connect
from rpc.test_rpc_retries import MUTATIONS, call

from persona.v1 import project_service_pb2 as projects_pb
from persona_server.storage.keys import id_text
from persona_server.storage.store import open_store
from support.answers import answer, record
from support.data import Place, make_group, make_place, make_project, persona, uid
from support.errors import refusal_of
from support.probe import Probe
from support.service import Service
from support.streams import Import, begun


class Row(NamedTuple):
    """An audit row, its ids as text."""

    method: str
    actor: str
    project: str
    group: str
    persona: str
    number: int | None
    request_id: str


SQL = (
    "SELECT method, actor, project_id, group_id, persona_id, persona_count, request_id FROM audit "
    "WHERE tenant_id = (SELECT id FROM tenant WHERE name = ?) ORDER BY id"
)
New = Callable[[], list[Row]]


@pytest.fixture
def new(service: Service, tenant: str, place: Place) -> Iterator[New]:
    """A function that returns the tenant's audit rows since it was called last."""
    store = open_store(service.place, make=False)
    probe, seen = Probe(store), 0

    def rows() -> list[Row]:
        nonlocal seen
        found = [Row(*map(_text, row)) for row in probe.ask(SQL, tenant)]
        fresh, seen = found[seen:], len(found)
        return fresh

    rows()  # those of making the place
    yield rows
    store.close()


def _text(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bytes):
        assert value, "an id of no bytes"
        return id_text(value)
    return value


@pytest.mark.parametrize("rpc", MUTATIONS)
def test_every_mutation_is_one_row(place: Place, new: New, rpc: str) -> None:
    place.fill(2)
    request, key = MUTATIONS[rpc][1](place), uid()
    new()
    call(place, rpc, request, request_id=key)
    (row,) = new()
    assert (row.method, row.actor, row.request_id) == (rpc, "tests", key)
    for name in ("project", "group", "persona"):
        if given := getattr(request, f"{name}_id", ""):
            assert getattr(row, name) == given
    call(place, rpc, request, request_id=key)  # a retry changes nothing
    assert new() == []


def test_rows_name_what_was_touched(place: Place, new: New, connect: Connect) -> None:
    one, _ = place.fill(2)
    place.create(persona())
    place.delete(one.id)
    place.delete_all()
    found = [(row.method, row.group, row.persona, row.number) for row in new()]
    assert found[0] == ("BatchCreatePersonas", place.group, "", 2)
    assert found[1][0] == "CreatePersona"
    assert found[1][2]
    assert found[2] == ("DeletePersona", place.group, one.id, 1)
    assert found[3] == ("DeleteAllPersonas", place.group, "", 2)
    project = make_project(place.caller)
    group = make_group(place.caller, project.id)
    Place(place.caller, project.id, group.id).fill(3)
    other = connect(subject="somebody")
    other.projects.DeleteProject(projects_pb.DeleteProjectRequest(project_id=project.id))
    rows = new()
    assert [row.method for row in rows] == [
        "CreateProject",
        "CreatePersonaGroup",
        "BatchCreatePersonas",
        "DeleteProject",
    ]
    assert (rows[0].project, rows[1].group) == (project.id, group.id)
    assert (rows[3].actor, rows[3].number) == ("somebody", 3)


def test_what_a_call_does_not_name_is_not_there(place: Place, new: New) -> None:
    """Not an id of no bytes, which nobody would look for."""
    one = place.create(persona())
    record(place.caller, uid(), answer(one.id))
    rows = new()
    assert [row.method for row in rows] == ["CreatePersona", "RecordResponses"]
    assert rows[1].group == ""


def test_an_import_is_one_row_a_batch(place: Place, new: New) -> None:
    stream = Import(place)
    stream.begin()
    assert new() == []
    stream.batch(1, [persona(), persona()])
    stream.batch(1, [persona(), persona()])  # a repeat
    stream.batch(2, [persona()])
    rows = new()
    assert [(row.method, row.group, row.number, row.request_id) for row in rows] == [
        ("ImportPersonas", place.group, 2, stream.import_id),
        ("ImportPersonas", place.group, 1, stream.import_id),
    ]
    refusal_of(lambda: stream.batch(5, [persona()]))
    assert new() == []


def test_reads_leave_none(place: Place, new: New) -> None:
    (one,) = place.fill(1)
    new()
    place.get(one.id)
    place.walk()
    place.export()
    place.described()
    place.caller.projects.ListProjects(projects_pb.ListProjectsRequest())
    assert new() == []


def test_failures_leave_none(place: Place, new: New) -> None:
    taken = place.create(persona(id=uid()))
    new()
    other = make_place(place.caller)
    new()
    for attempt in (
        lambda: place.create(persona(age=-1)),
        lambda: place.create(persona(id=taken.id, full_name="other")),
        lambda: place.batch([persona(), persona(id=taken.id, full_name="other")]),
        lambda: other.create(persona(id=taken.id)),
        lambda: place.delete(uid()),
        lambda: Place(place.caller, uid(), uid()).delete_all(),
        lambda: begun(other).batch(1, [persona(id=taken.id)]),
    ):
        refusal_of(attempt)
        assert new() == []


def test_what_changes_nothing_leaves_none(place: Place, new: New) -> None:
    given = persona(id=uid())
    project, group = make_project(place.caller, id=uid()), make_group(place.caller, place.project)
    new()
    assert place.delete_all(request_id=uid()) == 0
    assert new() == []
    place.create(given)
    assert len(new()) == 1
    place.create(given)
    place.batch([given])
    begun(place).batch(1, [given])
    make_project(place.caller, id=project.id)
    make_group(place.caller, place.project, id=group.id)
    update = projects_pb.UpdateProjectRequest(project_id=project.id)
    update.project.name = project.name
    place.caller.projects.UpdateProject(update)
    same = projects_pb.UpdatePersonaGroupRequest(project_id=place.project, group_id=group.id)
    same.persona_group.name = group.name
    place.caller.projects.UpdatePersonaGroup(same)
    assert new() == []

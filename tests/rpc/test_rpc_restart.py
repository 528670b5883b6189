"""What must hold over a restart: page tokens, kept answers, imports, deleted ids."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from persona.v1.persona_pb2 import Persona
from persona.v1.project_pb2 import Project
from persona.v1.project_service_pb2 import CreateProjectRequest, DeleteProjectRequest
from support.data import Place, make_place, make_project, persona, uid
from support.errors import refusal_of
from support.service import Service, running_service
from support.streams import Import, begun


class Before(NamedTuple):
    """What was done before the restart, and what it answered."""

    place: Place
    personas: list[Persona]
    page_token: str
    resume_token: str
    keys: dict[str, str]
    created: Persona
    batch: list[Persona]
    import_id: str
    project: Project


class Restarted(NamedTuple):
    """What was before, and the same group in the service that runs again."""

    before: Before
    place: Place


def prepare(service: Service) -> Before:
    place = make_place(service.connect())
    personas = place.batch(persona(full_name=f"{i}") for i in range(5))
    page_token = place.page(page_size=2).next_page_token
    resume_token = place.export()[-1].resume_token
    keys = {name: uid() for name in ("create", "batch", "delete", "delete_project", "project")}
    created = place.create(persona(), request_id=keys["create"])
    batch = place.batch([persona(), persona()], request_id=keys["batch"])
    place.delete(batch[0].id, request_id=keys["delete"])
    stream = begun(place)
    stream.batch(1, [persona(full_name="one")])
    stream.drop()
    gone = make_project(place.caller)
    projects = place.caller.projects
    projects.DeleteProject(
        DeleteProjectRequest(project_id=gone.id, request_id=keys["delete_project"])
    )
    project = projects.CreateProject(
        CreateProjectRequest(project=Project(name="Kept"), request_id=keys["project"])
    ).project
    keys["gone"] = gone.id
    return Before(
        place, personas, page_token, resume_token, keys, created, batch, stream.import_id, project
    )


@pytest.fixture(scope="module", params=["SIGTERM", "SIGKILL"])
def restarted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Restarted]:
    """A service that was ended one way or the other, and runs again."""
    folder = tmp_path_factory.mktemp("restart") / "data"
    with running_service(folder, "--rest", "off") as first:
        before = prepare(first)
        if request.param == "SIGKILL":
            first.kill()
    with running_service(folder, "--rest", "off") as second:
        place = Place(second.connect(), before.place.project, before.place.group)
        yield Restarted(before, place)


def test_page_tokens_are_good(restarted: Restarted) -> None:
    before, place = restarted
    rest = place.page(page_size=3, page_token=before.page_token).personas
    assert list(rest) == before.personas[2:]
    chunks = place.export(resume_token=before.resume_token)
    assert before.created in [one for chunk in chunks for one in chunk.personas]


def test_answers_are_given_again(restarted: Restarted) -> None:
    before, place = restarted
    count = place.count()
    assert place.create(persona(), request_id=before.keys["create"]) == before.created
    batch = place.batch([persona(), persona()], request_id=before.keys["batch"])
    assert batch == [Persona(id=before.batch[0].id), before.batch[1]]
    place.delete(before.batch[0].id, request_id=before.keys["delete"])
    projects = place.caller.projects
    made = projects.CreateProject(
        CreateProjectRequest(project=Project(name="Kept"), request_id=before.keys["project"])
    )
    assert made.project == before.project
    projects.DeleteProject(
        DeleteProjectRequest(
            project_id=before.keys["gone"], request_id=before.keys["delete_project"]
        )
    )
    assert place.count() == count


def test_another_request_is_still_refused(restarted: Restarted) -> None:
    before, place = restarted
    problem = refusal_of(lambda: place.create(persona(age=5), request_id=before.keys["create"]))
    assert problem.reason == "REQUEST_ID_REUSED"


def test_deleted_ids_stay_taken(restarted: Restarted) -> None:
    before, place = restarted
    problem = refusal_of(lambda: make_project(place.caller, id=before.keys["gone"]))
    assert (problem.reason, problem.metadata["state"]) == ("ALREADY_EXISTS", "deleted")


def test_an_import_goes_on(restarted: Restarted) -> None:
    before, place = restarted
    count = place.count()
    stream = Import(place, before.import_id)
    assert stream.begin() == (1, 1)
    assert stream.batch(1, [persona(full_name="one")]) == (1, 1)
    assert stream.batch(2, [persona(full_name="two")]) == (2, 2)
    stream.end()
    assert place.count() == count + 1

"""Erasure by the operator: nothing of a person or a tenant is left in the files of the database."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from persona.v1 import library_service_pb2 as library_pb
from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_service_pb2 as projects_pb
from persona.v1 import response_service_pb2 as responses_pb
from persona.v1.library_pb2 import LibraryPersona
from persona.v1.persona_pb2 import Persona
from persona.v1.project_pb2 import PersonaGroup, Project
from persona.v1.response_pb2 import ChoiceAnswer, Response
from support.answering.references import chosen, fidelity, refer
from support.answers import answer, listed, record
from support.copies import copied
from support.data import Place, make_group, make_place, make_project, persona, rich_persona, uid
from support.dbfile import reading
from support.errors import refused
from support.importer import LEAN
from support.library import answer_reliably, lineage, promote, reliability, reuse
from support.service import PERSONA, Service, running_service

pytestmark = pytest.mark.sqlite("its file is searched for what was erased")

MARK = "Aurelia-Quintessa"
TENANT = "erased"


def run(data: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the operator on a data folder."""
    command = [str(PERSONA), *arguments, "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def left_of(text: str, data: Path) -> set[str]:
    """Return the files of a data folder that hold a text."""
    files = [path for path in data.rglob("*") if path.is_file()]
    assert data / "persona.sqlite3" in files
    return {path.name for path in files if text.encode() in path.read_bytes()}


def marked(**fields: str) -> Persona:
    """Return a persona with the mark in every text."""
    names = {"gender", "occupation", "location", "digital_habits", "price_sensitivity"}
    texts = {name: f"{MARK} {name}" for name in names}
    return rich_persona(
        full_name=MARK,
        **texts,
        psychographic_notes=f"{MARK} " * 800,  # over several pages of the file
        personality_traits=[f"{MARK} {i}" for i in range(3)],
        trusted_brands=[MARK],
        distrusted_brands=[MARK],
        avatar_url=f"https://example.org/{MARK}.png",
        attributes={MARK: MARK},
        **fields,
    )


class Calls(NamedTuple):
    """What a person did, to be repeated once it is erased."""

    created: pb.CreatePersonaRequest
    promoted: library_pb.PromotePersonaRequest
    recorded: responses_pb.RecordResponsesRequest


class Life:
    """A person whose name is everywhere, in a service that was killed afterwards."""

    def __init__(self, service: Service) -> None:
        caller = service.connect(service.token(TENANT))
        self.place = place = make_place(caller)
        other, stranger = make_place(caller), place.create(persona(full_name="Bystander"))
        created = pb.CreatePersonaRequest(**place.ids, persona=marked(id=uid()), request_id=uid())
        self.person = person = caller.personas.CreatePersona(created).persona.id
        self.tag = answer_reliably(place, person)
        said = responses_pb.RecordResponsesRequest(
            simulation_id=uid(), responses=answers(person), request_id=uid()
        )
        self.responses = [one.id for one in caller.responses.RecordResponses(said).responses]
        refer(place, chosen(person, [MARK, "nobody"], MARK, key=MARK))
        record(caller, said.simulation_id, answer(stranger.id, question_key="nps"))
        promotion = library_pb.PromotePersonaRequest(
            **place.ids, persona_id=person, request_id=uid()
        )
        self.library = caller.library.PromotePersona(promotion).library_persona.id
        self.reused = used_under_its_name(place, self.library)
        (copy,) = copied(other, place, person)
        other.delete(copy.id)
        self.copy, self.stranger, self.calls = copy.id, stranger, Calls(created, promotion, said)
        caller.close()


def answers(person: str) -> list[Response]:
    """Return answers with the mark in every text, options of a question of its own included."""
    choice = ChoiceAnswer(value=MARK, options=[MARK, "nobody"])
    return [
        answer(person, question_key=MARK, choice=choice, quote=MARK, question_text=MARK),
        answer(person, question_key="themes", text=MARK * 500, themes=[MARK]),
    ]


def used_under_its_name(place: Place, library_persona: str) -> str:
    """Reuse an individual where project and group have its name, and then name them otherwise."""
    caller = place.caller
    project = make_project(caller, name=MARK).id
    home = Place(caller, project, make_group(caller, project, name=MARK).id)
    (used,) = reuse(home, library_persona)
    caller.projects.UpdateProject(
        projects_pb.UpdateProjectRequest(project_id=project, project=Project(name="Renamed"))
    )
    caller.projects.UpdatePersonaGroup(
        projects_pb.UpdatePersonaGroupRequest(**home.ids, persona_group=PersonaGroup(name="Too"))
    )
    return used.id


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("erased") / "data"


@pytest.fixture(scope="module")
def life(data: Path) -> Life:
    with running_service(data, *LEAN) as service:
        lived = Life(service)
        service.kill()
    return lived


@pytest.fixture(scope="module")
def after(data: Path, life: Life) -> Iterator[Place]:
    """The person's group, in a server started after the erasure."""
    assert left_of(MARK, data)
    done = run(data, "erase", life.reused, "--tenant", TENANT, "--yes")
    assert (done.returncode, done.stdout) == (
        0,
        "Erased: 3 personas, 66 answers, 1 library persona, 1 reference answer.\n",
    ), done.stderr
    assert left_of(MARK, data) == set()
    assert left_of("Bystander", data)
    with running_service(data, *LEAN) as service:
        caller = service.connect(service.token(TENANT))
        yield Place(caller, life.place.project, life.place.group)


def test_the_erased_are_not_found(after: Place, life: Life) -> None:
    caller = after.caller
    for one in (life.person, life.reused, life.copy):
        with refused("PERSONA_NOT_FOUND"):
            listed(caller, persona_id=one)
        with refused("PERSONA_NOT_FOUND"):
            record(caller, uid(), answer(one))
    with refused("PERSONA_NOT_FOUND"):
        after.get(life.person)
    with refused("PERSONA_NOT_FOUND"):
        lineage(after, life.person)
    with refused("PERSONA_NOT_FOUND"):
        reliability(caller, **after.ids, persona_id=life.person)
    with refused("PERSONA_NOT_FOUND"):
        fidelity(after, life.person)
    with refused("LIBRARY_PERSONA_NOT_FOUND"):
        reliability(caller, library_persona_id=life.library)
    with refused("RESPONSE_NOT_FOUND"):
        caller.responses.GetResponsePersona(
            responses_pb.GetResponsePersonaRequest(response_id=life.responses[0])
        )
    assert [one.persona_id for one in listed(caller, simulation_id=_simulation(life))] == [
        life.stranger.id
    ]


def _simulation(life: Life) -> str:
    return life.calls.recorded.simulation_id


def test_others_are_as_they_were(after: Place, life: Life) -> None:
    assert after.walk() == [life.stranger]
    assert after.count() == 1
    assert reliability(after.caller, **after.ids, persona_id=life.stranger.id)


def test_nobody_brings_it_back(after: Place, life: Life) -> None:
    """A retry is answered with ids alone; a new call finds the id taken."""
    caller = after.caller
    again = caller.personas.CreatePersona(life.calls.created).persona
    assert again == Persona(id=life.person)
    promoted = caller.library.PromotePersona(life.calls.promoted).library_persona
    assert promoted == LibraryPersona(id=life.library)
    recorded = caller.responses.RecordResponses(life.calls.recorded).responses
    assert recorded == [Response(id=one) for one in life.responses]
    life.calls.created.request_id = ""
    with refused("ALREADY_EXISTS") as refusal:
        caller.personas.CreatePersona(life.calls.created)
    assert refusal.problem.metadata["state"] == "deleted"


def test_beside_a_server_nothing_is_erased(tmp_path: Path) -> None:
    with running_service(tmp_path / "data", *LEAN) as service:
        place = make_place(service.connect())
        one = place.create(persona())
        for command in (("erase", one.id, "--tenant", "local"), ("tenants", "erase", "local")):
            done = run(service.data, *command, "--yes")
            assert (done.returncode, done.stdout) == (1, "")
            assert "Stop it, or name another folder." in done.stderr
        assert place.walk() == [one]


def test_a_tenant_leaves_nothing_but_its_name(tmp_path: Path) -> None:
    data, kept = tmp_path / "data", "tenant-that-stays"
    with running_service(data, *LEAN) as service:
        Life(service)
        other = make_place(service.connect(service.token(kept)))
        promote(other, _eligible(other))
        service.kill()
    with reading(data) as file:
        before = file.fingerprint(kept)
    done = run(data, "tenants", "erase", TENANT, "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Erased: 3 projects, ")
    assert left_of(MARK, data) == left_of("Bystander", data) == set()
    with reading(data) as file:
        assert file.fingerprint(kept) == before
        assert [row.method for row in file.audit(TENANT)] == ["EraseTenant"]
    with running_service(data, *LEAN) as service:
        caller = service.connect(service.token(TENANT))
        assert list(caller.projects.ListProjects(projects_pb.ListProjectsRequest()).projects) == []
        assert make_place(caller).fill(2)


def _eligible(place: Place) -> str:
    one = place.create(rich_persona()).id
    answer_reliably(place, one)
    return one

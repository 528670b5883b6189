"""R15: whatever is deleted, nothing changes in a response but persona_deleted."""

import random
from collections.abc import Callable

import pytest

from persona.v1 import project_service_pb2 as projects_pb
from persona.v1.persona_pb2 import Persona
from persona.v1.response_pb2 import Response
from persona_server.storage import keys
from persona_server.storage.store import open_store
from support.answers import KINDS, answer, answerer, listed, record
from support.data import Place, at, make_place, make_project, persona, rich_persona, uid
from support.errors import refusal_of
from support.service import Caller, Service

GROUPS, PEOPLE = 5, 6
FOR_EVER = 2**62


class Study:
    """Two projects with groups, personas and answers, and what should have become of them."""

    def __init__(self, caller: Caller, chance: random.Random) -> None:
        self.caller, self.chance = caller, chance
        projects = [make_project(caller).id for _ in range(2)]
        self.places = [make_place(caller, projects[i % 2]) for i in range(GROUPS)]
        self.people = {
            place: place.batch(rich_persona(id=uid(), full_name=f"P{i}") for i in range(PEOPLE))
            for place in self.places
        }
        self.home = {one.id: place for place, all_ in self.people.items() for one in all_}
        self.persona = {one.id: one for all_ in self.people.values() for one in all_}
        self.simulations = {project: uid() for project in projects}
        self.deleted: set[str] = set()
        self.gone: set[str] = set()  # projects and groups
        self.recorded: dict[str, Response] = {}

    def step(self) -> None:
        """Record, delete or bring back something."""
        action: Callable[[], None] = self.chance.choices(
            [self.answers, self.one, self.all, self.group, self.project, self.back],
            [8, 6, 2, 1, 0.4, 3],
        )[0]
        action()

    def answers(self) -> None:
        """Record answers of any people of a project, deleted or not."""
        project = self.chance.choice(list(self.simulations))
        people = [p for p, place in self.home.items() if place.project == project]
        batch = [self.answer(self.chance.choice(people)) for _ in range(self.chance.randint(1, 5))]
        for each in record(self.caller, self.simulations[project], *batch):
            assert each.persona_deleted == (each.persona_id in self.deleted)
            each.persona_deleted = False
            self.recorded[each.id] = each

    def answer(self, one: str) -> Response:
        kind = self.chance.choice(list(KINDS))
        return answer(
            one,
            question_key=f"q{self.chance.randrange(3)}",
            occurred_at=at(self.chance.randrange(10_000)),
            **{kind: KINDS[kind]},
        )

    def open_place(self) -> Place | None:
        places = [p for p in self.places if not {p.project, p.group} & self.gone]
        return self.chance.choice(places) if places else None

    def one(self) -> None:
        place = self.open_place()
        left = [p.id for p in self.people.get(place, []) if p.id not in self.deleted]  # type: ignore[arg-type]
        if place and left:
            one = self.chance.choice(left)
            place.delete(one)
            self.deleted.add(one)

    def all(self) -> None:
        if place := self.open_place():
            place.delete_all()
            self.deleted |= {one.id for one in self.people[place]}

    def group(self) -> None:
        if place := self.open_place():
            request = projects_pb.DeletePersonaGroupRequest(**place.ids)
            self.caller.projects.DeletePersonaGroup(request)
            self.gone.add(place.group)
            self.deleted |= {one.id for one in self.people[place]}

    def project(self) -> None:
        if place := self.open_place():
            request = projects_pb.DeleteProjectRequest(project_id=place.project)
            self.caller.projects.DeleteProject(request)
            self.gone.add(place.project)
            self.deleted |= {p for p, home in self.home.items() if home.project == place.project}

    def back(self) -> None:
        place = self.open_place()
        hidden = [p for p in self.people.get(place, []) if p.id in self.deleted]  # type: ignore[arg-type]
        if place and hidden:
            one = Persona()
            one.CopyFrom(self.chance.choice(hidden))
            place.create(one)
            self.deleted.discard(one.id)

    def check(self) -> None:
        """Hold every read against what was recorded."""
        everything: list[Response] = []
        for project, simulation in self.simulations.items():
            by_project = listed(self.caller, project_id=project, page_size=7)
            assert by_project == listed(self.caller, simulation_id=simulation)
            everything += by_project
        assert {each.id for each in everything} == self.recorded.keys()
        one = self.chance.choice(list(self.persona))
        by_persona = listed(self.caller, persona_id=one)
        assert len(by_persona) == sum(each.persona_id == one for each in everything)
        for each in [*everything, *by_persona]:
            assert each.persona_deleted == (each.persona_id in self.deleted)
            each.persona_deleted = False
            assert each == self.recorded[each.id]
        if everything:
            each = self.chance.choice(everything)
            assert answerer(self.caller, each.id) == self.persona[each.persona_id]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_changes_but_whether_the_persona_is_deleted(
    own: Service, rounds: Callable[[int, int], int], seed: int
) -> None:
    caller = own.connect(own.token(f"outlive-{seed}"))
    study = Study(caller, random.Random(seed))
    study.answers()
    for _ in range(rounds(60, 1000)):
        study.step()
        study.check()
    while study.open_place():
        study.project()
    study.answers()
    study.check()
    assert study.deleted == study.persona.keys()
    caller.close()


def test_nor_does_a_purge_change_anything(own: Service) -> None:
    tenant = "outlive-purge"
    caller = own.connect(own.token(tenant))
    study = Study(caller, random.Random(11))
    silent = study.places[0].create(persona()).id
    for one in study.persona:
        record_of(study, one)
    study.project()
    study.project()
    store = open_store(own.place, make=False)
    try:
        assert store.sweeper.sweep(keys.now() + FOR_EVER // 2, 0) > 0
    finally:
        store.close()
    study.check()
    for one in study.persona:
        assert [r.persona_id for r in listed(caller, persona_id=one)] == [one]
        record_of(study, one)  # and it still answers
    study.check()
    caller.close()
    assert gone(own, tenant, silent)


def record_of(study: Study, one: str) -> None:
    simulation = study.simulations[study.home[one].project]
    (each,) = record(study.caller, simulation, answer(one))
    each.persona_deleted = False
    study.recorded[each.id] = each


def gone(service: Service, tenant: str, one: str) -> bool:
    """Return whether a persona without answers is purged."""
    caller = service.connect(service.token(tenant))
    reason = refusal_of(lambda: listed(caller, persona_id=one)).reason
    caller.close()
    return reason == "PERSONA_NOT_FOUND"

"""R15: whatever is deleted, lineage, reliability, library persona and timeline stay as they were.

Only `persona_deleted` and `persona_deleted_at` follow, and they say what was deleted and when.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from persona.v1 import project_service_pb2 as projects_pb
from persona.v1.persona_pb2 import Persona
from persona_server.storage import keys
from persona_server.storage.store import open_store
from support.answers import answerer, listed, record
from support.data import Place, make_place, make_project, micros, rich_persona, uid
from support.library import (
    PEERS,
    answer_reliably,
    library_persona,
    lineage,
    projects_of,
    promote,
    ratings,
    reliability,
    reuse,
    timeline,
)
from support.service import Caller, Service

GROUPS = 5
FOR_EVER = 2**62


class Lives:
    """Two individuals with uses in the groups of three projects, and what is known of them."""

    def __init__(self, caller: Caller, chance: random.Random) -> None:
        self.caller, self.chance = caller, chance
        projects = [make_project(caller).id for _ in range(3)]
        self.places = [make_place(caller, projects[i % 3]) for i in range(GROUPS)]
        self.home: dict[str, Place] = {}  # of every persona
        self.fresh: dict[str, Persona] = {}  # those that a create can bring back
        self.deleted: set[str] = set()
        self.gone: set[str] = set()  # projects and groups
        self.since: dict[str, int] = {}  # when each deleted persona was, as first read
        self.tags: list[str] = []
        self.individuals = [self._individual(place) for place in self.places[:2]]
        self.reuse()
        self.reuse()
        self.known = self.read()

    def _individual(self, place: Place) -> str:
        one = place.create(rich_persona(id=uid()))
        self.home[one.id], self.fresh[one.id] = place, one
        self.tags.append(answer_reliably(place, one.id))
        return promote(place, one.id).id

    def open_places(self) -> list[Place]:
        return [p for p in self.places if not {p.project, p.group} & self.gone]

    def of_place(self, place: Place) -> list[str]:
        return [one for one, home in self.home.items() if home is place]

    def step(self) -> None:
        """Delete something or bring it back: nothing that is known changes; or let it grow."""
        kinds = [self.one, self.all, self.group, self.project, self.back]
        action: Callable[[], None] = self.chance.choices(kinds, [8, 3, 1, 0.4, 6])[0]
        action()
        self.check()
        if self.chance.random() < 0.3:
            self.chance.choice([self.reuse, self.answers])()
            self.known = self.read()

    def reuse(self) -> None:
        """Put an individual into a group that does not show it."""
        for place in self.open_places():
            shown = {one.library_persona_id.value for one in place.walk()}
            shown |= {i for i in self.individuals if self._origin_is_shown(i, place)}
            if missing := [one for one in self.individuals if one not in shown]:
                (copy,) = reuse(place, self.chance.choice(missing))
                self.home[copy.id] = place
                return

    def _origin_is_shown(self, individual: str, place: Place) -> bool:
        origin = library_persona(self.caller, individual).origin_persona_id
        return self.home[origin] is place and origin not in self.deleted

    def answers(self) -> None:
        """Let some persona, deleted or not, answer the questions of its individual once more."""
        one = self.chance.choice(list(self.home))
        found = library_of(self.home[one], one)
        tag = self.tags[self.individuals.index(found)]
        record(self.caller, uid(), *ratings(one, tag, self.chance.randint(3, 5), 9))

    def one(self) -> None:
        places = self.open_places()
        left = [p for place in places for p in self.of_place(place) if p not in self.deleted]
        if left:
            one = self.chance.choice(left)
            self.home[one].delete(one)
            self.deleted.add(one)

    def all(self) -> None:
        if places := self.open_places():
            place = self.chance.choice(places)
            place.delete_all()
            self.deleted |= set(self.of_place(place))

    def group(self) -> None:
        if places := self.open_places():
            place = self.chance.choice(places)
            request = projects_pb.DeletePersonaGroupRequest(**place.ids)
            self.caller.projects.DeletePersonaGroup(request)
            self.gone.add(place.group)
            self.deleted |= set(self.of_place(place))

    def project(self) -> None:
        if places := self.open_places():
            project = self.chance.choice(places).project
            request = projects_pb.DeleteProjectRequest(project_id=project)
            self.caller.projects.DeleteProject(request)
            self.gone.add(project)
            self.deleted |= {p for p, home in self.home.items() if home.project == project}

    def back(self) -> None:
        places = self.open_places()
        for one, person in self.fresh.items():
            place = self.home[one]
            if one in self.deleted and place in places and not any_copy(place, one):
                place.create(person)
                self.deleted.discard(one)
                return

    def read(self) -> dict[str, Any]:
        """Return all that can be read of the individuals, without what deletes may change."""
        found: dict[str, Any] = {}
        for one in self.individuals:
            answers = listed(self.caller, library_persona_id=one)
            found |= {
                f"library {one}": library_persona(self.caller, one),
                f"reliability {one}": reliability(self.caller, library_persona_id=one),
                f"timeline {one}": timeline(self.caller, one, page_size=5),
                f"projects {one}": projects_of(self.caller, one, page_size=2),
                f"answers {one}": answers,
                f"answerer {one}": answerer(self.caller, answers[-1].id),
            }
        for one, place in self.home.items():
            pages = lineage(place, one, page_size=3)
            found[f"lineage {one}"] = [row for page in pages for row in page.personas]
            found[f"underneath {one}"] = [page.library_persona for page in pages]
            named = {**place.ids, "persona_id": one}
            found[f"reliability {one}"] = reliability(self.caller, **named)
        for value in found.values():
            for message in value if isinstance(value, list) else [value]:
                self._take_out(message)
        return found

    def _take_out(self, message: Message) -> None:
        """Check what a delete may change, and take it out."""
        given: Any = message
        names = message.DESCRIPTOR.fields_by_name
        if "measured_at" in names:
            given.ClearField("measured_at")
        if "persona_deleted" in names:
            assert given.persona_deleted == (given.persona_id in self.deleted)
            given.ClearField("persona_deleted")
        if "persona_deleted_at" in names:
            self._check_time(given)
            given.ClearField("persona_deleted_at")

    def _check_time(self, link: Any) -> None:
        assert link.HasField("persona_deleted_at") == (link.persona_id in self.deleted)
        if link.persona_id not in self.deleted:
            self.since.pop(link.persona_id, None)
            return
        at = micros(link.persona_deleted_at)
        assert at >= micros(link.linked_at)
        assert at == self.since.setdefault(link.persona_id, at), "deleted twice"

    def check(self) -> None:
        """Hold every read against what was known before."""
        found = self.read()
        assert found.keys() == self.known.keys()
        for name, value in found.items():
            assert value == self.known[name], name


def library_of(place: Place, persona_id: str) -> str:
    """Return the individual that a persona is."""
    return lineage(place, persona_id)[0].library_persona.id


def any_copy(place: Place, persona_id: str) -> bool:
    """Return whether a place shows a copy of its own persona's individual: that is one too many."""
    individual = library_of(place, persona_id)
    return individual in {one.library_persona_id.value for one in place.walk()}


def end(lives: Lives) -> None:
    """Delete all projects."""
    while lives.open_places():
        lives.project()
    assert lives.deleted == lives.home.keys()


@pytest.mark.parametrize("seed", range(3))
def test_deletes_change_nothing_but_when_it_was_deleted(
    own: Service, rounds: Callable[[int, int], int], seed: int
) -> None:
    caller = own.connect(own.token(f"lives-{seed}"))
    lives = Lives(caller, random.Random(seed))
    for _ in range(rounds(25, 500)):
        lives.step()
    end(lives)
    lives.check()
    lives.answers()  # what comes late still counts
    assert lives.read() != lives.known
    caller.close()


def test_nor_does_a_purge(own: Service) -> None:
    caller = own.connect(own.token("lives-purge"))
    lives = Lives(caller, random.Random(5))
    silent = lives.places[0].fill(len(PEERS))
    end(lives)
    lives.check()
    store = open_store(own.place, make=False)
    try:
        assert store.sweeper.sweep(keys.now() + FOR_EVER // 2, 0) >= len(silent)
    finally:
        store.close()
    lives.check()
    caller.close()

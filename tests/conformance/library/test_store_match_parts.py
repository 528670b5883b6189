"""Matching ranks a large library part by part: the 10,000 most reliable first."""

from collections.abc import Iterator

import pytest
from conformance.library.test_store_library import TOKENS, shelve

from persona.v1 import library_service_pb2 as pb
from persona.v1.project_pb2 import PersonaGroup
from persona_server.measures.individual.policy import Policy
from persona_server.services.call import Call
from persona_server.services.library.service import LibraryService
from persona_server.storage.keys import id_text
from persona_server.storage.repositories.pages import MOST_VISITED
from persona_server.storage.store import Store
from support.stored import StoredGroup

BATCH = 1000
TENANT = "matching"
# Too many by three, who are the least reliable.
LESS, LEAST = 0.5, 0.4


class Shelf:
    """A library in which all are 40 years old, but for one in each part."""

    def __init__(self, store: Store) -> None:
        self.group = StoredGroup(store, TENANT)
        self.best: list[bytes] = []
        for _ in range(MOST_VISITED // BATCH - 1):
            self.best += shelve(self.group, [LESS] * BATCH, age=40)
        self.best += shelve(self.group, [LESS] * (BATCH - 1), age=40)
        (self.young,) = shelve(self.group, [LESS], age=20)
        self.rest = shelve(self.group, [LEAST] * 2, age=40)
        (self.least,) = shelve(self.group, [LEAST], age=20)
        self.service = LibraryService(store, TOKENS, Policy())

    def wants(self, age: int) -> None:
        """Let the group ask for exactly this age."""
        with self.group.store.writing(TENANT, None) as repositories:
            definition = PersonaGroup(age_min=age, age_max=age).SerializeToString()
            repositories.groups.update(self.group.group, definition, repositories.now, "")

    def pages(self, size: int = 0) -> Iterator[list[str]]:
        """Yield the ids of each page of matches."""
        call, token = Call("MatchLibraryPersonas", TENANT, "me"), ""
        while True:
            request = pb.MatchLibraryPersonasRequest(
                project_id=id_text(self.group.project),
                group_id=id_text(self.group.group),
                page_size=size,
                page_token=token,
            )
            encoded = self.service.match_library_personas(call, request)
            page = pb.MatchLibraryPersonasResponse.FromString(encoded)
            yield [match.library_persona.id for match in page.matches]
            token = page.next_page_token
            if not token:
                return


@pytest.fixture(scope="module")
def shelf(shared_store: Store) -> Shelf:
    return Shelf(shared_store)


@pytest.mark.parametrize("size", [0, 1])
def test_the_most_reliable_come_first(shelf: Shelf, size: int) -> None:
    shelf.wants(20)
    assert list(shelf.pages(size)) == [[id_text(shelf.young)], [id_text(shelf.least)]]


def test_a_part_without_a_match_is_an_empty_page(shelf: Shelf) -> None:
    shelf.wants(30)
    assert list(shelf.pages()) == [[], []]


def test_all_come_once_whoever_is_promoted_meanwhile(shelf: Shelf) -> None:
    """A part keeps its end: nobody who was shown in it moves on into the next."""
    shelf.wants(40)
    walk = shelf.pages()
    seen = next(walk)
    added = shelve(shelf.group, [LESS + 0.1, LEAST - 0.1], age=40)
    seen += [one for page in walk for one in page]
    assert len(seen) == len(set(seen))
    best, rest = set(map(id_text, shelf.best)), set(map(id_text, shelf.rest))
    assert best | rest <= set(seen) <= best | rest | set(map(id_text, added))
    assert rest <= set(seen[len(best) :])

"""Library personas in a store: orders, filters, walks, counts, links, and what a purge keeps."""

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from persona.v1 import errors_pb2
from persona.v1 import library_service_pb2 as pb
from persona.v1.library_pb2 import LibraryPersona
from persona_server.errors import ServiceError
from persona_server.measures.individual.policy import Policy
from persona_server.services.call import Call
from persona_server.services.library.reusing import reuse
from persona_server.services.library.service import LibraryService
from persona_server.services.paging import PageTokens
from persona_server.services.personas.adding import Group
from persona_server.storage.keys import id_text
from persona_server.storage.repositories.filters import NO_FILTERS, Filters
from persona_server.storage.repositories.library import (
    BOTTOM,
    ORDERS,
    TOP,
    LibraryRow,
    Part,
    WantedPersonas,
)
from persona_server.storage.repositories.links import LinkRow
from persona_server.storage.repositories.personas import ORIGIN, REUSE
from persona_server.storage.store import Store
from persona_server.validation.filters import search_keys
from support.answering.measuring import random_batches, raw_image, record_all
from support.data import persona
from support.probe import REFUSALS, Probe
from support.stored import StoredGroup, read

LARGE: dict[str, Any] = {"psychographic_notes": "n" * 16_000, "attributes": {"a": "b" * 32_000}}
TOKENS = PageTokens(b"k")
WHOLE = Part(TOP, BOTTOM)
EVERYTHING = WantedPersonas(NO_FILTERS, None, include_retired=True)


def shelve(group: StoredGroup, bounds: list[float], **fields: Any) -> list[bytes]:
    """Put new personas of a group into the library with these lower bounds; return their ids."""
    origins = group.add(*[persona(**fields) for _ in bounds])
    made = []
    with group.store.writing(group.tenant, None) as repositories:
        for number, (origin, bound) in enumerate(zip(origins, bounds, strict=True)):
            one = persona(**fields)
            library_id = uuid.uuid4().bytes
            row = LibraryRow(
                repositories.tenant,
                library_id,
                group.project,
                origin,
                one.age.value,
                search_keys(one),
                bound,
                repositories.now + number,
                LibraryPersona(id=id_text(library_id), profile=one).SerializeToString(),
                1,
                0,
            )
            repositories.library.insert(row)
            link(repositories, group, library_id, origin, ORIGIN)
            made.append(library_id)
    return made


def link(
    repositories: Any, group: StoredGroup, library_id: bytes, member: bytes, relation: int
) -> None:
    now = repositories.now
    row = LinkRow(
        repositories.tenant,
        member,
        repositories.links.next_id(now),
        library_id,
        group.project,
        group.group,
        "Project",
        "Group",
        relation,
        None,
        now,
    )
    repositories.links.insert([row])


def walk(store: Store, wanted: WantedPersonas, size: int) -> Iterator[bytes]:
    edge = (float("inf"), b"\xff" * 17) if wanted.descending else (float("-inf"), b"")
    after = edge
    while found := read(store).library.keys(wanted, after, size).found:
        yield from (key.id for key in found)
        after = (found[-1].value, found[-1].id)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order", ORDERS)
def test_every_order_walks_through_all_once(
    store: Store, group: StoredGroup, order: str, descending: bool
) -> None:
    source = random.Random(5)
    ids = shelve(group, [source.choice([0.7, 0.75, 0.8, -0.2]) for _ in range(60)])
    with store.writing("acme", None) as repositories:
        for one in ids[::3]:
            repositories.library.count_project(one)
    found = Probe(store).rows("library_persona", "lower_bound", "project_count", "created_at", "id")
    found.sort(key=lambda row: (row[ORDERS.index(order)], row[3]), reverse=descending)
    expected = [row[3] for row in found]
    wanted = EVERYTHING._replace(order=order, descending=descending)
    for size in (1, 7, 60, 61):
        assert list(walk(store, wanted, size)) == expected
    assert set(expected) == set(ids)


def test_filters(store: Store, group: StoredGroup) -> None:
    nurse = {"age": 30, "gender": "Female", "location": "Porto, Portugal", "occupation": "Nurse"}
    (one,) = shelve(group, [0.9], income_level="Low", **nurse)
    (unknown,) = shelve(group, [0.8])
    (retired,) = shelve(group, [0.7], **(nurse | {"age": 40}))
    with store.writing("acme", None) as repositories:
        assert repositories.library.retire(retired, 5)
        assert not repositories.library.retire(retired, 6)
    visible = EVERYTHING._replace(include_retired=False)
    for wanted, expected in (
        (EVERYTHING, [one, unknown, retired]),
        (visible, [one, unknown]),
        (EVERYTHING._replace(lower_bound_min=0.8), [one, unknown]),
        (EVERYTHING._replace(lower_bound_min=0.80001), [one]),
        (EVERYTHING._replace(filters=Filters(gender="female")), [one, retired]),
        (EVERYTHING._replace(filters=Filters(income_level="low")), [one]),
        (EVERYTHING._replace(filters=Filters(location="port")), [one, retired]),
        (EVERYTHING._replace(filters=Filters(occupation="%")), []),
        (EVERYTHING._replace(filters=Filters(age_min=31)), [retired]),
        (EVERYTHING._replace(filters=Filters(age_max=130)), [one, retired]),
        (visible._replace(filters=Filters(gender="female")), [one]),
    ):
        assert list(walk(store, wanted, 2)) == expected, wanted
    found = read(store).library.find(retired)
    assert found is not None
    assert found.retired_at == 5


def test_candidates_leave_out_the_retired_and_the_used(store: Store, group: StoredGroup) -> None:
    one, two, three = shelve(group, [0.9, 0.8, 0.7], age=30, gender="Female")
    other = StoredGroup(store)
    (copy,) = other.add(persona())
    with store.writing("acme", None) as repositories:
        link(repositories, other, two, copy, REUSE)
        repositories.library.retire(three, 5)
    library = read(store).library
    assert {row[0] for row in library.candidates(None, WHOLE)} == {one, two}
    assert {row[0] for row in library.candidates(other.project, WHOLE)} == {one}
    assert library.candidates(group.project, WHOLE) == []
    assert {row[1:] for row in library.candidates(None, WHOLE)} == {(30, "female", "", "", "")}


def test_other_tenants_see_nothing(store: Store, group: StoredGroup) -> None:
    (one,) = shelve(group, [0.9])
    StoredGroup(store, "umbrella")
    theirs = read(store, "umbrella")
    assert theirs.library.find(one) is None
    assert theirs.library.origin(one) is None
    assert theirs.library.candidates(None, WHOLE) == []
    assert theirs.links.page(one, 2**62, 10) == []
    assert not theirs.links.used(one, group.project)
    assert theirs.links.shown(group.project, group.group, group.set_id, [one]) == set()
    with store.writing("umbrella", None) as repositories:
        assert not repositories.library.retire(one, 5)


def test_a_linked_persona_is_never_purged(store: Store, group: StoredGroup) -> None:
    shelve(group, [0.9])
    (free,) = group.add(persona())
    group.hide(free, now=1)
    group.drop(now=1)
    assert store.sweeper.sweep(2**60, 60) == 1
    assert Probe(store).count("persona") == 1
    assert store.sweeper.sweep(2**60, 60) == 0
    (one,) = Probe(store).values("library_persona", "id")
    (use,) = read(store).links.page(one, 2**62, 9)
    assert use.persona_deleted_at == 1


@pytest.mark.parametrize(
    "change",
    [
        "body = origin_persona_id",
        "lower_bound = 1",
        "age = 1",
        "origin_persona_id = id",
        "created_at = 1",
    ],
)
def test_a_library_persona_is_immutable(store: Store, group: StoredGroup, change: str) -> None:
    shelve(group, [0.9])
    assert Probe(store).refuses(f"UPDATE library_persona SET {change}")  # noqa: S608


def test_an_individual_has_one_library_persona(store: Store, group: StoredGroup) -> None:
    (one,) = shelve(group, [0.9])
    with store.writing("acme", None) as repositories:
        origin = repositories.library.origin(one)
        assert origin is not None
        assert repositories.personas.ancestry([origin])[origin].library_persona_id == one
        with pytest.raises(REFUSALS):
            link(repositories, group, one, origin, REUSE)


def put(group: StoredGroup, library_ids: list[bytes]) -> list[bytes]:
    """Reuse individuals in a group, and return the ids of the copies."""
    with group.store.writing(group.tenant, None) as repositories:
        place = Group(id_text(group.project), id_text(group.group), group.locked(repositories))
        return reuse(repositories, place, [id_text(one) for one in library_ids]).ids


def test_what_no_answer_holds_is_not_reused(store: Store, group: StoredGroup) -> None:
    ids = shelve(group, [0.9] * 66, **LARGE)
    other = StoredGroup(store)
    with pytest.raises(ServiceError) as refusal:
        put(other, ids)
    assert refusal.value.reason == errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE
    assert len(put(other, ids[:65])) == 65  # nothing was reused before: that would be refused


@pytest.mark.parametrize("name", ["list", "match"])
def test_pages_of_large_profiles_stay_within_their_bound(
    store: Store, group: StoredGroup, name: str
) -> None:
    """Three MiB hold fewer than were asked for; the walk still finds each once."""
    ids, service = shelve(group, [0.9] * 66, **LARGE), LibraryService(store, TOKENS, Policy())
    parents: dict[str, Any] = {
        "project_id": id_text(group.project),
        "group_id": id_text(group.group),
    }
    sizes: list[int] = []
    seen: list[str] = []
    token = ""
    while token or not sizes:
        if name == "list":
            listing = pb.ListLibraryPersonasRequest(page_token=token)
            encoded = service.list_library_personas(Call(name, "acme", "me"), listing)
            page = pb.ListLibraryPersonasResponse.FromString(encoded)
            seen += [one.id for one in page.library_personas]
            token = page.next_page_token
        else:
            matching = pb.MatchLibraryPersonasRequest(**parents, page_token=token)
            encoded = service.match_library_personas(Call(name, "acme", "me"), matching)
            matches = pb.MatchLibraryPersonasResponse.FromString(encoded)
            seen += [one.library_persona.id for one in matches.matches]
            token = matches.next_page_token
        sizes.append(len(encoded))
    assert len(sizes) == 2
    assert 3_000_000 < max(sizes) < 3_200_000
    assert sorted(seen) == sorted(map(id_text, ids))


def test_a_copy_answers_for_its_origin_and_so_it_is_rebuilt(
    store: Store, group: StoredGroup
) -> None:
    library_ids = shelve(group, [0.9, 0.8])
    links = Probe(store).rows("library_link", "persona_id", "library_persona_id")
    origins = [one for one, _ in sorted(links, key=lambda link: library_ids.index(link[1]))]
    answerers = [*origins, *put(StoredGroup(store), library_ids)]
    chance = random.Random(3)
    record_all(group, random_batches(chance, origins, simulations=2, answers=40))
    record_all(group, random_batches(chance, answerers[2:], simulations=2, answers=40))
    before = raw_image(store)
    assert {row[1] for row in before["series"]} == set(origins)
    given = Counter(Probe(store).values("response", "library_persona_id"))
    assert given.pop(None) == 80  # the origins' own are generated fresh
    assert set(given) == set(library_ids)
    list(store.rebuild.run(2**50))
    assert raw_image(store) == before
    for origin, library_id in zip(origins, library_ids, strict=True):
        own = Probe(store).count("response", persona_id=origin)
        found = read(store).library.find(library_id)
        assert found is not None
        assert found.response_count == own + given[library_id]


def test_the_queue_keeps_who_answered_again(store: Store, group: StoredGroup) -> None:
    store.promotes()
    one, two = sorted(group.add(persona(), persona()))
    with store.writing("acme", None) as repositories:
        repositories.promotions.add([one, two], 5)
    first, second = read(store).promotions.next(b"", 10)
    assert (first.persona_id, second.persona_id) == (one, two)
    with store.writing("acme", None) as repositories:
        repositories.promotions.add([one], 6)
        repositories.promotions.done(first)
        repositories.promotions.done(second)
    queue = read(store).promotions
    assert queue.waiting(one)
    assert not queue.waiting(two)
    assert [queued.queued_at for queued in queue.next(b"", 10)] == [6]
    assert queue.next(one, 10) == []

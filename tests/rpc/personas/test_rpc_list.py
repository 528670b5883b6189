"""ListPersonas: order, pages, the bound on their size, and walks while others write."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from persona.v1 import project_service_pb2 as projects_pb
from support.data import Place, at, make_place, micros, persona, uid
from support.errors import refused
from support.service import Caller, running_service

MAX_PAGE = 3 << 20


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """A caller of a service that keeps no pages, as by itself: it finds them in another way."""
    with running_service(tmp_path_factory.mktemp("plain") / "data", "--rest", "off") as service:
        caller = service.connect()
        yield caller
        caller.close()


@pytest.fixture(params=["kept", "found"])
def place(request: pytest.FixtureRequest, caller: Caller, plain: Caller) -> Place:
    """An empty group of a service that keeps pages, and of one that does not."""
    return make_place(caller if request.param == "kept" else plain)


def test_an_empty_group_is_one_empty_page(place: Place) -> None:
    page = place.page()
    assert list(page.personas) == []
    assert page.next_page_token == ""


def test_oldest_first_by_created_at_and_then_id(place: Place) -> None:
    low, middle, high = sorted(uid() for _ in range(3))
    times = {high: 5, low: 1_000_000, middle: 1_000_000}
    place.batch(persona(id=one, created_at=at(time)) for one, time in times.items())
    assert [one.id for one in place.page().personas] == [high, low, middle]
    assert [one.id for one in place.walk(page_size=1)] == [high, low, middle]


def test_a_batch_without_times_keeps_its_order(place: Place) -> None:
    made = place.fill(30)
    assert [one.id for one in place.walk(page_size=7)] == [one.id for one in made]
    times = [micros(one.created_at) for one in made]
    assert [time - times[0] for time in times] == list(range(30))


@pytest.mark.parametrize(
    ("page_size", "pages"),
    [(1, 5), (2, 3), (4, 2), (5, 1), (6, 1), (1000, 1), (0, 1), (1001, 1), (2**31 - 1, 1)],
)
def test_page_size(place: Place, page_size: int, pages: int) -> None:
    made = place.fill(5)
    found = list(place.pages(page_size=page_size))
    assert len(found) == pages
    assert [one.id for page in found for one in page.personas] == [one.id for one in made]


def test_a_page_holds_at_most_1000(place: Place) -> None:
    made = place.fill(1000) + place.fill(1)
    for page_size in (0, 1000, 1001, 5000):
        page = place.page(page_size=page_size)
        assert len(page.personas) == 1000
        rest = place.page(page_size=page_size, page_token=page.next_page_token)
        assert [one.id for one in rest.personas] == [made[-1].id]
        assert rest.next_page_token == ""


@pytest.mark.parametrize("page_size", [-1, -(2**31)])
def test_a_negative_page_size_is_refused(place: Place, page_size: int) -> None:
    with refused("INVALID_FIELD") as refusal:
        place.page(page_size=page_size)
    assert set(refusal.problem.fields) == {"page_size"}


def test_a_page_stays_under_3_mib_and_the_walk_goes_on(place: Place) -> None:
    fat = {"psychographic_notes": "x" * 16_000, "attributes": {"a": "y" * 32_000}}
    made = [one for _ in range(2) for one in place.fill(50, **fat)]
    pages = list(place.pages())
    assert len(pages) > 1
    assert all(page.ByteSize() <= MAX_PAGE for page in pages)
    assert all(page.personas for page in pages)
    assert [one.id for page in pages for one in page.personas] == [one.id for one in made]


def test_filtered_pages_stay_under_3_mib_too(place: Place) -> None:
    fat = {"attributes": {"a": "y" * 32_000}}
    made = place.fill(80, **fat, gender="a") + place.fill(40, **fat, gender="b")
    pages = list(place.pages(gender="A"))
    assert all(page.ByteSize() <= MAX_PAGE for page in pages)
    assert [one.id for page in pages for one in page.personas] == [one.id for one in made[:80]]


def test_pages_are_long_again_after_the_fat_ones_are_gone(place: Place) -> None:
    place.fill(5, attributes={"a": "y" * 32_000})
    place.delete_all()
    place.fill(500)
    assert len(place.page().personas) == 500


def test_each_persona_that_stays_comes_exactly_once_while_others_write(place: Place) -> None:
    """Complete and free of duplicates beside inserts, deletes and restores in front and behind."""
    staying = {one.id for one in place.fill(120)}
    leaving = place.fill(60)
    done = threading.Event()

    def write(number: int) -> None:
        own = leaving[number::2]
        while own and not done.is_set():
            place.delete(own.pop().id)
            place.batch(persona(created_at=at(1 + i)) for i in range(2))
            place.create(persona())

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, number) for number in range(2)]
        walks = [[one.id for one in place.walk(page_size=11)] for _ in range(4)]
        done.set()
        for writer in writers:
            writer.result()
    for walk in walks:
        assert len(walk) == len(set(walk))
        assert staying <= set(walk)


def test_a_page_that_was_emptied_still_leads_on(place: Place) -> None:
    made = place.fill(6)
    first = place.page(page_size=2)
    for one in made[2:5]:
        place.delete(one.id)
    rest = place.page(page_size=2, page_token=first.next_page_token)
    assert [one.id for one in rest.personas] == [made[5].id]
    place.delete(made[5].id)
    nothing = place.page(page_size=2, page_token=first.next_page_token)
    assert (list(nothing.personas), nothing.next_page_token) == ([], "")


def test_after_delete_all_a_walk_goes_on_in_what_is_there_now(place: Place) -> None:
    place.fill(4)
    first = place.page(page_size=2)
    assert place.delete_all() == 4
    late = place.create(persona())
    place.create(persona(created_at=at(1)))  # before where the walk stands
    rest = place.page(page_size=2, page_token=first.next_page_token)
    assert [one.id for one in rest.personas] == [late.id]


def test_a_list_shows_its_own_group_alone(place: Place) -> None:
    other = make_place(place.caller, place.project)
    mine, theirs = place.fill(2), other.fill(3)
    assert [one.id for one in place.walk()] == [one.id for one in mine]
    assert [one.id for one in other.walk()] == [one.id for one in theirs]


def test_a_group_is_listed_in_its_own_project_until_it_is_deleted(place: Place) -> None:
    place.fill(2)
    with refused("PERSONA_GROUP_NOT_FOUND"):
        place.page(project_id=make_place(place.caller).project)
    with refused("PROJECT_NOT_FOUND"):
        place.page(project_id=uid())
    place.caller.projects.DeletePersonaGroup(projects_pb.DeletePersonaGroupRequest(**place.ids))
    with refused("PERSONA_GROUP_NOT_FOUND"):
        place.page()


def test_list_and_get_and_create_show_the_same(place: Place) -> None:
    made = place.fill(3, age=40, location="Lima, Peru")
    assert list(place.page().personas) == made == [place.get(one.id) for one in made]

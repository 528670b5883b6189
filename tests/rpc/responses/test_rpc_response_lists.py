"""ListResponses: complete, in order, within its bounds, while others record."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from persona.v1 import response_service_pb2 as pb
from persona.v1.response_pb2 import Response
from support.answers import answer, listed, pages, record
from support.data import Place, at, make_place, micros, uid
from support.errors import refused

NOT_FOUND, INVALID = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT
DAY = 86_400


def test_lists_by_each_scope(place: Place) -> None:
    other = make_place(place.caller, place.project)
    one, two = place.fill(2)
    (three,) = other.fill(1)
    first, second = uid(), uid()
    a, b, c = record(place.caller, first, answer(one.id), answer(two.id), answer(three.id))
    (d,) = record(place.caller, second, answer(one.id))
    assert listed(place.caller, simulation_id=first) == [a, b, c]
    assert listed(place.caller, simulation_id=second) == [d]
    assert listed(place.caller, project_id=place.project) == [a, b, c, d]
    assert listed(place.caller, persona_id=one.id.upper()) == [a, d]
    assert listed(place.caller, simulation_id=uid()) == []
    with refused("PROJECT_NOT_FOUND", NOT_FOUND):
        listed(place.caller, project_id=uid())
    with refused("PERSONA_NOT_FOUND", NOT_FOUND):
        listed(place.caller, persona_id=uid())


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 0])
def test_a_walk_is_complete_and_oldest_first(place: Place, size: int) -> None:
    one, two = place.fill(2)
    simulation, times = uid(), (5, 3, 3, 9, 3, 1)
    made = record(
        place.caller,
        simulation,
        *[
            answer((one, two)[i % 2].id, occurred_at=at(t), question_key=f"q{i % 2}")
            for i, t in enumerate(times)
        ],
    )
    made.sort(key=lambda r: (micros(r.occurred_at), r.id))
    assert listed(place.caller, simulation_id=simulation, page_size=size) == made
    odd = [r for r in made if r.question_key == "q1"]
    assert listed(place.caller, project_id=place.project, page_size=size, question_key="q1") == odd
    assert listed(place.caller, persona_id=two.id, page_size=size) == odd


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (None, None, [1, 2, 3]),
        (2, None, [2, 3]),
        (None, 2, [1]),
        (2, 3, [2]),
        (1, 4, [1, 2, 3]),
        (4, None, []),
        (None, 1, []),
    ],
)
def test_the_time_range_holds_its_start_and_not_its_end(
    place: Place, start: int | None, end: int | None, found: list[int]
) -> None:
    (one,) = place.fill(1)
    record(place.caller, uid(), *[answer(one.id, occurred_at=at(t)) for t in (1, 2, 3)])
    arguments = {"occurred_from": start, "occurred_before": end}
    bounds = {name: at(t) for name, t in arguments.items() if t is not None}
    for size in (0, 1):
        rows = listed(place.caller, persona_id=one.id, page_size=size, **bounds)
        assert [micros(row.occurred_at) for row in rows] == found


def test_a_token_is_bound_to_its_arguments(place: Place) -> None:
    one, two = place.fill(2)
    simulation = uid()
    record(place.caller, simulation, *[answer(one.id) for _ in range(3)])
    record(place.caller, uid(), answer(two.id))
    first = next(pages(place.caller, simulation_id=simulation, page_size=1))
    good = {"simulation_id": simulation, "page_token": first.next_page_token}
    assert len(listed_page(place, **good)) == 2
    for change in (
        {"simulation_id": uid()},
        {"question_key": "nps"},
        {"occurred_from": at(0)},
        {"occurred_before": at(2**50)},
        {"recorded_after": at(0)},
        {"order_by": "recorded_at"},
        {"project_id": place.project},
    ):
        with refused("INVALID_PAGE_TOKEN", INVALID):
            listed_page(place, **(good | change))
    for scope in ({"project_id": place.project}, {"persona_id": one.id}):
        with refused("INVALID_PAGE_TOKEN", INVALID):
            listed_page(place, page_token=first.next_page_token, **scope)


def listed_page(place: Place, **arguments: object) -> list[Response]:
    request = pb.ListResponsesRequest(**arguments)  # type: ignore[arg-type]
    return list(place.caller.responses.ListResponses(request).responses)


def test_a_page_stays_under_3_mib_and_the_walk_goes_on(place: Place) -> None:
    (one,) = place.fill(1)
    simulation = uid()
    for start in range(0, 450, 150):
        record(
            place.caller,
            simulation,
            *[answer(one.id, text="x" * 16_000, question_key=f"{start + i}") for i in range(150)],
        )
    found = list(pages(place.caller, simulation_id=simulation))
    assert max(page.ByteSize() for page in found) <= (3 << 20) + 128
    assert len(found) == 3
    keys = [r.question_key for page in found for r in page.responses]
    assert keys == [str(i) for i in range(450)]


def test_a_walk_sees_what_was_there_once_while_others_record(place: Place) -> None:
    (one,) = place.fill(1)
    simulation = uid()
    there = [answer(one.id, occurred_at=at(1000 + i)) for i in range(60)]
    staying = {each.id for each in record(place.caller, simulation, *there)}
    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(
            lambda: [
                record(place.caller, simulation, answer(one.id, occurred_at=at(i * 37 % 2000)))
                for i in range(100)
            ]
        )
        walks = [
            [r.id for r in listed(place.caller, simulation_id=simulation, page_size=7)]
            for _ in range(3)
        ]
        writer.result()
    for walk in walks:
        assert len(walk) == len(set(walk))
        assert staying <= set(walk)

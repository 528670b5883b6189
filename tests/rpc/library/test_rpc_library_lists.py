"""The library listed and matched over gRPC."""

import pytest

from persona.v1 import library_pb2
from persona.v1 import library_service_pb2 as pb
from support.data import Place, make_group, make_place
from support.errors import refused
from support.library import individual, retire, reuse


def listed(place: Place, **arguments: object) -> list[library_pb2.LibraryPersona]:
    """Return every library persona of a list."""
    request = pb.ListLibraryPersonasRequest(**arguments)  # type: ignore[arg-type]
    page = place.caller.library.ListLibraryPersonas(request)
    found = list(page.library_personas)
    while page.next_page_token:
        request.page_token = page.next_page_token
        page = place.caller.library.ListLibraryPersonas(request)
        found += page.library_personas
    return found


def matched(place: Place, group: str, **arguments: object) -> list[library_pb2.LibraryMatch]:
    """Return every match of a group of a place's project."""
    request = pb.MatchLibraryPersonasRequest(
        project_id=place.project,
        group_id=group,
        **arguments,  # type: ignore[arg-type]
    )
    page = place.caller.library.MatchLibraryPersonas(request)
    found = list(page.matches)
    while page.next_page_token:
        request.page_token = page.next_page_token
        page = place.caller.library.MatchLibraryPersonas(request)
        found += page.matches
    return found


def test_orders(place: Place) -> None:
    one, two, three = (individual(place, full_name=name) for name in "abc")
    reuse(make_place(place.caller), two.id)
    by_id = sorted([one.id, two.id, three.id])
    assert [x.id for x in listed(place, order_by="created_at")] == [one.id, two.id, three.id]
    assert [x.id for x in listed(place, order_by="created_at  desc")] == [
        three.id,
        two.id,
        one.id,
    ]
    assert next(x.id for x in listed(place, order_by="project_count desc")) == two.id
    assert [x.id for x in listed(place, order_by="project_count")][-1] == two.id
    assert [x.id for x in listed(place, order_by="lower_bound")] == by_id  # all alike
    assert [x.id for x in listed(place)] == by_id[::-1]
    for size in (1, 2, 3):
        assert [x.id for x in listed(place, page_size=size)] == by_id[::-1]
        order = "created_at"
        assert next(x.id for x in listed(place, page_size=size, order_by=order)) == one.id


def test_filters_and_retired(place: Place) -> None:
    nurse = individual(place, occupation="Nurse", gender="Female", age=30)
    baker = individual(place, occupation="Baker", gender="Male", age=50)
    assert [x.id for x in listed(place, occupation="nur")] == [nurse.id]
    assert [x.id for x in listed(place, gender="male")] == [baker.id]
    assert [x.id for x in listed(place, age_min=31)] == [baker.id]
    assert len(listed(place, lower_bound_min=0.7)) == 2
    assert listed(place, lower_bound_min=0.82) == []
    retire(place.caller, baker.id)
    assert [x.id for x in listed(place)] == [nurse.id]
    assert {x.id for x in listed(place, include_retired=True)} == {nurse.id, baker.id}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"order_by": "name"}, "order_by"),
        ({"order_by": "lower_bound asc"}, "order_by"),
        ({"order_by": "lower_bound desc, created_at"}, "order_by"),
        ({"lower_bound_min": 1.1}, "lower_bound_min"),
        ({"lower_bound_min": float("nan")}, "lower_bound_min"),
        ({"page_size": -1}, "page_size"),
        ({"age_min": 131}, "age_min"),
        ({"gender": "x" * 65}, "gender"),
    ],
)
def test_bad_arguments(place: Place, arguments: dict[str, object], field: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        listed(place, **arguments)
    assert set(refusal.problem.fields) == {field}


def test_matches_come_best_first_with_their_parts(place: Place) -> None:
    best = individual(place, age=30, income_level="Middle", occupation="Head nurse")
    near = individual(place, age=39, income_level="High", occupation="Baker")
    individual(place, age=41)  # out of range
    individual(place, age=30, gender="Male")
    group = make_group(
        place.caller,
        place.project,
        age_min=20,
        age_max=40,
        gender="female",
        income_level="Middle",
        occupation="nurse",
        location="Any",
    ).id
    first, second = matched(place, group)
    assert first.library_persona == best
    assert (first.score, first.parts.age.value) == (1.0, 1.0)
    assert (first.parts.income_level.value, first.parts.occupation.value) == (1.0, 1.0)
    assert not first.parts.HasField("location")
    assert second.library_persona == near
    assert second.parts.age.value == 0.55
    assert second.score == pytest.approx((0.55 + 0.5 + 0) / 3)
    assert second.parts.occupation.value == 0
    assert second.parts.HasField("occupation")
    assert [m.library_persona.id for m in matched(place, group, min_score=0.5)] == [best.id]
    assert matched(place, group, min_score=second.score) == [first, second]
    assert matched(place, group, page_size=1) == [first, second]
    # The last page of those with the score wanted ends the walk, though others follow in rank.
    wanted = pb.MatchLibraryPersonasRequest(
        project_id=place.project, group_id=group, page_size=1, min_score=0.5
    )
    page = place.caller.library.MatchLibraryPersonas(wanted)
    assert (list(page.matches), page.next_page_token) == ([first], "")


def test_matching_leaves_out_the_retired_and_on_request_the_used(place: Place) -> None:
    one, two = individual(place), individual(place)
    other = make_place(place.caller)
    reuse(other, one.id)
    open_group = make_group(place.caller, other.project).id
    assert {m.library_persona.id for m in matched(other, open_group)} == {one.id, two.id}
    assert {m.score for m in matched(other, open_group)} == {1.0}
    fresh = matched(other, open_group, exclude_used_in_project=True)
    assert [m.library_persona.id for m in fresh] == [two.id]
    retire(place.caller, two.id)
    assert matched(other, open_group, exclude_used_in_project=True) == []

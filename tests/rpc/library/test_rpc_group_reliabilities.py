"""ListReliabilities: a row for each persona of a group, as GetReliability measures it."""

from typing import Any

import pytest

from persona.v1 import library_service_pb2 as pb
from persona.v1 import measures_pb2
from persona.v1.measures_pb2 import PersonaReliability
from support.answers import record
from support.data import Place, make_place, rich_persona, uid
from support.errors import refused
from support.library import (
    QUESTIONS,
    SIMULATIONS,
    answer_reliably,
    promote,
    ratings,
    reliability,
    reuse,
)

SAME = (
    "status", "question_count", "simulation_count", "explanation", "coefficient", "lower_bound",
    "upper_bound", "contradiction_rate",
)  # fmt: skip


def page(place: Place, **arguments: Any) -> pb.ListReliabilitiesResponse:
    request = pb.ListReliabilitiesRequest(**(place.ids | arguments))
    return place.caller.library.ListReliabilities(request)


def rows(place: Place, **arguments: Any) -> list[PersonaReliability]:
    found = page(place, **arguments)
    assert found.next_page_token == ""
    return list(found.reliabilities)


def crowd(place: Place) -> list[str]:
    """Let six personas answer the same questions in the same simulations, the later the worse.

    Half of the questions divide them more than the others do. The last one has not answered.
    """
    people, wide, narrow = [one.id for one in place.fill(7)], uid(), uid()
    for day in range(SIMULATIONS):
        said = [
            given
            for i, one in enumerate(people[:6])
            for given in (
                *ratings(one, wide, 1 + (i + (day < i // 2)) % 5, day),
                *ratings(one, narrow, 2 + i // 3, day),
            )
        ]
        record(place.caller, uid(), *said)
    return people


def test_rows_are_what_is_measured_of_each(place: Place) -> None:
    people = crowd(place)
    found = rows(place)
    assert [row.persona_id for row in found] == people
    assert {row.full_name for row in found} == {one.full_name for one in place.walk()}
    for row in found:
        whole = reliability(place.caller, **place.ids, persona_id=row.persona_id)
        for name in SAME:
            assert getattr(row, name) == getattr(whole, name), name
    assert (found[0].coefficient.value, found[0].contradiction_rate.value) == (1, 0)
    assert found[0].question_count == 2 * QUESTIONS
    assert not found[-1].HasField("coefficient")
    assert found[-1].status == measures_pb2.RELIABILITY_STATUS_INSUFFICIENT_DATA
    assert found[-1].explanation.startswith("No question was answered in two simulations")


def test_one_in_the_library_is_measured_over_all_its_personas(place: Place) -> None:
    one = place.create(rich_persona(full_name="Maria Santos")).id
    answer_reliably(place, one)
    (row,) = rows(place)
    assert (row.full_name, row.explanation) == ("Maria Santos", "")
    assert row.status == measures_pb2.RELIABILITY_STATUS_ELIGIBLE
    assert not row.HasField("library_persona_id")
    library_id, other = promote(place, one).id, make_place(place.caller)
    (copy,) = reuse(other, library_id)
    for where, who in ((place, one), (other, copy.id)):
        (again,) = rows(where)
        assert (again.persona_id, again.library_persona_id.value) == (who, library_id)
        assert again.lower_bound == row.lower_bound


@pytest.mark.parametrize("name", ["coefficient", "lower_bound", "question_count"])
def test_an_order_has_the_whole_group_at_once(place: Place, name: str) -> None:
    crowd(place)
    listed = rows(place)
    for direction in ("", " desc"):
        found = rows(place, order_by=f" {name} {direction}", page_size=2)
        assert sorted(r.persona_id for r in found) == sorted(r.persona_id for r in listed)
        figures = [getattr(row, name) for row in found]
        if name == "question_count":
            assert figures == sorted(figures, reverse=bool(direction))
            continue
        values = [figure.value for figure in figures[:6]]
        assert values == sorted(values, reverse=bool(direction))
        assert values[0] != values[-1]
        assert not found[-1].HasField(name)  # type: ignore[arg-type]
        equal = [row for row in listed if getattr(row, name) == getattr(listed[0], name)]
        assert [row for row in found if row in equal] == equal
        assert len(equal) == 2


def test_an_order_is_of_a_small_group(place: Place) -> None:
    place.fill(1000)
    assert len(rows(place, order_by="lower_bound")) == 1000
    place.fill(1)
    with refused("INVALID_FIELD") as refusal:
        page(place, order_by="lower_bound")
    assert "up to 1000 personas, this one has 1001" in refusal.problem.fields["order_by"]
    with refused("INVALID_FIELD") as refusal:
        page(place, order_by="upper_bound")
    assert set(refusal.problem.fields) == {"order_by"}
    first = page(place, page_size=1000)
    assert len(first.reliabilities) == 100
    assert first == page(place)


def test_rows_are_of_what_the_group_shows(place: Place) -> None:
    people = [one.id for one in place.fill(3)]
    first = page(place, page_size=2)
    assert [row.persona_id for row in first.reliabilities] == people[:2]
    place.delete(people[1])
    place.fill(1)
    second = page(place, page_token=first.next_page_token)
    assert second.reliabilities[0].persona_id == people[2]
    assert len(second.reliabilities) == 2
    assert people[1] not in {row.persona_id for row in rows(place)}
    assert rows(make_place(place.caller)) == []
    with refused("PERSONA_GROUP_NOT_FOUND"):
        page(place, group_id=uid())

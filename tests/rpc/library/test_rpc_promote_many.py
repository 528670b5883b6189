"""PromotePersonas: several individuals, each with an outcome of its own, named or by pages."""

from typing import Any

import pytest

from persona.v1 import library_service_pb2 as pb
from persona.v1.library_pb2 import Promotion, PromotionOutcome
from support.answers import answer, record
from support.data import Place, make_place, persona, uid
from support.errors import refused
from support.library import (
    BOUND,
    OWN,
    PEERS,
    SIMULATIONS,
    answer_reliably,
    library_persona,
    peer_answers,
    promote,
    ratings,
    reliability,
    reuse,
)


def call(place: Place, *persona_ids: str, **arguments: Any) -> pb.PromotePersonasResponse:
    request = pb.PromotePersonasRequest(**(place.ids | arguments), persona_ids=persona_ids)
    return place.caller.library.PromotePersonas(request)


def promoted(place: Place, *persona_ids: str, **arguments: Any) -> list[Promotion]:
    """Return what became of each; there must be no other page."""
    found = call(place, *persona_ids, **arguments)
    assert found.next_page_token == ""
    return list(found.promotions)


def outcomes(promotions: Any) -> list[str]:
    names = [PromotionOutcome.Name(one.outcome) for one in promotions]
    return [name.removeprefix("PROMOTION_OUTCOME_") for name in names]


def reliable(place: Place, number: int) -> list[str]:
    """Make individuals that are eligible, from the same simulations."""
    people, tag = [one.id for one in place.fill(number)], uid()
    peers = make_place(place.caller, place.project)
    for day in range(SIMULATIONS):
        others = [one.id for one in peers.fill(len(PEERS))]
        own = [each for one in people for each in ratings(one, tag, OWN, day)]
        record(place.caller, uid(), *peer_answers(others, tag, day), *own)
    return people


def test_each_has_its_own_outcome(place: Place) -> None:
    one, unreliable, silent, before = [each.id for each in place.fill(4)]
    answer_reliably(place, one)
    answer_reliably(place, before)
    tag = answer_reliably(place, unreliable)
    record(place.caller, uid(), *ratings(unreliable, tag, 1, SIMULATIONS))
    record(place.caller, uid(), *ratings(unreliable, tag, 2, SIMULATIONS + 1))
    known, nobody = promote(place, before).id, uid()
    found = promoted(place, nobody, one, unreliable, silent, before)
    assert [each.persona_id for each in found] == [nobody, one, unreliable, silent, before]
    assert outcomes(found) == [
        "PERSONA_NOT_FOUND",
        "PROMOTED",
        "NOT_ELIGIBLE",
        "INSUFFICIENT_DATA",
        "ALREADY_PROMOTED",
    ]
    assert found[4].library_persona_id.value == known
    assert [each.HasField("library_persona_id") for each in found[:4]] == [
        False,
        True,
        False,
        False,
    ]
    for each in (found[2], found[3]):
        measured = reliability(place.caller, **place.ids, persona_id=each.persona_id)
        assert each.explanation == measured.explanation != ""
    assert found[0].explanation == found[1].explanation == found[4].explanation == ""
    made = library_persona(place.caller, found[1].library_persona_id.value)
    assert made.origin_persona_id == one
    assert made.reliability.lower_bound.value == pytest.approx(BOUND, abs=5e-7)
    assert outcomes(promoted(place, one)) == ["ALREADY_PROMOTED"]


def test_what_is_kept_is_what_is_kept_of_one(place: Place) -> None:
    first, second = reliable(place, 2)
    alone = promote(place, first)
    (together,) = promoted(place, second)
    other = library_persona(place.caller, together.library_persona_id.value)
    for one in (alone, other):
        one.reliability.ClearField("measured_at")
    assert other.reliability == alone.reliability
    assert other.models == alone.models


def test_a_group_is_promoted_page_by_page(place: Place) -> None:
    people = reliable(place, 5)
    place.delete(people[1])
    del people[1]
    seen: list[Promotion] = []
    token, pages = "", 0
    while token or not pages:
        page = call(place, page_size=3, page_token=token, request_id=uid())
        seen += page.promotions
        token, pages = page.next_page_token, pages + 1
    assert (pages, [one.persona_id for one in seen]) == (2, people)
    assert outcomes(seen) == ["PROMOTED"] * 4
    assert outcomes(promoted(place)) == ["ALREADY_PROMOTED"] * 4
    assert promoted(make_place(place.caller)) == []


def test_a_copy_is_promoted_already(place: Place) -> None:
    one = reliable(place, 1)[0]
    library_id, other = promote(place, one).id, make_place(place.caller)
    (copy,) = reuse(other, library_id)
    (found,) = promoted(other)
    assert (found.persona_id, outcomes([found])) == (copy.id, ["ALREADY_PROMOTED"])
    assert found.library_persona_id.value == library_id


def test_only_personas_of_the_group_are_promoted(place: Place) -> None:
    one, hidden = reliable(place, 2)
    place.delete(hidden)
    assert outcomes(promoted(make_place(place.caller, place.project), one)) == ["PERSONA_NOT_FOUND"]
    assert outcomes(promoted(place, hidden)) == ["PERSONA_NOT_FOUND"]
    for ids, reason in (
        ({"project_id": uid()}, "PROJECT_NOT_FOUND"),
        ({"group_id": uid()}, "PERSONA_GROUP_NOT_FOUND"),
    ):
        for named in ((one,), ()):
            with refused(reason):
                call(place, *named, **ids)


def test_a_retry_gets_the_first_answer(place: Place) -> None:
    one, request_id = reliable(place, 1)[0], uid()
    first = call(place, one, request_id=request_id)
    assert outcomes(first.promotions) == ["PROMOTED"]
    record(place.caller, uid(), answer(one))
    place.delete(one)
    assert call(place, one, request_id=request_id) == first
    with refused("REQUEST_ID_REUSED"):
        call(place, uid(), request_id=request_id)


def test_it_can_be_tried_first(place: Place) -> None:
    one = reliable(place, 1)[0]
    for _ in range(2):
        (tried,) = promoted(place, one, validate_only=True)
        assert outcomes([tried]) == ["PROMOTED"]
        assert not tried.HasField("library_persona_id")
    assert outcomes(promoted(place, one)) == ["PROMOTED"]
    (again,) = promoted(place, one, validate_only=True)
    assert again.library_persona_id.value  # it was there before


def test_a_token_goes_on_with_the_same_group(place: Place) -> None:
    place.fill(3)
    token = call(place, page_size=1, validate_only=True).next_page_token
    assert len(call(place, page_token=token, request_id=uid()).promotions) == 2
    other = make_place(place.caller, place.project)
    for where, named in ((other, ()), (place, (uid(),))):
        with refused("INVALID_PAGE_TOKEN"):
            call(where, *named, page_token=token)


@pytest.mark.parametrize(
    ("ids", "field"),
    [
        ([uid()] * 2, "persona_ids[1]"),
        (["x"], "persona_ids[0]"),
        ([uid() for _ in range(101)], "persona_ids"),
    ],
)
def test_ids_that_are_refused(place: Place, ids: list[str], field: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        call(place, *ids)
    assert field in refusal.problem.fields


def test_a_page_has_a_hundred_at_most(place: Place) -> None:
    place.batch([persona() for _ in range(101)])
    for size in (0, 1000):
        page = call(place, page_size=size)
        assert (len(page.promotions), page.next_page_token != "") == (100, True)
        assert set(outcomes(page.promotions)) == {"INSUFFICIENT_DATA"}

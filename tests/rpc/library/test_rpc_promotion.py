"""Promotions, which reliability measured over gRPC allows or refuses."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from persona.v1 import library_service_pb2 as pb
from persona.v1 import measures_pb2
from support.answers import record
from support.data import Place, make_place, rich_persona, uid
from support.errors import refused
from support.library import (
    BOUND,
    OWN,
    QUESTIONS,
    SIMULATIONS,
    answer_reliably,
    individual,
    library_persona,
    peer_answers,
    promote,
    ratings,
    reliability,
    reuse,
)


def test_the_unreliable_are_refused_with_every_rule(place: Place) -> None:
    """Who gives one position whatever is asked, in perfect agreement."""
    one, tag = place.create(rich_persona()).id, uid()
    peers = [p.id for p in make_place(place.caller, place.project).fill(5)]
    for day in range(SIMULATIONS):
        given = ratings(one, tag, OWN, day)
        for each in given:
            each.rating.value = OWN
        record(place.caller, uid(), *peer_answers(peers, tag, day), *given)
    found = reliability(place.caller, **place.ids, persona_id=one)
    assert found.status == measures_pb2.RELIABILITY_STATUS_NOT_ELIGIBLE
    assert found.styles.straight_lining.value == pytest.approx(0.8)
    with refused("NOT_ELIGIBLE") as refusal:
        promote(place, one)
    assert refusal.problem.metadata == {"persona_id": one, "status": "NOT_ELIGIBLE"}
    told = refusal.problem.reliability
    assert told is not None
    broken = {rule.name for rule in told.rules if not rule.holds}
    assert broken == {"straight_lining", "acquiescence"}
    for name in ("contradictions", "models", "simulations"):
        found.ClearField(name)
    assert told.HasField("measured_at")
    told.measured_at.CopyFrom(found.measured_at)
    assert told == found
    assert "straight_lining is 0.80, must be at most 0.40" in refusal.problem.message
    assert found.explanation in refusal.problem.message


def test_promotion_makes_a_library_persona_and_leaves_the_persona(place: Place) -> None:
    before = place.create(rich_persona())
    answer_reliably(place, before.id)
    promoted = promote(place, before.id)
    assert place.get(before.id) == before  # generated fresh, as it was
    assert not before.HasField("library_persona_id")
    profile = before.__class__()
    profile.CopyFrom(before)
    for name in ("id", "project_id", "group_id"):
        profile.ClearField(name)
    assert promoted.profile == profile
    assert promoted.origin_project_id == place.project
    assert promoted.origin_group_id == place.group
    assert promoted.origin_persona_id == before.id
    assert (promoted.project_count, promoted.response_count) == (1, QUESTIONS * SIMULATIONS)
    assert not promoted.HasField("retired_at")
    assert promoted.reliability.lower_bound.value == pytest.approx(BOUND, abs=5e-7)
    assert library_persona(place.caller, promoted.id) == promoted
    found = reliability(place.caller, **place.ids, persona_id=before.id)
    assert found.library_persona_id.value == promoted.id
    assert found == _measured_at(reliability(place.caller, library_persona_id=promoted.id), found)
    assert promoted.models == found.models
    kept = promoted.reliability
    assert not kept.models
    assert [one.simulation_id for one in kept.simulations] == [
        one.simulation_id for one in found.simulations
    ]
    assert not any(one.HasField("coefficient_without") for one in kept.simulations)
    assert (kept.version, kept.mean_chance, kept.styles) == (2, found.mean_chance, found.styles)


@pytest.mark.parametrize(("name", "kept"), [("m", 64), ("🙂" * 252, 32)])
def test_the_models_that_its_reliability_came_from_are_kept(
    place: Place, name: str, kept: int
) -> None:
    """Up to 64 KiB of them."""
    one, tag = place.create(rich_persona()).id, uid()
    peers = [p.id for p in make_place(place.caller, place.project).fill(5)]
    for day in range(SIMULATIONS):
        own = ratings(one, tag, OWN, day)
        for i, each in enumerate(own):
            each.model = each.prompt_version = f"{day * QUESTIONS + i:03}{name}"
        record(place.caller, uid(), *peer_answers(peers, tag, day), *own)
    measured = reliability(place.caller, **place.ids, persona_id=one).models
    assert len(measured) == SIMULATIONS * QUESTIONS
    assert promote(place, one).models == measured[:kept]


def _measured_at(
    found: measures_pb2.Reliability, other: measures_pb2.Reliability
) -> measures_pb2.Reliability:
    found.measured_at.CopyFrom(other.measured_at)
    return found


def test_promoting_twice_is_the_same_library_persona(place: Place) -> None:
    first = individual(place)
    assert promote(place, first.origin_persona_id) == first
    # A copy is the same individual.
    other = make_place(place.caller)
    (copy,) = reuse(other, first.id)
    assert promote(other, copy.id).id == first.id


def test_two_promotions_at_once_make_one(place: Place) -> None:
    one = place.create(rich_persona()).id
    answer_reliably(place, one)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: promote(place, one), range(16)))
    assert len({found.id for found in made}) == 1
    listed = place.caller.library.ListLibraryPersonas(pb.ListLibraryPersonasRequest())
    assert [found.id for found in listed.library_personas] == [made[0].id]


def test_a_deleted_persona_is_not_promoted_but_measured(place: Place) -> None:
    one = place.create(rich_persona()).id
    answer_reliably(place, one)
    before = reliability(place.caller, **place.ids, persona_id=one)
    place.delete(one)
    with refused("PERSONA_NOT_FOUND"):
        promote(place, one)
    after = reliability(place.caller, **place.ids, persona_id=one)
    assert after.status == measures_pb2.RELIABILITY_STATUS_ELIGIBLE
    assert _measured_at(after, before) == before


def test_a_library_persona_is_measured_over_all_its_copies(place: Place) -> None:
    one = place.create(rich_persona()).id
    tag = answer_reliably(place, one)
    promoted = promote(place, one)
    other = make_place(place.caller)
    (copy,) = reuse(other, promoted.id)
    record(place.caller, uid(), *ratings(copy.id, tag, OWN, SIMULATIONS))
    found = reliability(place.caller, library_persona_id=promoted.id)
    assert found.simulation_count == SIMULATIONS + 1
    assert promoted.reliability.pair_count == QUESTIONS * 6
    assert found.pair_count == QUESTIONS * 10  # of five answers each
    now = library_persona(place.caller, promoted.id)
    assert now.response_count == QUESTIONS * (SIMULATIONS + 1)
    assert now.reliability == promoted.reliability  # as measured at promotion
    assert found == _measured_at(reliability(place.caller, **other.ids, persona_id=copy.id), found)


def test_what_was_measured_at_promotion_stands_beside_todays(place: Place) -> None:
    one, tag = place.create(rich_persona()).id, uid()
    simulations = [uid() for _ in range(SIMULATIONS)]
    others = [p.id for p in make_place(place.caller, place.project).fill(10)]
    for day, simulation in enumerate(simulations):
        peers = peer_answers(others[:5], tag, day)
        record(place.caller, simulation, *peers, *ratings(one, tag, OWN, day))
    promoted = promote(place, one)
    found = reliability(place.caller, library_persona_id=promoted.id)
    assert found.HasField("population_differs")
    assert not found.population_differs.value
    assert not promoted.reliability.HasField("population_differs")
    # Five who say the same in the same simulations leave less that is unlike.
    for day, simulation in enumerate(simulations):
        alike = [r for who in others[5:] for r in ratings(who, tag, OWN, day)]
        record(place.caller, simulation, *alike)
    found = reliability(place.caller, library_persona_id=promoted.id)
    assert library_persona(place.caller, promoted.id).reliability == promoted.reliability
    assert found.mean_chance.value < 0.8 * promoted.reliability.mean_chance.value
    assert found.population_differs.value

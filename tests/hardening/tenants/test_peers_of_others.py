"""R7 through chance agreement: reliability rests on one tenant's answers, to the last bit."""

from typing import Any

from persona.v1.library_service_pb2 import (
    GetLibraryPersonaAttitudeTimelineRequest,
    GetLibraryPersonaReliabilityRequest,
    GetReliabilityRequest,
    GetReliabilityResponse,
)
from persona.v1.persona_pb2 import Persona
from support.answers import record
from support.data import Place, make_group, make_place, make_project, rich_persona, uid
from support.library import (
    BOUND,
    PEERS,
    SIMULATIONS,
    answer_reliably,
    peer_answers,
    promote,
    ratings,
    reliability,
)
from support.service import Service


def place_of(service: Service, tenant: str, ids: dict[str, Any]) -> Place:
    """Return a place with these ids, as any tenant may have them."""
    caller = service.connect(service.token(tenant))
    make_project(caller, id=ids["project_id"])
    make_group(caller, ids["project_id"], id=ids["group_id"])
    return Place(caller, ids["project_id"], ids["group_id"])


def measured(place: Place, persona_id: str, library_persona_id: str) -> list[bytes]:
    """Return all that is measured of an individual, but for when it was."""
    library = place.caller.library
    found = []
    for answer in (
        library.GetReliability(GetReliabilityRequest(**place.ids, persona_id=persona_id)),
        library.GetLibraryPersonaReliability(
            GetLibraryPersonaReliabilityRequest(library_persona_id=library_persona_id)
        ),
    ):
        answer.reliability.ClearField("measured_at")
        found.append(answer.SerializeToString(deterministic=True))
    request = GetLibraryPersonaAttitudeTimelineRequest(library_persona_id=library_persona_id)
    timeline = library.GetLibraryPersonaAttitudeTimeline(request)
    return [*found, timeline.SerializeToString(deterministic=True)]


def say_otherwise(place: Place, tag: str, persona_id: str, simulations: list[str]) -> None:
    """Let many people of a place answer every question of a tag in their own ways, time and again.

    One of them has the id of the individual itself, where the tenant lets it.
    """
    people = place.batch(Persona(full_name=f"Person {i}") for i in range(len(PEERS) * 2))
    ids = [one.id for one in people]
    for day, simulation in enumerate(simulations):
        answers = [one for i in (5, 6, 7) for one in ratings(ids[i], tag, 1 + (i + day) % 5, day)]
        record(place.caller, simulation, *peer_answers(ids[: len(PEERS)], tag, day), *answers)
        if persona_id:
            record(place.caller, simulation, *ratings(persona_id, tag, 1 + day, day))


def test_another_tenants_answers_change_nothing(own: Service) -> None:
    """Nor do those of the own tenant in other simulations."""
    ours = make_place(own.connect(own.token("peers-ours")))
    one = ours.create(rich_persona(id=uid())).id
    tag = answer_reliably(ours, one)
    library_persona_id = promote(ours, one).id
    before = measured(ours, one, library_persona_id)
    first = GetReliabilityResponse.FromString(before[0]).reliability
    assert round(first.lower_bound.value, 6) == BOUND
    simulations = [each.simulation_id for each in first.simulations]
    theirs = place_of(own, "peers-theirs", ours.ids)
    theirs.create(rich_persona(id=one))  # in that tenant the id is free
    say_otherwise(theirs, tag, one, simulations)
    assert measured(ours, one, library_persona_id) == before
    elsewhere = make_place(ours.caller)
    say_otherwise(elsewhere, tag, "", [uid() for _ in range(SIMULATIONS)])
    assert measured(ours, one, library_persona_id) == before
    # The test can fail: the tenant's own people in the same simulations do change it.
    say_otherwise(make_place(ours.caller, ours.project), tag, "", simulations)
    assert measured(ours, one, library_persona_id) != before
    in_theirs = reliability(theirs.caller, **theirs.ids, persona_id=one)
    assert not in_theirs.HasField("library_persona_id")
    ours.caller.close()
    theirs.caller.close()


def test_without_peers_of_its_own_a_tenant_can_not_tell(own: Service) -> None:
    """However many others answer the same questions elsewhere."""
    rich = make_place(own.connect(own.token("peers-rich")))
    tag = answer_reliably(rich, rich.create(rich_persona()).id)
    poor = make_place(own.connect(own.token("peers-poor")))
    one = poor.create(rich_persona()).id
    for day in range(SIMULATIONS):
        record(poor.caller, uid(), *ratings(one, tag, 4, day))
    found = reliability(poor.caller, **poor.ids, persona_id=one)
    assert not found.HasField("coefficient")
    assert found.question_count == 0
    rich.caller.close()
    poor.caller.close()

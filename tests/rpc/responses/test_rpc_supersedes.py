"""An answer that takes the place of another, which is void from then on."""

from typing import Any

from persona.v1.response_pb2 import RatingAnswer, Response
from support.answering.voiding import counted, get, say, void
from support.answers import answer, listed, record
from support.data import Place, make_place, persona, uid
from support.errors import refused
from support.library import individual, reuse

FIELD = "responses[0].supersedes"


def test_an_answer_takes_the_place_of_another(place: Place) -> None:
    (one,) = place.fill(1)
    simulation = uid()
    (old,) = record(place.caller, simulation, answer(one.id))
    new = answer(one.id, id=uid(), supersedes=old.id.upper())
    said = say(place, simulation, new)
    (recorded,) = said.responses
    assert (recorded.supersedes, recorded.void_reason, len(said.warnings)) == (old.id, "", 0)
    assert get(place, old.id).void_reason == f"superseded by {new.id}"
    assert counted(place, simulation) == (1, 1)
    assert list(say(place, simulation, new).responses) == [recorded]
    without = answer(one.id, id=new.id)
    assert list(say(place, simulation, without).responses) == [recorded]
    with refused("ALREADY_EXISTS"):  # it took the place of another
        say(place, simulation, answer(one.id, id=new.id, supersedes=uid()))
    (third,) = record(place.caller, simulation, answer(one.id, supersedes=new.id))
    assert get(place, new.id).void_reason == f"superseded by {third.id}"


def test_what_is_superseded_beside_its_own_repetition_is_void(place: Place) -> None:
    (one,) = place.fill(1)
    simulation, old = uid(), answer(one.id, id=uid())
    say(place, simulation, old)
    said = say(place, simulation, old, answer(one.id, supersedes=old.id))
    shown, new = said.responses
    assert (shown, shown.void_reason) == (get(place, old.id), f"superseded by {new.id}")
    assert not said.warnings  # it is no second answer: the new one is the only one that stands


def test_a_copy_may_answer_for_its_individual(place: Place) -> None:
    library = individual(place)
    old = listed(place.caller, library_persona_id=library.id)[0]
    within = make_place(place.caller, place.project)
    copy = reuse(within, library.id)[0]
    new = Response.FromString(old.SerializeToString())
    new.id, new.persona_id, new.supersedes = uid(), copy.id, old.id
    say(place, old.simulation_id, new)
    assert get(place, old.id).void_reason == f"superseded by {new.id}"


def test_what_can_not_be_superseded(place: Place) -> None:
    one, other = place.fill(2)
    simulation = uid()
    old, gone, another = record(
        place.caller, simulation, answer(one.id), answer(one.id), answer(other.id)
    )
    void(place, gone.id)
    wide = RatingAnswer(value=4, min=1, max=7)
    elsewhere = uid()
    for where, given in (
        (simulation, answer(one.id, supersedes=uid())),
        (simulation, answer(one.id, supersedes="x")),
        (simulation, answer(one.id, supersedes=gone.id)),
        (simulation, answer(one.id, supersedes=another.id)),
        (simulation, answer(one.id, supersedes=old.id, question_key="another")),
        (simulation, answer(one.id, supersedes=old.id, rating=wide)),
        (elsewhere, answer(one.id, supersedes=old.id)),
    ):
        with refused("INVALID_FIELD") as refusal:
            say(place, where, given)
        assert list(refusal.problem.fields) == [FIELD]
    with refused("INVALID_FIELD") as refusal:
        say(place, simulation, *[answer(one.id, supersedes=old.id) for _ in range(2)])
    assert list(refusal.problem.fields) == ["responses[1].supersedes"]
    assert get(place, old.id) == old
    assert counted(place, simulation) == (2, 2)


def test_another_tenants_answer_is_none(place: Place, connect: Any) -> None:
    theirs = make_place(connect("void-theirs"))
    (one,) = place.fill(1)
    stranger = theirs.create(persona())
    (recorded,) = record(theirs.caller, uid(), answer(stranger.id))
    with refused("INVALID_FIELD") as refusal:
        say(place, uid(), answer(one.id, supersedes=recorded.id))
    assert list(refusal.problem.fields) == [FIELD]
    assert get(theirs, recorded.id) == recorded

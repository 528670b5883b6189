"""Reference answers, and how far personas answer as their people: worked case 8."""

import pytest

from persona.v1.fidelity_pb2 import GivenAnswer, ReferenceAnswer
from persona.v1.library_service_pb2 import PromotePersonaRequest
from persona.v1.measures_pb2 import QUESTION_KIND_CHOICES
from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer
from support.answering.references import chosen, fidelity, group_fidelity, rated, refer
from support.answers import answer, record
from support.data import Place, make_place, rich_persona, uid
from support.errors import refused
from support.library import answer_reliably, reuse

# Whether the persona agrees with its person, whether that does with itself, and how often.
CASE_8 = ((True, True, 25), (True, False, 3), (False, True, 9), (False, False, 3))
SHARES = ("share", "low", "high")
RATIO = (0.823529, 0.634952, 1.012107)


def figures(message: object, *names: str) -> tuple[float, ...]:
    return tuple(round(getattr(message, name), 6) for name in names)


def test_a_persona_is_worked_case_8(place: Place) -> None:
    (one,) = place.fill(1)
    said = [(hit, same) for hit, same, count in CASE_8 for _ in range(count)]
    record(place.caller, uid(), *[answer(one.id, question_key=f"q{i}") for i in range(40)])
    given = [
        rated(one.id, rating := 4 if hit else 2, rating if same else 1, key=f"q{i}")
        for i, (hit, same) in enumerate(said)
    ]
    assert refer(place, *given) == 40
    found = fidelity(place, one.id)
    assert (found.reference_count, found.accuracy.count, found.accuracy.equal_count) == (40, 40, 28)
    assert figures(found.accuracy, *SHARES) == (0.7, 0.534684, 0.834373)
    assert (found.consistency.count, found.consistency.equal_count) == (40, 34)
    assert found.consistency.share == 0.85
    assert figures(found.normalized_accuracy, "value", "low", "high") == RATIO
    assert [one.question.key for one in found.outcomes] == [f"q{i}" for i in range(40)]
    first = found.outcomes[0]
    assert (first.persona_answer.rating, first.answer.rating, first.retest.rating) == (4, 4, 4)


def test_a_group_is_worked_case_8_and_a_distribution(place: Place) -> None:
    """Of one question the individuals are what the questions are of one individual."""
    said = [(hit, same) for hit, same, count in CASE_8 for _ in range(count)]
    people = [one.id for one in place.fill(41)]
    record(place.caller, uid(), *[answer(one) for one in people])
    given = [
        rated(one, rating := 4 if hit else 2, rating if same else 1)
        for one, (hit, same) in zip(people, said, strict=False)
    ]
    refer(place, *given)
    (found,) = group_fidelity(place)
    assert figures(found.accuracy, *SHARES) == (0.7, 0.534684, 0.834373)
    assert figures(found.normalized_accuracy, "value", "low", "high") == RATIO
    compared = found.comparison
    assert (compared.paired, compared.individual_count) == (True, 40)
    assert compared.other_individual_count == 40
    assert list(compared.shares) == [0, 0, 0, 1, 0]
    assert list(compared.other_shares) == [0, 0.3, 0, 0.7, 0]
    assert compared.mean_difference.value == pytest.approx(-0.6)
    assert compared.distance.value == pytest.approx(0.15)
    assert compared.distance.adjusted_p == compared.distance.p < 0.001


def test_what_has_no_retest_has_an_accuracy_alone(place: Place) -> None:
    (one,) = place.fill(1)
    assert refer(place, rated(one.id, 4)) == 1
    unanswered = fidelity(place, one.id)
    assert (unanswered.reference_count, len(unanswered.outcomes)) == (1, 1)
    for name in ("accuracy", "consistency", "normalized_accuracy"):
        assert not unanswered.HasField(name)
    assert not unanswered.outcomes[0].HasField("persona_answer")
    assert group_fidelity(place) == []
    record(place.caller, uid(), answer(one.id))
    found = fidelity(place, one.id)
    assert (found.accuracy.count, found.accuracy.share) == (1, 1)
    assert not found.HasField("consistency")
    refer(place, rated(one.id, 4, retest=4))
    again = fidelity(place, one.id)
    assert (again.consistency.count, again.consistency.equal_count) == (1, 1)
    assert not again.HasField("normalized_accuracy"), "it agrees with itself only once"


def test_choices_are_compared_as_sets_whatever_their_order(place: Place) -> None:
    (one,) = place.fill(1)
    options, turned = ["a", "b", "c"], ["c", "b", "a"]
    record(
        place.caller,
        uid(),
        answer(one.id, question_key="one", choice=ChoiceAnswer(value="b", options=options)),
        answer(
            one.id, question_key="some", choices=ChoicesAnswer(values=["a", "c"], options=options)
        ),
        answer(one.id, question_key="none", choices=ChoicesAnswer(options=options)),
    )
    refer(
        place,
        chosen(one.id, turned, "c", key="one", retest=GivenAnswer(options=["b"])),
        chosen(one.id, turned, "c", "a", key="some", kind=QUESTION_KIND_CHOICES),
        chosen(one.id, turned, "b", key="none", kind=QUESTION_KIND_CHOICES),
        chosen(one.id, ["a", "b"], "b", key="one"),  # another question
    )
    found = fidelity(place, one.id)
    assert (found.reference_count, found.accuracy.count, found.accuracy.equal_count) == (4, 3, 1)
    outcomes = {each.question.key: each for each in found.outcomes[:3]}
    assert list(outcomes) == ["one", "some", "none"]
    assert list(outcomes["one"].persona_answer.options) == ["b"]
    assert list(outcomes["one"].question.options) == turned
    assert list(outcomes["some"].persona_answer.options) == ["a", "c"]
    assert outcomes["none"].HasField("persona_answer")
    assert list(outcomes["none"].persona_answer.options) == []
    assert not found.outcomes[3].HasField("persona_answer")
    of_group = {each.question.key: each for each in group_fidelity(place)}
    assert list(of_group["one"].question.options) == options
    assert of_group["some"].accuracy.share == 1
    assert not of_group["some"].comparison.shares


def test_the_latest_answer_counts_or_that_in_a_simulation_or_by_a_model(place: Place) -> None:
    (one,) = place.fill(1)
    refer(place, rated(one.id, 2))
    simulations = uid(), uid()
    for simulation, value in zip(simulations, (2, 3), strict=True):
        rating = RatingAnswer(value=value, min=1, max=5)
        record(place.caller, simulation, answer(one.id, rating=rating, model=f"m{value}"))

    def share(**arguments: str) -> float:
        (of_group,) = group_fidelity(place, **arguments)
        found = fidelity(place, one.id, **arguments)
        assert found.accuracy == of_group.accuracy
        return found.accuracy.share

    assert share() == 0
    assert share(simulation_id=simulations[0]) == 1
    assert share(simulation_id=simulations[1]) == 0
    assert share(model="m2") == 1
    with refused("SIMULATION_NOT_FOUND"):
        fidelity(place, one.id, simulation_id=uid())


def test_an_answer_that_is_sent_again_is_replaced(place: Place) -> None:
    (one,) = place.fill(1)
    record(place.caller, uid(), answer(one.id))
    assert refer(place, rated(one.id, 2), rated(one.id, 3, key="other")) == 2
    assert refer(place, rated(one.id, 2), rated(one.id, 4, key="other")) == 1
    assert refer(place, rated(one.id, 4, 3)) == 1
    found = fidelity(place, one.id)
    assert (found.accuracy.share, found.consistency.share) == (1, 0)
    assert refer(place, rated(one.id, 4)) == 1, "without its retest"
    assert not fidelity(place, one.id).HasField("consistency")


def test_they_are_of_the_individual_and_outlive_the_persona(place: Place) -> None:
    one = place.create(rich_persona(external_id="respondent 7")).id
    answer_reliably(place, one)
    given = rated("", 4, key="told")
    given.persona_external_id = "respondent 7"
    assert refer(place, given) == 1
    record(place.caller, uid(), answer(one, question_key="told"))
    promoted = place.caller.library.PromotePersona(
        PromotePersonaRequest(**place.ids, persona_id=one)
    ).library_persona
    other = make_place(place.caller)
    (copy,) = reuse(other, promoted.id)
    assert refer(other, rated(copy.id, 4), rated(copy.id, 4, key="more")) == 2
    assert fidelity(other, copy.id).reference_count == fidelity(place, one).reference_count == 3
    record(place.caller, uid(), answer(copy.id, question_key="told"))
    (found,) = group_fidelity(other)
    assert found.accuracy.share == 1
    place.delete(one)
    assert fidelity(place, one).accuracy.share == 1
    assert group_fidelity(place) == []
    with refused("PERSONA_NOT_FOUND") as refusal:
        refer(place, rated(copy.id, 1), rated(one, 1))
    assert refusal.problem.metadata["indexes"] == "0-1"
    assert [*refusal.problem.fields] == [f"reference_answers[{i}].persona_id" for i in (0, 1)]


def test_a_page_ends_after_so_many_questions(place: Place) -> None:
    (one,) = place.fill(1)
    keys = ["b", "a", "c"]
    record(place.caller, uid(), *[answer(one.id, question_key=key) for key in [*keys, "d"]])
    refer(place, *[rated(one.id, 4, key=key) for key in "abc"])
    assert [each.question.key for each in group_fidelity(place, page_size=1)] == keys


def test_two_answers_of_an_individual_to_a_question_are_refused(place: Place) -> None:
    (one,) = place.fill(1)
    with refused("INVALID_FIELD") as refusal:
        refer(place, rated(one.id, 2), rated(one.id, 2, key="other"), rated(one.id, 3))
    assert [*refusal.problem.fields] == ["reference_answers[2]"]
    assert fidelity(place, one.id).reference_count == 0


def test_an_individual_has_a_thousand_at_most(place: Place) -> None:
    (one,) = place.fill(1)
    assert refer(place, *[rated(one.id, 2, key=f"q{i}") for i in range(1000)]) == 1000
    with refused("INVALID_FIELD") as refusal:
        refer(place, rated(one.id, 3, key="q0"), rated(one.id, 2, key="one more"))
    assert [*refusal.problem.fields] == ["reference_answers[1]"]
    assert refer(place, rated(one.id, 3, key="q0")) == 1
    assert len(fidelity(place, one.id).outcomes) == 1000


BAD = [
    (ReferenceAnswer(persona_id=uid()), ["answer", "question.key", "question.kind"]),
    (chosen("x", ["a", "b"], "a"), ["persona_id"]),
    (rated(uid(), 6), ["answer.rating"]),
    (rated(uid(), 5, 0), ["retest.rating"]),
    (rated(uid(), 1, scale=(1, 1)), ["question"]),
    (chosen(uid(), ["a"], "a"), ["question"]),
    (chosen(uid(), ["a", "a"], "a"), ["question"]),
    (chosen(uid(), ["a", "b"]), ["answer.options"]),
    (chosen(uid(), ["a", "b"], "a", "b"), ["answer.options"]),
    (chosen(uid(), ["a", "b"], "c"), ["answer.options"]),
    (chosen(uid(), ["a", "b"], "a", kind=5), ["question.kind"]),
    (chosen(uid(), ["a", "\n"], "a"), ["question.options[1]", "question.options[1]"]),
    (chosen(uid(), ["a", "b"], "b", "b", kind=QUESTION_KIND_CHOICES), ["answer.options"]),
    (
        chosen(uid(), ["a", "b"], "a", retest=GivenAnswer(rating=1)),
        ["retest.rating", "retest.options"],
    ),
    (chosen(uid(), ["a", "b"], "a", persona_external_id="e"), ["persona_id"]),
]


@pytest.mark.parametrize(("bad", "fields"), BAD)
def test_what_is_no_reference_answer_is_named(place: Place, bad: object, fields: list[str]) -> None:
    with refused("INVALID_FIELD") as refusal:
        refer(place, bad)  # type: ignore[arg-type]
    wanted = dict.fromkeys(f"reference_answers[0].{field}" for field in fields)
    assert [*refusal.problem.fields] == list(wanted)

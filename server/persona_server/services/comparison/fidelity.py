"""How far personas answer as the people that they stand for, as messages."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from persona.v1.comparison_service_pb2 import (
    MeasureFidelityRequest,
    MeasureGroupFidelityRequest,
)
from persona.v1.fidelity_pb2 import (
    EqualAnswers,
    Fidelity,
    GivenAnswer,
    NormalizedAccuracy,
    QuestionFidelity,
    ReferenceAnswer,
    ReferenceOutcome,
)
from persona_server import patience
from persona_server.measures.answers import Kind, Question
from persona_server.measures.comparison.fidelity import AskedTwice, accuracy, normalised
from persona_server.services.comparison.comparisons import selections_message
from persona_server.services.comparison.pages import is_asked_for, questions_of
from persona_server.services.comparison.selecting import (
    AskedOf,
    Selection,
    WantedSelection,
    asked_by,
    numbers_of,
    selection_of,
)
from persona_server.services.library.individuals import recorded_individual
from persona_server.services.library.reliability_messages import (
    question_from,
    question_message,
    within_bytes,
)
from persona_server.storage.derived.questions import question_hash
from persona_server.storage.repositories.references import Said
from persona_server.storage.store import Repositories

_MOST_BYTES = 1 << 20  # of outcomes, which may have 64 KiB of options each


class Beside(NamedTuple):
    """A persona's answer beside those of its person, as numbers of a series."""

    persona: int
    answer: int
    retest: int | None


def fidelity_message(repositories: Repositories, request: MeasureFidelityRequest) -> Fidelity:
    """Measure one persona. `repositories` must be one snapshot.

    Raises PROJECT_NOT_FOUND, SIMULATION_NOT_FOUND, PERSONA_GROUP_NOT_FOUND and PERSONA_NOT_FOUND.
    """
    ids = (request.project_id, request.simulation_id, request.group_id, request.model)
    selection = selection_of(repositories, WantedSelection(*ids, persona_id=request.persona_id))
    path = (request.project_id, request.group_id, request.persona_id)
    individual = recorded_individual(repositories, *path).origin
    said = repositories.references.of_individual(individual)
    given = _given(repositories, selection, individual, said)
    message = Fidelity(reference_count=len(said))
    _add_figures(message, [_beside(given[question], said[question]) for question in given])
    outcomes = _outcomes(repositories, individual, said, given)
    message.outcomes.extend(within_bytes(outcomes, _MOST_BYTES))
    return message


class Measured(NamedTuple):
    """A question that a group was asked, and how many answers are read to measure it."""

    asked: AskedOf
    read: int


class GroupFidelity:
    """A group beside its people, question by question. Read within one snapshot.

    Raises NOT_FOUND reasons, outermost first, and INVALID_FIELD for too large a group.
    """

    def __init__(self, repositories: Repositories, request: MeasureGroupFidelityRequest) -> None:
        ids = (request.project_id, request.simulation_id, request.group_id, request.model)
        self._repositories = repositories
        self._selection = selection_of(repositories, WantedSelection(*ids))
        self._key = request.question_key

    def questions(self, after: int) -> Iterator[Measured]:
        """Yield what the group was asked behind a question."""
        for asked in questions_of(self._selection, after):
            known = self._repositories.references.any_to(question_hash(asked.question))
            wanted = known and is_asked_for(self._key, asked.question)
            yield Measured(asked, self._selection.reading(asked) if wanted else 0)

    def measure(self, one: Measured) -> QuestionFidelity | None:
        """Measure a question; None if no individual and its person have answered it."""
        question = one.asked.question
        given = numbers_of(self._selection.given(one.asked) if one.read else {})
        said = self._repositories.references.of_question(question_hash(question), list(given))
        if not said:
            return None
        declared = self._repositories.derived.declared([question])[question]
        personas = {who: given[who] for who in said}
        people = {who: each.answer for who, each in said.items()}
        message = QuestionFidelity(
            question=question_message(question, declared),
            comparison=selections_message(question, declared, personas, people),
        )
        _add_figures(message, [_beside(given[who], each) for who, each in said.items()])
        return message


def _given(
    repositories: Repositories,
    selection: Selection,
    individual: bytes,
    said: Mapping[bytes, Said],
) -> dict[bytes, int]:
    """Return what a persona answered to the questions that its person did, as first asked."""
    numbered = repositories.derived.numbered(list(said))
    found = {}
    for question in sorted(numbered, key=lambda each: numbered[each]):
        patience.require()
        asked = asked_by(selection, numbered[question])
        given = selection.given(asked) if asked else {}
        if individual in given:
            found[question] = given[individual].number
    return found


def _beside(number: int, said: Said) -> Beside:
    return Beside(number, said.answer, said.retest)


def _add_figures(message: Fidelity | QuestionFidelity, found: Collection[Beside]) -> None:
    """Add how many answers are equal, and to how many of the people's own retest."""
    if not found:
        return
    hits = sum(one.persona == one.answer for one in found)
    message.accuracy.CopyFrom(_equal(hits, len(found)))
    asked = _asked_twice(found)
    if n := sum(asked):
        message.consistency.CopyFrom(_equal(asked.both + asked.consistent_only, n))
        if (ratio := normalised(asked)) is not None:
            message.normalized_accuracy.CopyFrom(NormalizedAccuracy(**ratio._asdict()))


def _asked_twice(found: Collection[Beside]) -> AskedTwice:
    """Count those that have a retest."""
    agree = Counter(
        (one.persona == one.answer, one.answer == one.retest)
        for one in found
        if one.retest is not None
    )
    return AskedTwice(
        agree[True, True], agree[True, False], agree[False, True], agree[False, False]
    )


def _equal(count: int, n: int) -> EqualAnswers:
    found = accuracy(count, n)
    return EqualAnswers(
        count=n, equal_count=count, share=found.value, low=found.low, high=found.high
    )


def _outcomes(
    repositories: Repositories,
    individual: bytes,
    said: Mapping[bytes, Said],
    given: Mapping[bytes, int],
) -> Iterator[ReferenceOutcome]:
    """Yield the answers of a person with its persona's: those that are compared come first."""
    for question in (*given, *sorted(said.keys() - given.keys())):
        content = repositories.references.content(individual, question)
        reference = ReferenceAnswer.FromString(content)
        outcome = ReferenceOutcome(question=reference.question, answer=reference.answer)
        if reference.HasField("retest"):
            outcome.retest.CopyFrom(reference.retest)
        if question in given:
            number, asked = given[question], question_from(reference.question)
            outcome.persona_answer.CopyFrom(_answer(repositories, asked, number))
        yield outcome


def _answer(repositories: Repositories, question: Question, number: int) -> GivenAnswer:
    """Return an answer of a series as the contract has it, its options sorted."""
    if question.kind is Kind.RATING:
        return GivenAnswer(rating=number)
    if question.kind is Kind.CHOICE:
        return GivenAnswer(options=[question.options[number]])
    return GivenAnswer(options=sorted(repositories.selections.items(number)))

"""Void answers: what is kept of the others, to the byte, as if the void ones had never come."""

import random
from collections.abc import Iterable

import pytest

from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer
from persona.v1.response_service_pb2 import ListResponsesResponse
from persona_server.services.responses.voiding import void_responses
from persona_server.storage import keys
from persona_server.storage.derived import standing
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.response_lists import LONGEST_MARK, WantedResponses
from persona_server.storage.store import Store
from support.answering.erasing import Everywhere, erase, everywhere
from support.answering.measuring import (
    Batch,
    image,
    measured,
    random_batches,
    raw_image,
    record_all,
    reordered,
    truth,
)
from support.answers import answer
from support.data import at, persona, uid
from support.probe import Probe
from support.stored import TENANT, StoredGroup, read

NOW = 1_900_000_000_000_000
REASON = "the model was down"


@pytest.fixture
def group(store: Store) -> StoredGroup:
    """An empty group."""
    return StoredGroup(store)


def void(store: Store, ids: Iterable[str], reason: str = REASON) -> int:
    with store.writing(TENANT, None) as repositories:
        return void_responses(repositories, list(ids), reason).responses


def parted(chance: random.Random, batches: list[Batch]) -> tuple[list[Batch], list[str]]:
    """Return batches without half of their answers, and the ids of this half."""
    kept = [Batch(s, [r for r in given if chance.random() < 0.5]) for s, given in batches]
    known = {r.id for _, given in kept for r in given}
    gone = [r.id for _, given in batches for r in given if r.id not in known]
    return [batch for batch in kept if batch.responses], gone


@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_is_that_of_the_others(group: StoredGroup, seed: int) -> None:
    """Voided at once or little by little, recorded in any order; and a rebuild changes nothing."""
    chance, personas = random.Random(seed), group.add(persona(), persona(), persona())
    batches = random_batches(chance, personas, simulations=12, answers=40)
    kept, gone = parted(chance, batches)
    record_all(group, kept)
    before = image(group.store)
    record_all(group, reordered(chance, batches))
    assert image(group.store) != before
    chance.shuffle(gone)
    while gone:
        size = chance.choice((1, 3, 20, 200))
        assert void(group.store, gone[:size]) == len(gone[:size])
        gone = gone[size:]
    assert image(group.store) == before
    after = raw_image(group.store)
    list(group.store.rebuild.run(NOW))
    assert raw_image(group.store) == after
    assert measured(group.store) == truth(group.store)


def test_between_the_steps_it_is_what_a_rebuild_makes(group: StoredGroup) -> None:
    chance, personas = random.Random(9), group.add(persona(), persona())
    batches = random_batches(chance, personas, simulations=4, answers=20)
    record_all(group, batches)
    ids = [r.id for _, given in batches for r in given]
    chance.shuffle(ids)
    for start in range(0, len(ids), 7):
        void(group.store, ids[start : start + 7])
        after = raw_image(group.store)
        list(group.store.rebuild.run(NOW))
        assert raw_image(group.store) == after
    assert not any(raw_image(group.store).values())


@pytest.mark.parametrize("seed", range(2))
def test_what_is_not_near_is_found_by_what_is_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Who comes first, in two projects, where the next answer with its key is mostly another's."""
    monkeypatch.setattr(standing, "NEAR", 3)
    monkeypatch.setattr(standing, "READ", 2)
    monkeypatch.setattr(standing, "CHUNK", 2)
    chance, ids = random.Random(seed), []
    for group in (StoredGroup(store), StoredGroup(store)):
        batches = random_batches(chance, group.add(persona(), persona(), persona()), 3, 30)
        record_all(group, batches)
        ids += [r.id for _, given in batches for r in given]
    chance.shuffle(ids)
    for start in range(0, len(ids), 11):
        void(store, ids[start : start + 11])
        after = raw_image(store)
        list(store.rebuild.run(NOW))
        assert raw_image(store) == after
    assert not any(raw_image(store).values())


def test_a_text_that_is_said_twice_is_not_near(
    group: StoredGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No series has it without themes. It was first said at another time than it was recorded."""
    monkeypatch.setattr(standing, "READ", 2)
    one, another = (id_text(raw) for raw in group.add(persona(), persona()))
    simulation = uid()
    first, *texts = (
        answer(who, id=uid(), question_key="q", occurred_at=at(when), text="words")
        for who, when in ((one, 1), (another, 1002), (another, 1001))
    )
    ratings = [answer(one, id=uid(), question_key="q", occurred_at=at(2 + i)) for i in range(3)]
    for given in ([first], ratings, *([text] for text in texts)):
        record_all(group, [Batch(simulation, given)])
    void(group.store, [first.id])
    after = raw_image(group.store)
    list(group.store.rebuild.run(NOW))
    assert raw_image(group.store) == after


def test_copies_of_an_individual_are_one(store: Store) -> None:
    """Answers that it gave as its origin and as a reused copy stand for one another."""
    person = everywhere(store)
    chance, probe = random.Random(3), Probe(store)
    given = [id_text(raw) for raw in sorted(probe.values("response", "id"))]
    counts = probe.values("library_persona", "response_count")
    theirs = {
        id_text(raw) for one in (person.origin, person.reused)
        for raw in probe.values("response", "id", persona_id=one)
    }  # fmt: skip
    gone = chance.sample(given, len(given) // 2)
    for start in range(0, len(gone), 50):
        void(store, gone[start : start + 50])
        after = raw_image(store)
        list(store.rebuild.run(NOW))
        assert raw_image(store) == after
    lost = len(theirs.intersection(gone))
    assert probe.values("library_persona", "response_count") == [counts[0] - lost]


def test_who_is_erased_leaves_no_mark(store: Store) -> None:
    """Void answers go with the others, and take nothing out twice."""
    person = everywhere(store)
    probe = Probe(store)
    given = sorted(id_text(raw) for raw in probe.values("response", "id"))
    void(store, given[::3])
    erase(store, person.reused, TENANT)
    left = set(probe.values("response", "id"))
    marked = set(probe.values("response_void", "response_id"))
    assert marked == left.intersection(map(id_bytes, given[::3])) != set()
    after = raw_image(store)
    list(store.rebuild.run(NOW))
    assert raw_image(store) == after


def test_a_mark_goes_in_no_other_way(store: Store) -> None:
    person: Everywhere = everywhere(store)
    given = [id_text(raw) for raw in Probe(store).values("response", "id")]
    void(store, given)
    assert Probe(store).refuses("DELETE FROM response_void")
    assert Probe(store).refuses("DELETE FROM response WHERE persona_id = ?", person.origin)


def test_void_responses_are_framed_anew_at_every_length(group: StoredGroup) -> None:
    """Their length in front may take a byte more than it did."""
    (one,) = group.add(persona())
    simulation, edge = uid(), 1 << 14
    first = answer(id_text(one), id=uid(), occurred_at=at(1), text="x" * 9000)
    record_all(group, [Batch(simulation, [first])])
    responses = read(group.store).responses
    header = 3
    beside = len(responses.known([id_bytes(first.id)])[id_bytes(first.id)]) - header - 9000
    given = [first] + [
        answer(id_text(one), id=uid(), occurred_at=at(1), text="x" * (length - beside))
        for length in (1000, *range(edge - 60, edge + 2), edge + 300)
    ]
    record_all(group, [Batch(simulation, given)])
    ids = [id_bytes(response.id) for response in given]
    before = responses.known(ids)
    void(group.store, [response.id for response in given])
    after = responses.known(ids)
    for raw in ids:
        (was,) = ListResponsesResponse.FromString(before[raw]).responses
        (now,) = ListResponsesResponse.FromString(after[raw]).responses
        assert now.void_reason == REASON
        assert now.HasField("voided_at")
        now.ClearField("void_reason")
        now.ClearField("voided_at")
        assert now == was


def test_options_are_those_of_the_first_that_stands(group: StoredGroup) -> None:
    (one,) = group.add(persona())
    simulation, orders = uid(), ("abc", "bca", "cab")
    given = [
        answer(
            id_text(one), id=uid(), question_key="q", occurred_at=at(i),
            choice=ChoiceAnswer(value="a", options=options),
        )
        for i, options in enumerate(orders)
    ]  # fmt: skip
    record_all(group, [Batch(simulation, given)])
    for i in range(2):
        void(group.store, [given[i].id])
        (declared,) = Probe(group.store).values("question", "declared")
        assert declared == '["{}","{}","{}"]'.format(*orders[i + 1])
    void(group.store, [given[2].id])
    assert Probe(group.store).count("question") == 0


def test_a_page_stays_below_its_bound(group: StoredGroup) -> None:
    """Void responses are longer than they were."""
    (one,) = group.add(persona())
    simulation = uid()
    given = [
        answer(id_text(one), id=uid(), occurred_at=at(i), rating=RatingAnswer(value=1, max=2))
        for i in range(3)
    ]
    record_all(group, [Batch(simulation, given)])
    pages = read(group.store).responses.pages(WantedResponses(simulation=id_bytes(simulation)))
    before = pages.longest(pages.start, 10)
    void(group.store, [given[1].id], "🚀" * 255)
    assert pages.longest(pages.start, 10) == before + LONGEST_MARK
    page = pages.page(pages.start, 10).framed
    shown = ListResponsesResponse.FromString(page).responses
    assert [r.void_reason for r in shown] == ["", "🚀" * 255, ""]
    assert len(page) - 3 * before <= LONGEST_MARK
    assert keys.now() - shown[1].voided_at.ToMicroseconds() < 60_000_000

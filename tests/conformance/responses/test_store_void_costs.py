"""What it costs to void an answer: the same, however many others are stored.

All writers wait meanwhile on SQLite, so what is counted is work: statements, rows that they return
and, on SQLite, the steps in which it finds them.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import apsw
import pytest

from persona.v1.response_pb2 import RatingAnswer, Response
from persona_server.services.responses.voiding import void_responses
from persona_server.storage.derived.standing import NEAR
from persona_server.storage.engine.statements import Statement
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store
from support.answering.measuring import Batch, record_all
from support.answers import answer
from support.data import at, persona, uid
from support.probe import Probe
from support.stored import StoredGroup

FEW, MANY = 2 * NEAR, 6 * NEAR
EARLY, LATE = 1, 1_000_000  # around all others
TYPO, MEANT = 7, 5  # ends of scales
STEPS = 20  # of SQLite's, to look at an entry of an index
QUESTIONS = 30


class Work(NamedTuple):
    """How many statements that read were executed, their rows, and SQLite's steps of all."""

    statements: int
    rows: int
    steps: int


class Case(NamedTuple):
    """Answers by simulation, and which of them are voided."""

    batches: Sequence[Batch]
    gone: Sequence[Response]


Answers = Callable[..., Response]
Make = Callable[[Sequence[str], int], Case]


def rated(who: str, when: int, scale: int = MEANT, key: str = "q") -> Response:
    rating = RatingAnswer(value=1, min=1, max=scale)
    return answer(who, id=uid(), question_key=key, occurred_at=at(when), rating=rating)


def others(people: Sequence[str], count: int, scale: int = MEANT) -> list[Response]:
    """Return answers to the same key of everybody but the first two."""
    some = people[2:]
    return [rated(some[i % len(some)], EARLY + 1 + i, scale) for i in range(count)]


def only_one_of_its_scale(people: Sequence[str], count: int) -> Case:
    gone = rated(people[0], EARLY, TYPO)
    return Case([Batch(uid(), [gone]), Batch(uid(), others(people, count))], [gone])


def first_in_another_simulation(people: Sequence[str], count: int) -> Case:
    """What then is the first is far away, and in another simulation."""
    gone, left = rated(people[0], EARLY, TYPO), rated(people[1], LATE, TYPO)
    given = [Batch(uid(), [gone]), Batch(uid(), others(people, count)), Batch(uid(), [left])]
    return Case(given, [gone])


def first_before_another_scale(people: Sequence[str], count: int) -> Case:
    gone, left = rated(people[0], EARLY, TYPO), rated(people[1], LATE, TYPO)
    return Case([Batch(uid(), [gone, *others(people, count), left])], [gone])


def last_behind_another_scale(people: Sequence[str], count: int) -> Case:
    left, gone = rated(people[0], EARLY, TYPO), rated(people[1], LATE, TYPO)
    return Case([Batch(uid(), [left, *others(people, count), gone])], [gone])


def first_where_one_says_it_twice(people: Sequence[str], count: int) -> Case:
    gone = rated(people[0], EARLY, TYPO)
    left = [rated(people[1], LATE + i, TYPO) for i in range(2)]
    return Case([Batch(uid(), [gone, *others(people, count), *left])], [gone])


def first_before_another_simulation(people: Sequence[str], count: int) -> Case:
    gone, left = rated(people[0], EARLY), rated(people[1], LATE)
    return Case([Batch(uid(), [gone, left]), Batch(uid(), others(people, count))], [gone])


def all_of_one_who_says_more(people: Sequence[str], count: int) -> Case:
    """Who answers many questions in one simulation, and again and again another one elsewhere."""
    gone = [rated(people[0], EARLY + i, key=f"q{i}") for i in range(QUESTIONS)]
    more = [rated(people[0], LATE + i, key="another") for i in range(count)]
    return Case([Batch(uid(), gone), Batch(uid(), more)], gone)


def one_of_many_simulations(people: Sequence[str], count: int) -> Case:
    """Who answers the same question in one simulation after the other."""
    given = [rated(people[0], EARLY + i) for i in range(count)]
    return Case([Batch(uid(), [one]) for one in given], given[count // 2 :][:1])


CASES: tuple[Make, ...] = (
    only_one_of_its_scale,
    first_in_another_simulation,
    first_before_another_scale,
    last_behind_another_scale,
    first_where_one_says_it_twice,
    first_before_another_simulation,
)


def work(store: Store, monkeypatch: pytest.MonkeyPatch, make: Make, count: int) -> Work:
    """Return what it is to void the answers of a case among this many others."""
    group = StoredGroup(store, f"{make.__name__}-{count}")
    people = [id_text(raw) for raw in group.add(*[persona() for _ in range(6)])]
    batches, gone = make(people, count)
    record_all(group, batches)
    returned: list[int] = []
    steps: list[int] = []

    def counting(read: Callable[..., Any]) -> Callable[..., Any]:
        def counted(statement: Statement, **values: Any) -> Any:
            found = read(statement, **values)
            returned.append(len(found) if isinstance(found, list) else 1)
            return found

        return counted

    with store.writing(group.tenant, None) as repositories, monkeypatch.context() as patch:
        for name in ("all", "first"):
            patch.setattr(Statement, name, counting(getattr(Statement, name)))
        if store.database.engine == "sqlite":
            _trace(store, lambda event: steps.append(event["stmt_status"][_STEP]))
        assert void_responses(repositories, [one.id for one in gone], "bad").responses == len(gone)
        if store.database.engine == "sqlite":
            _trace(store, None)
    return Work(len(returned), sum(returned), sum(steps))


_STEP = "SQLITE_STMTSTATUS_VM_STEP"


def _trace(store: Store, seen: Callable[[dict[str, Any]], object] | None) -> None:
    Probe(store).connection().trace_v2(apsw.SQLITE_TRACE_PROFILE if seen else 0, seen)


@pytest.mark.parametrize("make", CASES)
def test_it_does_not_grow_with_answers_of_the_same_key(
    store: Store, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    few, many = (work(store, monkeypatch, make, count) for count in (FEW, MANY))
    assert many[:2] == few[:2]
    assert many.steps <= few.steps + STEPS  # it may be at another place in a list


def test_an_individual_is_looked_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of its questions."""
    make = all_of_one_who_says_more
    few, many = (work(store, monkeypatch, make, count) for count in (FEW, MANY))
    assert many[:2] == few[:2]
    assert many.steps <= few.steps + STEPS * (MANY - FEW)


def test_sums_of_other_simulations_are_left_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the next one, which now differs from another; an individual's own are all read."""
    few, many = (work(store, monkeypatch, one_of_many_simulations, count) for count in (8, 40))
    assert many.statements <= few.statements + 1  # older answers are read by themselves
    assert many.rows - few.rows < 2 * (40 - 8)

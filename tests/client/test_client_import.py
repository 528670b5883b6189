"""Imports: nothing lost, nothing twice, little in memory, whatever breaks."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
import pytest
from client.conftest import Naps, Place
from client.standin import UNAVAILABLE, Answer, Standin

from persona_client import (
    AlreadyExists,
    ImportConflict,
    ImportGap,
    ImportPersonasResponse,
    InvalidField,
    Persona,
    PersonaClient,
    PersonaError,
    RetryPolicy,
    split_batches,
)
from persona_client.transfer.window import WINDOW
from persona_server.errors import ServiceError, invalid_field
from support.data import persona

IMPORT = "0190b5a4-0000-4000-8000-000000000001"


def _batches(count: int) -> list[list[Persona]]:
    return [[Persona(full_name=f"{i}")] for i in range(1, count + 1)]


def _ack(sequence: int) -> ImportPersonasResponse:
    return ImportPersonasResponse(
        committed_sequence=sequence, persona_count=sequence, added_count=sequence
    )


def _serving(committed: int, until: int | None = None, then: Answer = UNAVAILABLE) -> Any:
    """Return a stream that has `committed` and goes on to `until`, where it fails."""

    def stream(requests: Iterator[Any]) -> Iterator[Answer]:
        next(requests)
        yield _ack(committed)
        for request in requests:
            if until is not None and request.batch.sequence > until:
                yield then
            yield _ack(request.batch.sequence)

    return stream


def _sent(standin: Standin) -> list[int]:
    return [request.batch.sequence for request in standin.requests["ImportPersonas"]]


def test_a_broken_stream_is_opened_again_and_goes_on_where_the_service_stands(
    standin: Standin, failing: PersonaClient, naps: Naps
) -> None:
    standin.streams["ImportPersonas"].extend([_serving(0, until=2), _serving(3), _serving(9)])
    answer = failing.import_personas("p", "g", _batches(5), IMPORT)
    assert answer == _ack(5)
    sent = _sent(standin)
    again = sent.index(0, 1)
    # Batch 3 was on disk, though its acknowledgement never came: it is not sent again.
    assert sent[again:] == [0, 4, 5]
    assert len(naps.taken) == 1
    requests = standin.requests["ImportPersonas"]
    starts = [r.start for r in requests if r.HasField("start")]
    assert [(s.project_id, s.group_id, s.import_id) for s in starts] == [("p", "g", IMPORT)] * 2
    assert [r.batch.personas[0].full_name for r in requests[again + 1 :]] == ["4", "5"]


def test_what_is_not_on_disk_is_sent_again_as_it_was(
    standin: Standin, failing: PersonaClient
) -> None:
    standin.streams["ImportPersonas"].extend([_serving(0, until=0), _serving(0)])
    failing.import_personas("p", "g", iter(_batches(3)), IMPORT)
    contents: dict[int, set[str]] = {}
    for request in standin.requests["ImportPersonas"]:
        if request.HasField("batch"):
            name = request.batch.personas[0].full_name
            contents.setdefault(request.batch.sequence, set()).add(name)
    assert contents == {1: {"1"}, 2: {"2"}, 3: {"3"}}


def test_every_acknowledgement_is_told(standin: Standin, failing: PersonaClient) -> None:
    told: list[int] = []
    standin.streams["ImportPersonas"].append(_serving(0))
    failing.import_personas(
        "p", "g", _batches(3), IMPORT, on_acknowledged=lambda a: told.append(a.committed_sequence)
    )
    assert told == [0, 1, 2, 3]


def test_few_batches_are_taken_before_they_are_acknowledged(
    standin: Standin, failing: PersonaClient
) -> None:
    taken, acknowledged = 0, 0
    ahead: list[int] = []

    def source() -> Iterator[list[Persona]]:
        nonlocal taken
        for batch in _batches(50):
            taken += 1
            ahead.append(taken - acknowledged)
            yield batch

    def told(answer: ImportPersonasResponse) -> None:
        nonlocal acknowledged
        acknowledged = answer.committed_sequence

    standin.streams["ImportPersonas"].append(_serving(0))
    failing.import_personas("p", "g", source(), IMPORT, on_acknowledged=told)
    assert taken == 50
    assert max(ahead) == WINDOW


def test_batches_that_are_on_disk_are_taken_and_not_sent(
    standin: Standin, failing: PersonaClient
) -> None:
    standin.streams["ImportPersonas"].append(_serving(2))
    assert failing.import_personas("p", "g", _batches(4), IMPORT) == _ack(4)
    assert _sent(standin) == [0, 3, 4]


def test_batches_may_begin_after_those_on_disk(standin: Standin, failing: PersonaClient) -> None:
    standin.streams["ImportPersonas"].append(_serving(2))
    failing.import_personas("p", "g", _batches(4)[2:], IMPORT, resume_from=2)
    sent = [r.batch for r in standin.requests["ImportPersonas"][1:]]
    assert [(batch.sequence, batch.personas[0].full_name) for batch in sent] == [(3, "3"), (4, "4")]


def test_an_import_that_does_not_get_ahead_is_given_up(standin: Standin, naps: Naps) -> None:
    standin.streams["ImportPersonas"].extend([_serving(0, until=0)] * 3)
    retry = RetryPolicy(attempts=3, sleep=naps.taken.append)
    with (
        PersonaClient(standin.address, retry=retry) as client,
        pytest.raises(PersonaError) as raised,
    ):
        client.import_personas("p", "g", _batches(1), IMPORT)
    assert raised.value.code is grpc.StatusCode.UNAVAILABLE
    assert len(naps.taken) == 2


def test_tries_begin_anew_when_the_import_gets_ahead(standin: Standin, naps: Naps) -> None:
    standin.streams["ImportPersonas"].extend(_serving(n, until=n + 1) for n in range(4))
    standin.streams["ImportPersonas"].append(_serving(4))
    retry = RetryPolicy(attempts=2, sleep=naps.taken.append)
    with PersonaClient(standin.address, retry=retry) as client:
        assert client.import_personas("p", "g", _batches(5), IMPORT) == _ack(5)


def test_a_refused_batch_is_sent_without_what_the_caller_drops(
    standin: Standin, failing: PersonaClient, naps: Naps
) -> None:
    bad = invalid_field("batch.personas[0].age", "is wrong")
    bad.metadata["committed_sequence"] = "1"
    standin.streams["ImportPersonas"].extend([_serving(0, until=1, then=bad), _serving(1)])
    batches = [[Persona(full_name="1")], [Persona(full_name="bad"), Persona(full_name="2")]]

    def drop_first(batch: Sequence[Persona], error: PersonaError) -> Sequence[Persona]:
        assert error.violations[0].field == "batch.personas[0].age"
        return batch[1:]

    failing.import_personas("p", "g", batches, IMPORT, on_refused=drop_first)
    last = standin.requests["ImportPersonas"][-1]
    assert (last.batch.sequence, [p.full_name for p in last.batch.personas]) == (2, ["2"])
    assert naps.taken == []


def test_a_refusal_tells_what_is_on_disk_even_if_no_acknowledgement_did(
    standin: Standin, failing: PersonaClient
) -> None:
    bad = invalid_field("batch.personas[0].age", "is wrong")
    bad.metadata["committed_sequence"] = "1"

    def stream(requests: Iterator[Any]) -> Iterator[Answer]:
        next(requests)
        yield _ack(0)
        next(requests)
        yield bad

    standin.streams["ImportPersonas"].extend([stream, _serving(1)])
    refused: list[str] = []

    def leave_out(batch: Sequence[Persona], _: PersonaError) -> Sequence[Persona]:
        refused.append(batch[0].full_name)
        return []

    failing.import_personas("p", "g", _batches(3), IMPORT, on_refused=leave_out)
    last = standin.requests["ImportPersonas"][-1]
    assert refused == ["2"]
    assert (last.batch.sequence, last.batch.personas[0].full_name) == (2, "3")


def test_a_batch_of_which_nothing_stays_is_left_out(
    standin: Standin, failing: PersonaClient
) -> None:
    bad = invalid_field("batch.personas[0].age", "is wrong")
    bad.metadata["committed_sequence"] = "0"
    standin.streams["ImportPersonas"].extend([_serving(0, until=0, then=bad), _serving(0)])
    failing.import_personas("p", "g", _batches(3), IMPORT, on_refused=lambda *_: [])
    requests = standin.requests["ImportPersonas"]
    again = [r.batch.sequence for r in requests].index(0, 1)
    assert [(r.batch.sequence, r.batch.personas[0].full_name) for r in requests[again + 1 :]] == [
        (1, "2"),
        (2, "3"),
    ]


def test_a_refused_batch_that_is_not_made_smaller_fails(
    standin: Standin, failing: PersonaClient
) -> None:
    bad = invalid_field("batch.personas[0].age", "is wrong")
    standin.streams["ImportPersonas"].append(_serving(0, until=0, then=bad))
    with pytest.raises(InvalidField):
        failing.import_personas("p", "g", _batches(1), IMPORT, on_refused=lambda b, _: b)


@pytest.mark.parametrize("until", [0, 2])
def test_other_refusals_end_the_import(
    standin: Standin, failing: PersonaClient, until: int
) -> None:
    gap = ServiceError(9, "Gap.", metadata={"committed_sequence": "7"})  # type: ignore[arg-type]
    standin.streams["ImportPersonas"].append(_serving(0, until=until, then=gap))
    with pytest.raises(ImportGap) as raised:
        failing.import_personas("p", "g", _batches(5), IMPORT)
    assert raised.value.metadata == {"committed_sequence": "7"}


def test_an_error_of_the_source_reaches_the_caller(
    standin: Standin, failing: PersonaClient
) -> None:
    def source() -> Iterator[list[Persona]]:
        yield _batches(1)[0]
        raise LookupError("the source is broken")

    standin.streams["ImportPersonas"].append(_serving(0))
    with pytest.raises(LookupError):
        failing.import_personas("p", "g", source(), IMPORT)


def test_an_import_is_whole_and_can_be_repeated(client: PersonaClient, place: Place) -> None:
    personas = [persona(full_name=f"{i}", age=20 + i % 80) for i in range(2345)]
    import_id = str(uuid.uuid4())
    first = client.import_personas(*place, split_batches(personas), import_id)
    again = client.import_personas(*place, split_batches(personas), import_id)
    assert (first.committed_sequence, first.persona_count) == (3, 2345)
    assert again == first
    listed = list(client.list_personas(*place))
    assert [one.full_name for one in listed] == [p.full_name for p in personas]


def test_more_batches_under_the_same_import_go_on(client: PersonaClient, place: Place) -> None:
    import_id = str(uuid.uuid4())
    client.import_personas(*place, _batches(2), import_id)
    answer = client.import_personas(*place, _batches(5)[2:], import_id, resume_from=2)
    assert answer == _ack(5)
    names = [one.full_name for one in client.list_personas(*place)]
    assert names == ["1", "2", "3", "4", "5"]


def test_a_gap_is_refused_by_name(client: PersonaClient, place: Place) -> None:
    with pytest.raises(ImportGap) as raised:
        client.import_personas(*place, _batches(1), str(uuid.uuid4()), resume_from=5)
    assert raised.value.metadata["committed_sequence"] == "0"


def test_an_import_ends_with_its_personas(client: PersonaClient, place: Place) -> None:
    import_id = str(uuid.uuid4())
    client.import_personas(*place, _batches(2), import_id)
    assert client.delete_all_personas(*place) == 2
    with pytest.raises(ImportConflict):
        client.import_personas(*place, _batches(3), import_id)
    assert list(client.list_personas(*place)) == []


def test_what_the_service_names_can_be_dropped(client: PersonaClient, place: Place) -> None:
    taken = client.create_persona(*place, Persona(full_name="here"))
    batch = [
        Persona(full_name="a"),
        Persona(id=taken.id, full_name="other"),
        Persona(full_name=""),
        Persona(full_name="b"),
    ]
    reasons: list[type[PersonaError]] = []

    def drop(batch: Sequence[Persona], error: PersonaError) -> Sequence[Persona]:
        reasons.append(type(error))
        index = int(error.metadata["field"].removeprefix("batch.personas[").split("]")[0])
        return [*batch[:index], *batch[index + 1 :]]

    answer = client.import_personas(*place, [batch], str(uuid.uuid4()), on_refused=drop)
    assert (answer.committed_sequence, answer.persona_count) == (1, 2)
    assert reasons == [InvalidField, AlreadyExists]
    assert [p.full_name for p in client.list_personas(*place)] == ["here", "a", "b"]


def test_a_source_may_use_one_message_again_and_again(client: PersonaClient, place: Place) -> None:
    def made() -> Iterator[Persona]:
        one = Persona()
        for i in range(5):
            one.full_name = f"n{i}"
            yield one

    client.import_personas(*place, split_batches(made()), str(uuid.uuid4()))
    client.batch_create_personas(*place, made())
    names = [each.full_name for each in client.list_personas(*place)]
    assert names == [f"n{i}" for i in range(5)] * 2


@pytest.mark.parametrize(
    "batch", [Persona(full_name="x"), ["x"], [{"full_name": "x"}], iter([Persona(full_name="x")])]
)
def test_what_is_no_batch_of_personas_is_refused_in_words(
    client: PersonaClient, place: Place, batch: Any
) -> None:
    with pytest.raises(TypeError, match="split_batches"):
        client.import_personas(*place, [batch], str(uuid.uuid4()))
    assert not list(client.list_personas(*place))

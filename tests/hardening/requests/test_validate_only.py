"""`validate_only`: every mutation answers as the real call after it would, and writes nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from persona.v1 import persona_service_pb2 as pb
from persona.v1.response_service_pb2 import RecordResponsesRequest
from persona_server.transport.methods import Method
from support.answers import answer
from support.data import Place, make_place, persona, uid
from support.dbfile import DatabaseFile, reading
from support.importer import LEAN
from support.requests.world import World, id_fields, set_id
from support.rpcs import BY_NAME, METHODS, WRITES, bearer, response_of, send
from support.service import Service, running_service

TRIABLE = tuple(m for m in METHODS if m.has_request_id or m.streams_in)
EACH = pytest.mark.parametrize("method", TRIABLE, ids=lambda m: str(m.name))
CASES = [(method, path) for method in TRIABLE for path, _ in id_fields(method)]


def tried(messages: list[Any]) -> list[Any]:
    """Return the messages of a call that is only to be tried."""
    copies = [type(message)() for message in messages]
    for copy, message in zip(copies, messages, strict=True):
        copy.CopyFrom(message)
    is_import = isinstance(copies[0], pb.ImportPersonasRequest)
    (copies[0].start if is_import else copies[0]).validate_only = True
    return copies


def started(place: Place, **fields: Any) -> pb.ImportPersonasRequest:
    """Return the first message of an import."""
    start = pb.ImportStart(**place.ids, **({"import_id": uid()} | fields))
    return pb.ImportPersonasRequest(start=start)


def batches(number: int, **fields: Any) -> list[pb.ImportPersonasRequest]:
    """Return the messages of batches of one persona each."""
    people = [persona(**fields)]
    each = (pb.ImportBatch(sequence=n, personas=people) for n in range(1, number + 1))
    return [pb.ImportPersonasRequest(batch=batch) for batch in each]


def comparable(method: Method, answers: tuple[bytes, ...], known: str) -> list[Message]:
    """Return answers without times, and without ids that are not in the text `known`."""
    messages = [response_of(method).FromString(answer) for answer in answers]
    for message in messages:
        _clear(message, known)
    return messages


def _clear(message: Message, known: str) -> None:
    for field, value in message.ListFields():
        held: Any = value
        is_time = field.message_type is not None and field.message_type.name == Timestamp.__name__
        names = field.name in ("id", "library_persona_id")
        if is_time or (names and str(getattr(held, "value", held)) not in known):
            message.ClearField(field.name)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for each in held if field.is_repeated else [held]:
                _clear(each, known)


@EACH
def test_it_answers_as_the_real_call_and_writes_nothing(
    own: Service, file: DatabaseFile, method: Method
) -> None:
    tenant, request_id = f"tried-{method.name.lower()}", uid()
    metadata, caller = bearer(own.token(tenant)), own.connect(own.token(tenant))
    world = World(caller)
    messages = world.messages(method, request_id)
    before = file.content()
    first = send(caller.channel, method, tried(messages), metadata)
    assert file.content() == before
    assert first.error is None, first.text
    real = send(caller.channel, method, messages, metadata)
    assert file.content() != before
    known = repr([response_of(method).FromString(answer) for answer in first.messages])
    assert comparable(method, first.messages, known) == comparable(method, real.messages, known)
    kept = file.audit(tenant, request_id if method.has_request_id else world.ids["import_id"])
    assert [row.method for row in kept] == [method.name]
    caller.close()


@pytest.mark.parametrize("method", WRITES, ids=lambda m: str(m.name))
def test_a_retry_may_be_tried(own: Service, file: DatabaseFile, method: Method) -> None:
    """What is kept for it is what the real call would give."""
    tenant = f"again-{method.name.lower()}"
    metadata, caller = bearer(own.token(tenant)), own.connect(own.token(tenant))
    messages = World(caller).messages(method, uid())
    real = send(caller.channel, method, messages, metadata)
    before = file.content()
    assert send(caller.channel, method, tried(messages), metadata).messages == real.messages
    assert file.content() == before
    caller.close()


@pytest.mark.parametrize(("method", "path"), CASES, ids=lambda v: str(getattr(v, "name", v)))
def test_it_is_refused_as_the_real_call(own: Service, method: Method, path: str) -> None:
    """With an id that nothing has in every place, one after the other."""
    tenant = "refused"
    metadata, caller = bearer(own.token(tenant)), own.connect(own.token(tenant))
    messages = World(caller).messages(method)
    set_id(messages, path, uid())
    first = send(caller.channel, method, tried(messages), metadata)
    real = send(caller.channel, method, messages, metadata)
    assert (first.code, first.text, first.details) == (real.code, real.text, real.details)
    caller.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service where a tenant may store 20,000 bytes."""
    data = tmp_path_factory.mktemp("small") / "data"
    with running_service(data, *LEAN, "--quota-stored-bytes", "20000") as service:
        yield service


def test_a_warning_names_no_answer_that_is_not_there(own: Service) -> None:
    place = make_place(own.connect())
    one = place.create(persona()).id
    named = answer(one, id=uid())
    request = RecordResponsesRequest(
        simulation_id=uid(), responses=[answer(one), answer(one)], validate_only=True
    )
    (warning,) = place.caller.responses.RecordResponses(request).warnings
    assert (warning.index, warning.earlier_response_id) == (1, "")
    assert warning.message.endswith("before: response (not made).")
    request.responses[0].CopyFrom(named)
    (warning,) = place.caller.responses.RecordResponses(request).warnings
    assert warning.earlier_response_id == named.id
    assert warning.message.endswith(f"before: response {named.id}.")


def test_an_import_that_is_tried_counts_the_batches_before(small: Service) -> None:
    """Each batch has room alone; of three, the third is over the quota of stored bytes."""
    place = make_place(small.connect())
    messages = [started(place, validate_only=True), *batches(3, digital_habits="x" * 7000)]
    metadata, method = bearer(small.token()), BY_NAME["ImportPersonas"]
    call = send(place.caller.channel, method, messages, metadata)
    problem, answers = call.problem, map(pb.ImportPersonasResponse.FromString, call.messages)
    found = [(answer.committed_sequence, answer.persona_count) for answer in answers]
    assert (problem.reason, problem.metadata["quota"]) == ("QUOTA_EXCEEDED", "stored_bytes")
    assert problem.metadata["committed_sequence"] == "2"
    assert found == [(0, 0), (1, 1), (2, 2)]
    assert place.walk() == []
    with reading(small.data) as file:
        assert file.counts("local")["import_session"] == 0


def test_an_import_can_be_tried_while_it_is_under_way(own: Service, file: DatabaseFile) -> None:
    """It goes on behind what is on disk, and does not take the import over."""
    place = make_place(own.connect())
    import_id, (first, second) = uid(), batches(2)
    begin = started(place, import_id=import_id)
    list(place.caller.personas.ImportPersonas(iter([begin, first])))
    before = file.content()
    only = started(place, import_id=import_id, validate_only=True)
    answers = list(place.caller.personas.ImportPersonas(iter([only, first, second, second])))
    assert [answer.committed_sequence for answer in answers] == [1, 1, 2, 2]
    assert file.content() == before

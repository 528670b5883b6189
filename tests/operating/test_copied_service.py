"""A service on a copy of a database answers as one on the original, by the same tokens."""

import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

import grpc
import pytest
from typer.testing import CliRunner

from persona_cli import app
from support.data import Place, make_place, persona
from support.databases.filled import CALLER, Call, Called
from support.importer import LEAN
from support.postgresql import Cluster
from support.rpcs import METHODS, Answer, bearer, response_of, send
from support.service import Caller, running_service

MEASURED_NOW = ("GetReliability", "GetLibraryPersonaReliability")  # which say when that is
NOTHING = Answer((), None)  # of a call that is to be made
pytestmark = pytest.mark.sqlite("names both databases itself")


class Two(NamedTuple):
    """Channels to the services on the original and on the copy, and a token of the original's."""

    original: grpc.Channel
    copy: grpc.Channel
    token: str
    copied: Caller

    def answers(self, call: Call) -> tuple[Answer, Answer]:
        metadata = bearer(self.token)
        original = send(self.original, call.method, call.messages, metadata)
        return original, send(self.copy, call.method, call.messages, metadata)


@pytest.fixture(scope="module")
def two(
    before: Called, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Two]:
    folder, url = tmp_path_factory.mktemp("two") / "data", cluster.migrated()
    shutil.copytree(before.folder, folder)
    done = CliRunner().invoke(app, ["copy", "--from", str(folder), "--to", url])
    assert done.exit_code == 0, done.stderr
    with (
        running_service(folder, *LEAN) as original,
        running_service(folder.parent / "unused", "--database", url, *LEAN) as copy,
    ):
        token = original.token(CALLER)
        callers = original.connect(token), copy.connect(token)
        yield Two(callers[0].channel, callers[1].channel, token, callers[1])
        for caller in callers:
            caller.close()


def test_every_rpc_answers_the_same(two: Two, before: Called) -> None:
    """Reads by what is there, writes as retries of what was done before."""
    assert {call.method for call in before.calls} == set(METHODS)
    for call in before.calls:
        original, copy = two.answers(call)
        assert (original.text, copy.text) == ("", ""), call.method.name
        assert told(call, copy) == told(call, original), call.method.name
        if call.method.has_request_id:
            assert copy.messages == call.answer.messages, call.method.name


def told(call: Call, answer: Answer) -> list[Any]:
    """Return the messages of an answer, but for when it was made."""
    messages: list[Any] = [response_of(call.method).FromString(raw) for raw in answer.messages]
    if call.method.name not in MEASURED_NOW:
        return list(answer.messages)
    for message in messages:
        message.reliability.ClearField("measured_at")
    return messages


def test_page_tokens_of_the_original_are_good(two: Two, before: Called) -> None:
    continued = set()
    for method, (request, *_), _ in before.calls:
        fields = set(request.DESCRIPTOR.fields_by_name)
        if method.has_request_id or not {"page_size", "page_token"} <= fields:
            continue
        first = type(request)()
        first.CopyFrom(request)
        first.page_size = 1
        original, copy = two.answers(Call(method, [first], NOTHING))
        assert (original.text, copy.messages) == ("", original.messages), method.name
        page: Any = response_of(method).FromString(original.messages[0])
        if page.next_page_token:
            first.page_token = page.next_page_token
            original, copy = two.answers(Call(method, [first], NOTHING))
            assert (copy.messages, copy.text) == (original.messages, "")
            continued.add(method.name)
    assert continued >= {"ListProjects", "ListLibraryPersonas", "GetAttitudeTimeline"}


def test_what_comes_later_is_taken(two: Two) -> None:
    place: Place = make_place(two.copied)
    made = place.create(persona(full_name="Later"))
    assert place.get(made.id).full_name == "Later"

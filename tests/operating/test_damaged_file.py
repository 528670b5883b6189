"""Damaged files: every call is answered rightly or says so, and so does health until a restart."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from persona_server.storage.engine.folder import FILE_NAME
from support.data import uid
from support.dbfile import connection
from support.importer import LEAN
from support.operating.health import is_serving, metric
from support.requests.world import World
from support.rpcs import BY_NAME, METHODS, Answer, bearer, send
from support.service import Service, running_service
from support.waiting import eventually

# A start reads them, and ends with one sentence where it can't.
OF_THE_START = (
    *("schema_migration", "secret", "tenant"),
    *("api_key", "revoked_token"),
)


class Called(NamedTuple):
    """A data folder after a call of every RPC, the messages of these calls, and the answers.

    `answers` are those that come again when the same is asked again.
    """

    folder: Path
    token: str
    messages: dict[str, list[Any]]
    answers: dict[str, Answer]


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> Called:
    folder = tmp_path_factory.mktemp("called") / "data"
    with running_service(folder, *LEAN) as service:
        caller, token = service.connect(), service.token()
        world = World(caller)
        messages = {m.name: world.messages(m, uid() if m.has_request_id else "") for m in METHODS}
        keeping = {name: sent for name, sent in messages.items() if not name.startswith("Delete")}
        all_of(service, token, keeping)  # whose effects the next ones see
        first, again = (all_of(service, token, keeping) for _ in range(2))
        caller.close()
    same = {name: answer for name, answer in first.items() if equal(answer, again[name])}
    assert len(same) > len(METHODS) / 2
    return Called(folder, token, messages, same)


def all_of(service: Service, token: str, messages: dict[str, list[Any]]) -> dict[str, Answer]:
    """Call every RPC that there are messages of, deletes last."""
    caller, metadata = service.connect(token), bearer(token)
    names = sorted(messages, key=lambda name: name.startswith("Delete"))
    try:
        return {n: send(caller.channel, BY_NAME[n], messages[n], metadata) for n in names}
    finally:
        caller.close()


def equal(one: Answer, other: Answer) -> bool:
    return (one.code, one.messages) == (other.code, other.messages)


@pytest.fixture
def copied(called: Called, tmp_path: Path) -> Called:
    """The same, in a folder of a test's own."""
    return called._replace(folder=Path(shutil.copytree(called.folder, tmp_path / "data")))


def overwrite(folder: Path, seed: int) -> None:
    """Overwrite a quarter of the pages, but for those without which no server starts."""
    chance = random.Random(seed)
    with connection(folder) as opened:
        marks = ", ".join("?" * len(OF_THE_START))
        kept = f"SELECT name FROM sqlite_schema WHERE tbl_name IN ({marks})"  # noqa: S608 (ours)
        pages: list[Any] = opened.execute(
            f"SELECT pageno FROM dbstat WHERE name <> 'sqlite_schema' AND name NOT IN ({kept})",  # noqa: S608 (ours)
            OF_THE_START,
        ).fetchall()
    with (folder / FILE_NAME).open("r+b") as file:
        size = int.from_bytes(file.read(18)[16:])
        for (page,) in chance.sample(pages, len(pages) // 4):
            file.seek((page - 1) * size)
            file.write(chance.randbytes(size))


@pytest.fixture(params=[1, 2, 3])
def damaged(copied: Called, request: pytest.FixtureRequest) -> Iterator[tuple[Service, Called]]:
    overwrite(copied.folder, request.param)
    with running_service(copied.folder, *LEAN) as service:
        yield service, copied


def test_every_call_of_a_damaged_file_is_right_or_says_so(damaged: tuple[Service, Called]) -> None:
    service, called = damaged
    answers = all_of(service, called.token, called.messages)
    told = {name for name, answer in answers.items() if answer.error and _reason(answer) == LOST}
    assert told
    for name, answer in answers.items():
        if name not in told and name in called.answers:
            assert equal(answer, called.answers[name]), (name, answer.text)
        assert not answer.error or _reason(answer) != "INTERNAL", name
    eventually(lambda: not is_serving(service))
    assert metric(service, 'persona_database_errors_total{kind="damage"}') >= len(told)
    (line,) = eventually(lambda: not_serving(service))
    assert "persona doctor" in line["reason"]


def not_serving(service: Service) -> list[dict[str, Any]]:
    """Return what the log says of why it does not serve."""
    return [line for line in service.log if line["message"] == "not serving"]


LOST = "DATABASE_DAMAGED"


def _reason(answer: Answer) -> str:
    return answer.problem.reason


def test_what_one_worker_has_met_is_said_by_all(copied: Called) -> None:
    with connection(copied.folder) as opened:
        sql = "SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'reference_answer'"
        roots = [int(str(page)) for (page,) in opened.execute(sql)]
    with (copied.folder / FILE_NAME).open("r+b") as file:
        for page in roots:  # which no job reads
            file.seek((page - 1) * 8192)
            file.write(b"\xff" * 8192)
    with running_service(copied.folder, *LEAN, "--workers", "2") as service:
        name = "MeasureGroupFidelity"
        answers = all_of(service, copied.token, {name: copied.messages[name]})
        assert _reason(answers[name]) == LOST

        def told() -> set[int]:
            lines = not_serving(service)
            return {line["worker"] for line in lines if "persona doctor" in line["reason"]}

        eventually(lambda: told() == {0, 1})
        eventually(lambda: not is_serving(service))  # by whichever is asked: it is logged first


def test_a_restart_is_what_says_that_somebody_has_looked(copied: Called) -> None:
    before = shutil.copytree(copied.folder, copied.folder.with_name("before"))
    overwrite(copied.folder, 1)
    with running_service(copied.folder, *LEAN) as service:
        all_of(service, copied.token, copied.messages)
        eventually(lambda: not is_serving(service))
    with running_service(before, *LEAN) as service:
        assert is_serving(service)

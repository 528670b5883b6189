"""A broken import goes on with the same batches; a finished or ended one begins anew."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import Cli
from client.standin import Answer, Standin

from persona.v1 import errors_pb2
from persona.v1.persona_service_pb2 import ListPersonasResponse
from persona_client import ImportPersonasResponse, Persona
from persona_server.errors import ServiceError

PROJECT = "0190b5a4-0000-7000-8000-000000000001"
GROUP = "0190b5a4-0000-7000-8000-000000000002"
INTO = ("--project", PROJECT, "--group", GROUP)
INTERNAL = ServiceError(errors_pb2.ERROR_REASON_INTERNAL, "Failed.")
CONFLICT = ServiceError(errors_pb2.ERROR_REASON_IMPORT_CONFLICT, "Conflict.")
TAKEN = ServiceError(
    errors_pb2.ERROR_REASON_ALREADY_EXISTS,
    "batch.personas[1].id: taken.",
    metadata={"field": "batch.personas[1].id", "committed_sequence": "1"},
)


@pytest.fixture
def standin() -> Iterator[Standin]:
    server = Standin()
    server.answers["ListPersonas"].extend([ListPersonasResponse()] * 9)  # nobody is there before
    yield server
    server.stop()


@pytest.fixture
def broken(standin: Standin, tmp_path: Path) -> Cli:
    """Commands that call the stand-in."""
    return Cli(standin.address, "token", tmp_path / "state")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """2,500 personas without ids of their own, and two lines that are none."""
    path = tmp_path / "personas.jsonl"
    good = [json.dumps({"full_name": f"{i}"}) for i in range(2500)]
    path.write_text("\n".join([*good[:10], "{bad", *good[10:1500], "", "[]", *good[1500:]]))
    return path


def serving(committed: int, until: int = 99, then: Answer = INTERNAL) -> Any:
    """Return a stream that has `committed`, and fails at the batch after `until`."""

    def stream(requests: Iterator[Any]) -> Iterator[Answer]:
        next(requests)
        yield _ack(committed)
        for request in requests:
            if request.batch.sequence > until:
                yield then
            yield _ack(request.batch.sequence)

    return stream


def _ack(sequence: int) -> ImportPersonasResponse:
    count = sequence * 1000
    return ImportPersonasResponse(
        committed_sequence=sequence, persona_count=count, added_count=count
    )


def runs(standin: Standin) -> list[tuple[str, dict[int, list[Persona]]]]:
    """Return the import_id of each stream, and the batches that came over it."""
    found: list[tuple[str, dict[int, list[Persona]]]] = []
    for request in standin.requests["ImportPersonas"]:
        if request.HasField("start"):
            found.append((request.start.import_id, {}))
        else:
            found[-1][1][request.batch.sequence] = list(request.batch.personas)
    return found


def entries(cli: Cli) -> list[dict[str, Any]]:
    [journal] = cli.journals.iterdir()
    return [json.loads(line) for line in journal.read_text().splitlines()]


def test_the_same_command_goes_on_with_the_same_batches(
    broken: Cli, standin: Standin, file: Path
) -> None:
    standin.streams["ImportPersonas"].extend([serving(0, until=1), serving(1)])
    done = broken.run("import", file, *INTO)
    assert done.code == 1
    assert "[INTERNAL]" in done.err
    assert "1000 personas are imported." in done.err
    done = broken.run("import", file, *INTO)
    # Lines are counted for the whole import, whichever run read them.
    assert (done.code, done.out) == (1, "3000 imported, 2 refused.\n")
    (first_id, first), (second_id, second) = runs(standin)
    assert first_id == second_id
    assert sorted(second) == [2, 3]
    assert [p.full_name for p in second[2]] == [f"{i}" for i in range(1000, 2000)]
    assert all(first[n] == second[n] for n in first.keys() & second.keys())
    assert not any(broken.journals.iterdir())


def test_a_journal_says_what_a_run_must_know(broken: Cli, standin: Standin, file: Path) -> None:
    standin.streams["ImportPersonas"].append(serving(0, until=1))
    broken.run("import", file, *INTO)
    head, *rest = entries(broken)
    [(import_id, sent)] = runs(standin)
    assert head["import_id"] == import_id
    assert (head["project_id"], head["group_id"]) == (PROJECT, GROUP)
    assert head["options"] == {"format": "auto", "new_ids": False}
    assert [len(digest) for digest in head["files"]] == [64]
    last_lines = [entry["batch"] for entry in rest if "batch" in entry]
    # Two lines before the end of the second batch, and one blank, are no personas.
    assert last_lines == [[0, 1001], [0, 2003], [0, 2503]]
    assert len(last_lines) >= len(sent)
    assert {"acknowledged": 1} in rest


def test_batches_are_noted_before_they_are_sent(broken: Cli, standin: Standin, file: Path) -> None:
    noted: dict[int, int] = {}

    def stream(requests: Iterator[Any]) -> Iterator[Answer]:
        next(requests)
        yield _ack(0)
        for request in requests:
            noted[request.batch.sequence] = sum("batch" in entry for entry in entries(broken))
            yield _ack(request.batch.sequence)

    standin.streams["ImportPersonas"].append(stream)
    broken.run("import", file, *INTO)
    assert sorted(noted) == [1, 2, 3]
    assert all(count >= sequence for sequence, count in noted.items())


def test_boundaries_come_from_the_journal(
    broken: Cli, standin: Standin, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.streams["ImportPersonas"].extend([serving(0, until=0), serving(0)])
    broken.run("import", file, *INTO)
    monkeypatch.setattr(
        "persona_client.transfer.batches.MAX_ITEMS", 10
    )  # another version splits otherwise
    broken.run("import", file, *INTO)
    (_, first), (_, second) = runs(standin)
    assert sorted(second) == [1, 2, 3]
    assert all(first[n] == second[n] for n in first)


def test_what_the_service_refused_stays_out_when_resumed(
    broken: Cli, standin: Standin, file: Path
) -> None:
    standin.streams["ImportPersonas"].extend(
        [serving(0, until=1, then=TAKEN), serving(1, until=1), serving(1)]
    )
    assert broken.run("import", file, *INTO).code == 1
    done = broken.run("import", file, *INTO)
    assert f"{file}:1003: id: taken." in done.err
    assert done.out == "3000 imported, 3 refused.\n"
    *_, (_, before), (_, resumed) = runs(standin)
    assert before[2] == resumed[2]
    assert [p.full_name for p in resumed[2]] == [f"{i}" for i in range(1000, 2000) if i != 1001]


@pytest.mark.parametrize(
    "change",
    ["options", "content", "group"],
)
def test_another_import_has_another_id(
    broken: Cli, standin: Standin, file: Path, change: str
) -> None:
    standin.streams["ImportPersonas"].extend([serving(0, until=0), serving(0)])
    broken.run("import", file, *INTO)
    into = (*INTO[:-1], PROJECT) if change == "group" else INTO
    if change == "content":
        file.write_text(file.read_text() + "\n")
    broken.run("import", file, *into, *(["--new-ids"] if change == "options" else []))
    (first, _), (second, _) = runs(standin)
    assert first != second


def test_a_finished_import_begins_anew(broken: Cli, standin: Standin, file: Path) -> None:
    standin.streams["ImportPersonas"].extend([serving(0), serving(0)])
    broken.run("import", file, *INTO)
    broken.run("import", file, *INTO, "--again")
    (first, _), (second, _) = runs(standin)
    assert first != second


def test_a_service_that_forgot_is_not_given_everything_twice(
    broken: Cli, standin: Standin, file: Path
) -> None:
    """It forgets an import after a month, and the journal is as old."""
    standin.streams["ImportPersonas"].extend([serving(0, until=2), serving(0), serving(0)])
    broken.run("import", file, *INTO)
    [journal] = broken.journals.iterdir()
    month_ago = time.time() - 30 * 24 * 3600
    os.utime(journal, (month_ago, month_ago))
    done = broken.run("import", file, *INTO)
    assert done.code == 1
    assert "no longer knows" in done.err
    assert runs(standin)[1][1] == {}
    assert not any(broken.journals.iterdir())
    assert "imported" in broken.run("import", file, *INTO).out


@pytest.mark.parametrize("committed", [0, 1])
def test_a_restored_service_is_given_what_it_lacks(
    broken: Cli, standin: Standin, file: Path, committed: int
) -> None:
    standin.streams["ImportPersonas"].extend([serving(0, until=2), serving(committed)])
    broken.run("import", file, *INTO)
    done = broken.run("import", file, *INTO)
    assert (done.code, done.out) == (1, "3000 imported, 2 refused.\n")
    (first_id, first), (second_id, second) = runs(standin)
    assert first_id == second_id
    assert sorted(second) == list(range(committed + 1, 4))
    assert all(first[n] == second[n] for n in first.keys() & second.keys())


def test_a_service_is_the_same_by_any_name(broken: Cli, standin: Standin, file: Path) -> None:
    standin.streams["ImportPersonas"].extend([serving(0, until=1), serving(1)])
    broken.run("import", file, *INTO)
    port = standin.address.rpartition(":")[2]
    done = broken.run("import", file, *INTO, "--address", f"dns:///localhost:{port}")
    assert (done.code, done.out) == (1, "3000 imported, 2 refused.\n")
    (first, _), (second, _) = runs(standin)
    assert first == second


def test_an_import_that_another_stream_took_is_kept(
    broken: Cli, standin: Standin, file: Path
) -> None:
    standin.streams["ImportPersonas"].extend([serving(0, until=1, then=CONFLICT), serving(2)])
    done = broken.run("import", file, *INTO)
    assert done.code == 1
    assert "[IMPORT_CONFLICT]" in done.err
    assert "resumes from there" in done.err
    assert len(list(broken.journals.iterdir())) == 1


def test_a_line_of_the_journal_that_was_cut_off_is_no_batch(
    broken: Cli, standin: Standin, file: Path
) -> None:
    streams = [serving(0, until=1), serving(1, until=1), serving(1)]
    standin.streams["ImportPersonas"].extend(streams)
    broken.run("import", file, *INTO)
    [journal] = broken.journals.iterdir()
    whole = journal.read_text()
    rest = '{"refused":[0,3],"reason":"' + "x" * 1000
    journal.write_text(whole[: whole.rindex('{"batch"')] + rest)
    broken.run("import", file, *INTO)
    done = broken.run("import", file, *INTO)
    assert done.out == "3000 imported, 2 refused.\n"
    found = runs(standin)
    assert len({import_id for import_id, _ in found}) == 1
    for number in (2, 3):
        assert len({str(sent[number]) for _, sent in found if number in sent}) == 1


def test_a_damaged_journal_is_said(broken: Cli, standin: Standin, file: Path) -> None:
    standin.streams["ImportPersonas"].append(serving(0, until=1))
    broken.run("import", file, *INTO)
    [journal] = broken.journals.iterdir()
    journal.write_text("not this\n" + journal.read_text())
    done = broken.run("import", file, *INTO)
    assert done.code == 1
    assert str(journal) in done.err

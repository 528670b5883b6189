"""Sources that take their time, and consumers that do: nothing waits for them, or is lost.

What a test waits for inside of its source or its loop is what makes them slow; none waits there
for anything but an effect, unless the time itself is what it is about.
"""

import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from client.conftest import Place

from persona_client import (
    ImportConflict,
    Persona,
    PersonaClient,
    PersonaGroup,
    PersonaNotFound,
    Project,
    Response,
    split_batches,
)
from persona_client.transfer.outbox import BATCH_SECONDS
from support.data import uid
from support.service import Service, running_service
from support.waiting import eventually

IDLE = 1.0  # seconds, of the impatient service


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that soon ends what is idle."""
    flags = ("--rest", "off", "--stream-idle-seconds", str(IDLE))
    with running_service(tmp_path_factory.mktemp("slow") / "data", *flags) as service:
        yield service


class Group(NamedTuple):
    """A group of that service, and a client to look with."""

    client: PersonaClient
    place: Place


@pytest.fixture
def group(impatient: Service) -> Iterator[Group]:
    with PersonaClient(impatient.grpc, impatient.token()) as client:
        project = client.create_project(Project(name="Slow"))
        made = client.create_persona_group(project.id, PersonaGroup(name="all"))
        yield Group(client, Place(project.id, made.id))


def number(client: PersonaClient, place: Place) -> int:
    return client.get_persona_group(*place).persona_count


def names(client: PersonaClient, place: Place) -> list[str]:
    return [one.full_name for one in client.list_personas(*place)]


def has(client: PersonaClient, place: Place, count: int) -> bool:
    return number(client, place) == count


def each_on_disk(client: PersonaClient, place: Place, numbers: range) -> Iterator[Persona]:
    """Yield personas, each when the one before it is on disk: nobody waits for the next one."""
    for i in numbers:
        yield Persona(full_name=f"{i}")
        eventually(partial(has, client, place, i + 1))


def test_what_an_import_was_given_is_on_disk_before_there_is_more(
    client: PersonaClient, place: Place
) -> None:
    personas = each_on_disk(client, place, range(4))
    answer = client.import_personas(*place, split_batches(personas), uid())
    assert (answer.committed_sequence, answer.persona_count) == (4, 4)
    assert names(client, place) == ["0", "1", "2", "3"]


def test_a_source_that_ends_late_hides_no_acknowledgement(
    client: PersonaClient, place: Place
) -> None:
    """All has been acknowledged by then, and nobody had to wait for that."""

    def source() -> Iterator[Persona]:
        yield from each_on_disk(client, place, range(1))
        time.sleep(4 * BATCH_SECONDS)

    told: list[int] = []
    client.import_personas(
        *place,
        split_batches(source()),
        uid(),
        on_acknowledged=lambda answer: told.append(answer.persona_count),
    )
    assert told == [0, 1]


def test_batches_of_ones_own_are_sent_as_they_come(client: PersonaClient, place: Place) -> None:
    batches = ([persona] for persona in each_on_disk(client, place, range(3)))
    assert client.import_personas(*place, batches, uid()).persona_count == 3


def test_an_import_outlives_the_silence_of_its_source(group: Group) -> None:
    client, place = group

    def source() -> Iterator[Persona]:
        for i in range(4):
            yield Persona(full_name=f"{i}")
            time.sleep(2 * IDLE)  # the service ends the stream meanwhile

    told: list[int] = []
    answer = client.import_personas(
        *place,
        split_batches(source()),
        uid(),
        on_acknowledged=lambda answer: told.append(answer.persona_count),
    )
    assert answer.persona_count == 4
    assert (told[0], told[-1], told == sorted(told)) == (0, 4, True)
    assert names(client, place) == ["0", "1", "2", "3"]


def test_a_dry_run_outlives_the_silence_of_its_source(group: Group) -> None:
    """The service keeps nothing of what it has checked, so each new stream begins at 0 for it."""
    client, place = group

    def source() -> Iterator[Persona]:
        for i in range(3):
            yield Persona(full_name=f"{i}")
            time.sleep(2 * IDLE)

    told: list[tuple[int, int]] = []
    answer = client.import_personas(
        *place,
        split_batches(source()),
        uid(),
        validate_only=True,
        on_acknowledged=lambda one: told.append((one.committed_sequence, one.persona_count)),
    )
    assert answer.persona_count == 3
    assert (told[0], told == sorted(told)) == ((0, 0), True)
    assert told[-1] == (answer.committed_sequence, 3)
    assert number(client, place) == 0


def test_what_was_made_is_on_disk_though_its_stream_has_ended(group: Group) -> None:
    """The service ends it just when a batch is due, and the source makes nothing more."""
    client, place = group
    personas = each_on_disk(client, place, range(2))
    assert client.import_personas(*place, split_batches(personas), uid()).persona_count == 2


def test_what_was_made_before_the_source_failed_is_kept(
    client: PersonaClient, place: Place
) -> None:
    def source() -> Iterator[Persona]:
        yield from (Persona(full_name=f"{i}") for i in range(1500))
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        client.import_personas(*place, split_batches(source()), uid())
    assert number(client, place) == 1500


def test_an_import_resumes_by_what_is_on_disk_however_it_was_cut(
    client: PersonaClient, place: Place
) -> None:
    def broken() -> Iterator[Persona]:
        yield from each_on_disk(client, place, range(3))
        raise LookupError

    import_id = uid()
    with pytest.raises(LookupError):
        client.import_personas(*place, split_batches(broken()), import_id)
    whole = [Persona(full_name=f"{i}") for i in range(1200)]
    answer = client.import_personas(*place, split_batches(whole), import_id)
    assert (answer.committed_sequence, answer.persona_count) == (5, 1200)
    assert names(client, place) == [f"{i}" for i in range(1200)]


def test_an_import_that_can_not_tell_what_is_left_is_refused(
    client: PersonaClient, place: Place
) -> None:
    import_id = uid()
    personas = [Persona(full_name=f"{i}") for i in range(3)]
    client.import_personas(*place, ([one] for one in personas), import_id)
    with pytest.raises(ImportConflict) as raised:
        client.import_personas(*place, split_batches(personas[2:]), import_id, resume_from=2)
    assert raised.value.metadata == {"committed_sequence": "3"}
    more = split_batches([Persona(full_name="3")])
    assert client.import_personas(*place, more, import_id, resume_from=3).persona_count == 4


def test_a_source_is_read_in_the_callers_thread(
    client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    """A database's rows can be read in no other."""
    with sqlite3.connect(tmp_path / "rows.db") as rows:
        rows.execute("CREATE TABLE person (name TEXT)")
        rows.executemany("INSERT INTO person VALUES (?)", [("a",), ("b",)])
        found = (Persona(full_name=name) for (name,) in rows.execute("SELECT name FROM person"))
        client.import_personas(*place, split_batches(found), uid())
    assert names(client, place) == ["a", "b"]


def test_created_personas_are_stored_before_there_are_more(
    client: PersonaClient, place: Place
) -> None:
    stored = client.batch_create_personas(*place, each_on_disk(client, place, range(3)))
    assert [one.full_name for one in stored] == ["0", "1", "2"]
    assert list(client.list_personas(*place)) == stored


def answered(client: PersonaClient, simulation: str) -> int:
    return len(list(client.list_responses(simulation_id=simulation)))


def has_answers(client: PersonaClient, simulation: str, count: int) -> bool:
    return answered(client, simulation) == count


def test_answers_are_recorded_before_there_are_more(client: PersonaClient, place: Place) -> None:
    persona = client.create_persona(*place, Persona(full_name="Maria Santos"))
    simulation = uid()

    def source() -> Iterator[Response]:
        for i in range(3):
            yield Response(persona_id=persona.id, question_key=f"q{i}", text="Yes.")
            eventually(partial(has_answers, client, simulation, i + 1))

    recorded = client.record_responses(simulation, source())
    assert [one.question_key for one in recorded] == ["q0", "q1", "q2"]
    assert list(client.list_responses(simulation_id=simulation)) == recorded


def test_answers_that_were_made_before_the_source_failed_are_recorded(
    client: PersonaClient, place: Place
) -> None:
    persona = client.create_persona(*place, Persona(full_name="Maria Santos"))
    simulation = uid()

    def source() -> Iterator[Response]:
        for i in range(1200):
            yield Response(persona_id=persona.id, question_key=f"q{i}", text="Yes.")
        raise LookupError

    with pytest.raises(LookupError):
        client.record_responses(simulation, source())
    assert answered(client, simulation) == 1200


def test_a_refused_answer_ends_a_recording_that_goes_on(
    client: PersonaClient, place: Place
) -> None:
    simulation, made = uid(), 0

    def source() -> Iterator[Response]:
        nonlocal made
        while True:
            made += 1
            yield Response(persona_id=uid(), question_key="q", text="Yes.")

    with pytest.raises(PersonaNotFound):
        client.record_responses(simulation, source())
    assert made <= 4000
    assert answered(client, simulation) == 0


def test_an_export_outlives_a_consumer_that_takes_its_time(group: Group) -> None:
    """Each pause is longer than the service lets a stream wait, and shorter than ours."""
    client, place = group
    attributes = {"a": "y" * 32_000}
    for _ in range(4):
        client.batch_create_personas(
            *place, [Persona(full_name="x", attributes=attributes) for _ in range(90)]
        )
    found: list[str] = []
    for persona in client.export_personas(*place):
        found.append(persona.id)
        if len(found) % 90 == 0:
            time.sleep(2 * IDLE)
    assert found == [one.id for one in client.list_personas(*place)]

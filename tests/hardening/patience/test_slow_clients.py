"""Who takes minutes gets everything, once: exports that are thought about, imports that are made.

The pauses stand for the work of a model. In the short form the server's limit of idleness is a
second, and all takes several of it; in the long one it is the default, and all takes two minutes.
"""

import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from persona_client import Persona, PersonaClient, PersonaGroup, Project, Response, split_batches
from support.service import Service, running_service

LARGE = {"a": "y" * 32_000}


class Pace(NamedTuple):
    """How many personas there are, how many seconds each takes, and the server's limit."""

    personas: int
    seconds: float
    idle: int


@pytest.fixture(scope="module")
def pace(rounds: Callable[[int, int], int]) -> Pace:
    return Pace(rounds(5, 30), rounds(1, 4), rounds(1, 30))


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory, pace: Pace) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("slow") / "data"
    with running_service(data, "--stream-idle-seconds", str(pace.idle)) as service:
        yield service


@pytest.fixture
def client(patient: Service) -> Iterator[PersonaClient]:
    with PersonaClient(patient.grpc, patient.token()) as made:
        yield made


@pytest.fixture
def ids(client: PersonaClient) -> tuple[str, str]:
    project = client.create_project(Project(name="Slow"))
    return project.id, client.create_persona_group(project.id, PersonaGroup(name="all")).id


def fill(client: PersonaClient, ids: tuple[str, str], number: int) -> list[str]:
    """Add personas of 32 KB, more than a connection takes unread, and return their ids."""
    made = (Persona(full_name=f"{i}", attributes=LARGE) for i in range(number))
    return [one.id for one in client.batch_create_personas(*ids, list(made))]


def test_an_export_is_whole_for_who_thinks_about_each_persona(
    client: PersonaClient, ids: tuple[str, str], pace: Pace
) -> None:
    """So are the answers that are recorded meanwhile."""
    everything, simulation = fill(client, ids, 270 + pace.personas), str(uuid.uuid4())

    def answers() -> Iterator[Response]:
        for i, persona in enumerate(client.export_personas(*ids)):
            if i % (270 // pace.personas) == 0:
                time.sleep(pace.seconds)
            yield Response(persona_id=persona.id, question_key="q", text="Yes.")

    recorded = client.record_responses(simulation, answers())
    assert [one.persona_id for one in recorded] == everything
    assert list(client.list_responses(simulation_id=simulation)) == recorded


def test_an_import_is_whole_from_who_makes_each_persona(
    client: PersonaClient, ids: tuple[str, str], pace: Pace
) -> None:
    """Also after a silence longer than a stream may have."""

    def made() -> Iterator[Persona]:
        for i in range(pace.personas):
            time.sleep(1.5 * pace.idle if i == 1 else pace.seconds)
            yield Persona(full_name=f"{i}")

    answer = client.import_personas(*ids, split_batches(made()), str(uuid.uuid4()))
    assert answer.persona_count == pace.personas
    assert answer.committed_sequence > 1
    names = [one.full_name for one in client.list_personas(*ids)]
    assert names == [f"{i}" for i in range(pace.personas)]


def test_an_export_over_rest_is_whole_for_a_slow_reader(
    patient: Service, client: PersonaClient, ids: tuple[str, str], pace: Pace
) -> None:
    """It reads a megabyte, and thinks about it for longer than a stream of the server may wait."""
    everything = fill(client, ids, 450)
    host, port = patient.rest.removeprefix("http://").split(":")
    path = f"/api/v1/projects/{ids[0]}/persona-groups/{ids[1]}/personas:export"
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        reader.settimeout(30)
        reader.connect((host, int(port)))
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {patient.token()}"
        reader.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        body = bytearray()
        for _ in range(4):
            body += read(reader, 1 << 20)
            time.sleep(1.5 * pace.idle)
        body += read(reader, 1 << 40)
    assert body.endswith(b"\r\n0\r\n\r\n")  # as a body does that was not cut
    assert [json.loads(line)["id"] for line in lines(bytes(body))] == everything


def read(reader: socket.socket, most: int) -> bytearray:
    found = bytearray()
    while len(found) < most and (part := reader.recv(1 << 16)):
        found += part
    return found


def lines(raw: bytes) -> list[bytes]:
    """Return the lines of a chunked body."""
    rest, body = raw.partition(b"\r\n\r\n")[2], bytearray()
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return bytes(body).splitlines()

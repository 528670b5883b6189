"""A database of the version before ages could be null: what it holds is read as it was written.

A service of today is filled and read. What it stored is put, in the encodings of then, into a
database whose last migration is 0008, and a second service, which migrates it, is asked the same.
"""

import sqlite3
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.protobuf.message import Message

from persona.v1 import comparison_service_pb2 as comparison_pb
from persona.v1 import library_service_pb2 as library_pb
from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_service_pb2 as projects_pb
from persona.v1 import response_service_pb2 as responses_pb
from persona.v1 import simulation_service_pb2 as simulations_pb
from persona.v1.persona_pb2 import Persona
from persona.v1.response_pb2 import Response
from persona_server.storage.engine.folder import FILE_NAME
from support.answers import KINDS, record, rich_answer
from support.data import Place, make_place, make_project, persona, rich_persona, uid
from support.databases.older import insert_rows, older_database, older_row
from support.library import individual, ratings, retire, reuse
from support.service import Caller, running_service

pytestmark = pytest.mark.sqlite("an older database of PostgreSQL was never released")

BEFORE = "0008_library_orders"
# Each after those that it refers to. What is derived of answers is made anew, and not carried over.
TABLES = (
    "secret", "tenant", "project", "persona_group", "persona_set", "persona", "simulation",
    "response", "library_persona", "library_link", "tenant_usage",
)  # fmt: skip
AGES = (None, 1, 34, 127, 128, 130)


class Written(NamedTuple):
    """What the first service was given."""

    place: Place  # of every age, whose personas answered
    people: list[Persona]
    simulation: str
    answers: list[Response]
    gone: str  # a persona that answered and was deleted
    origin: str  # of the individual
    home: Place
    individual: str
    copy: str  # of it, in `place`


# A name → how the read is asked for.
READS: dict[str, Callable[[Written], Message]] = {
    "ListProjects": lambda _: projects_pb.ListProjectsRequest(),
    "ListProjects by name": lambda _: projects_pb.ListProjectsRequest(name="wave ω"),
    "GetProject": lambda w: projects_pb.GetProjectRequest(project_id=w.place.project),
    "ListPersonaGroups": lambda w: projects_pb.ListPersonaGroupsRequest(project_id=w.place.project),
    "ListPersonaGroups by name": lambda w: projects_pb.ListPersonaGroupsRequest(
        project_id=w.place.project, name="everyone"
    ),
    "GetPersonaGroup": lambda w: projects_pb.GetPersonaGroupRequest(**w.place.ids),
    "ListPersonas": lambda w: pb.ListPersonasRequest(**w.place.ids),
    "ListPersonas of all groups": lambda w: pb.ListPersonasRequest(
        project_id=w.place.project, group_id="-"
    ),
    "ListPersonas by age": lambda w: pb.ListPersonasRequest(**w.place.ids, age_min=1, age_max=128),
    "ListPersonas by name": lambda w: pb.ListPersonasRequest(
        **w.place.ids, full_name="maria SANTOS"
    ),
    "ListPersonas by attribute": lambda w: pb.ListPersonasRequest(
        **w.place.ids, attributes={"sixth_trait": "patient"}
    ),
    "GetPersona": lambda w: pb.GetPersonaRequest(**w.place.ids, persona_id=w.people[0].id),
    "BatchGetPersonas": lambda w: pb.BatchGetPersonasRequest(
        **w.place.ids, persona_ids=[one.id for one in w.people]
    ),
    "CountPersonas": lambda w: pb.CountPersonasRequest(**w.place.ids, age_min=1),
    "ExportPersonas": lambda w: pb.ExportPersonasRequest(**w.place.ids),
    "GetPersonaLineage": lambda w: pb.GetPersonaLineageRequest(**w.place.ids, persona_id=w.copy),
    "ListResponses by simulation": lambda w: responses_pb.ListResponsesRequest(
        simulation_id=w.simulation
    ),
    "ListResponses by group": lambda w: responses_pb.ListResponsesRequest(
        group_id=w.place.group, order_by="recorded_at desc"
    ),
    "ListResponses recorded later": lambda w: responses_pb.ListResponsesRequest(
        group_id=w.place.group, recorded_after=w.answers[0].recorded_at
    ),
    "ListResponses by library persona": lambda w: responses_pb.ListResponsesRequest(
        library_persona_id=w.individual
    ),
    "ListResponses of a deleted persona": lambda w: responses_pb.ListResponsesRequest(
        persona_id=w.gone
    ),
    "GetResponse": lambda w: responses_pb.GetResponseRequest(response_id=w.answers[1].id),
    "GetResponsePersona": lambda w: responses_pb.GetResponsePersonaRequest(
        response_id=w.answers[0].id
    ),
    "ListSimulations": lambda w: simulations_pb.ListSimulationsRequest(project_id=w.place.project),
    "GetSimulation": lambda w: simulations_pb.GetSimulationRequest(
        project_id=w.place.project, simulation_id=w.simulation
    ),
    "ListQuestions": lambda w: simulations_pb.ListQuestionsRequest(project_id=w.place.project),
    "ListLibraryPersonas": lambda _: library_pb.ListLibraryPersonasRequest(include_retired=True),
    "ListLibraryPersonas by attribute": lambda _: library_pb.ListLibraryPersonasRequest(
        attributes={"religion": "none"}
    ),
    "GetLibraryPersona": lambda w: library_pb.GetLibraryPersonaRequest(
        library_persona_id=w.individual
    ),
    "ListLibraryPersonaProjects": lambda w: library_pb.ListLibraryPersonaProjectsRequest(
        library_persona_id=w.individual
    ),
    "MatchLibraryPersonas": lambda w: library_pb.MatchLibraryPersonasRequest(**w.home.ids),
    "GetReliability": lambda w: library_pb.GetReliabilityRequest(**w.home.ids, persona_id=w.origin),
    "GetLibraryPersonaReliability": lambda w: library_pb.GetLibraryPersonaReliabilityRequest(
        library_persona_id=w.individual
    ),
    "ListReliabilities": lambda w: library_pb.ListReliabilitiesRequest(**w.place.ids),
    "GetAttitudeTimeline": lambda w: library_pb.GetAttitudeTimelineRequest(
        **w.place.ids, persona_id=w.copy
    ),
    "GetLibraryPersonaAttitudeTimeline": lambda w: (
        library_pb.GetLibraryPersonaAttitudeTimelineRequest(library_persona_id=w.individual)
    ),
    "SummarizeResponses": lambda w: comparison_pb.SummarizeResponsesRequest(
        project_id=w.place.project
    ),
}


def write(caller: Caller) -> Written:
    """Give a service some of everything that the version before could hold."""
    place = make_place(caller, make_project(caller, name="Wave Ω", description="First.").id)
    people = place.batch([rich_persona(age=age) for age in AGES] + [persona(full_name="Ada")])
    gone = place.create(persona(age=7)).id
    simulation = uid()
    answers = [rich_answer(people[i].id, **{kind: KINDS[kind]}) for i, kind in enumerate(KINDS)]
    recorded = record(caller, simulation, *answers, rich_answer(gone, model="m-2"))
    place.delete(gone)
    make_place(caller, place.project).fill(2)
    home = make_place(caller)
    promoted = individual(home, age=130)
    retire(caller, individual(home, age=None).id)
    (copy,) = reuse(place, promoted.id)
    record(caller, uid(), *ratings(copy.id, "later", 3))
    return Written(
        place,
        people,
        simulation,
        recorded,
        gone,
        promoted.origin_persona_id,
        home,
        promoted.id,
        copy.id,
    )


def answers_of(caller: Caller, written: Written) -> dict[str, list[Any]]:
    """Return what a service answers to every read."""
    named = ("projects", "personas", "responses", "simulations", "library", "comparison")
    services = [getattr(caller, name) for name in named]
    found = {}
    for name, ask in READS.items():
        rpc = name.partition(" ")[0]
        stub = next(getattr(service, rpc) for service in services if hasattr(service, rpc))
        answer = stub(ask(written))
        found[name] = list(answer) if isinstance(answer, Iterator) else [answer]
    return found


class Both(NamedTuple):
    """What was written, and what is read of it by the service of today and from the older file."""

    written: Written
    today: dict[str, list[Any]]
    older: dict[str, list[Any]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("versions")
    with running_service(folder / "today", "--rest", "off") as service:
        caller = service.connect()
        written = write(caller)
        today = answers_of(caller, written)
        caller.close()
    make_older(folder / "today", folder / "older")
    with running_service(folder / "older", "--rest", "off") as service:
        caller = service.connect()
        yield Both(written, today, answers_of(caller, written))
        caller.close()


def make_older(today: Path, data: Path) -> None:
    """Make the database that the version before would have written."""
    with pytest.MonkeyPatch.context() as patch:
        database = older_database(data, BEFORE, patch)
    held = sqlite3.connect(today / FILE_NAME)
    for table in TABLES:
        found = held.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
        assert found, table
        insert_rows(database, table, [older_row(table, row) for row in found])
    held.close()
    longest = "(SELECT max(length(framed)) FROM persona)"
    database.execute_sql(f"UPDATE persona_group SET max_framed = {longest}")  # noqa: S608
    plain = database.execute_sql("SELECT count(*) FROM persona WHERE instr(framed, x'288201')")
    assert plain.fetchone()[0] > 0  # an age of 130 is a number
    database.close_all()


def comparable(message: Any) -> None:
    """Take out what the version before did not keep, and what is another at each reading."""
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for one in value if field.is_repeated else [value]:
            comparable(one)
    name = message.DESCRIPTOR.name
    if name == "LibraryPersona":
        message.reliability.version = 1
        message.ClearField("models")  # which ones were compared is not known any more
    elif name in ("GetReliabilityResponse", "GetLibraryPersonaReliabilityResponse"):
        message.reliability.ClearField("measured_at")
    elif name == "ListQuestionsResponse":
        message.questions.sort(key=_question)
    elif name == "SummarizeResponsesResponse":
        message.summaries.sort(key=_question)
    elif name in ("GetAttitudeTimelineResponse", "GetLibraryPersonaAttitudeTimelineResponse"):
        message.timelines.sort(key=_question)


def _question(one: Any) -> bytes:
    """Order what was first asked in one call, and so has no order of its own."""
    return bytes(one.question.SerializeToString(deterministic=True))


@pytest.mark.parametrize("read", READS)
def test_a_read_is_answered_as_if_this_version_had_written_it(both: Both, read: str) -> None:
    wanted, found = deepcopy(both.today[read]), deepcopy(both.older[read])
    assert any(one.ByteSize() for one in wanted)
    for one in (*wanted, *found):
        comparable(one)
    assert found == wanted


def test_ages_are_what_was_written(both: Both) -> None:
    """0 was unknown, and is null now, which no age filter finds."""
    (every,), (aged,) = both.older["BatchGetPersonas"], both.older["ListPersonas by age"]
    assert list(every.personas) == both.written.people
    known = [one.age.value if one.HasField("age") else None for one in every.personas]
    assert known == [*AGES, None]
    assert sorted(one.age.value for one in aged.personas) == [1, 34, 127, 128]


def test_a_library_persona_says_by_which_version_it_was_measured(both: Both) -> None:
    (answer,) = both.older["GetLibraryPersona"]
    found = answer.library_persona
    assert (found.origin_group_id, found.profile.age.value) == (both.written.home.group, 130)
    assert (found.reliability.version, list(found.models)) == (1, [])
    (rule,) = [rule for rule in found.reliability.rules if rule.name == "lower_bound"]
    assert rule.holds

"""The library by the Python client: measured, promoted, listed, matched, reused and followed."""

import pickle
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from client.conftest import Place
from client.standin import UNAVAILABLE, Standin
from google.protobuf.message import Message

from persona.v1 import library_service_pb2 as pb
from persona_client import (
    AlreadyExists,
    InvalidField,
    LibraryPersona,
    LibraryPersonaNotFound,
    LibraryPersonaRetired,
    NotEligible,
    Persona,
    PersonaClient,
    PersonaGroup,
    PersonaNotFound,
    Project,
)
from support.answering.shifting import LOW, RCI, SLOPE, shifting_individual
from support.data import Place as Group
from support.data import rich_persona, uid
from support.library import BOUND, QUESTIONS, answer_reliably
from support.service import Service

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def library(service: Service) -> Iterator[PersonaClient]:
    """A client of a tenant of its own, so that the library holds what a test has put into it."""
    with PersonaClient(service.grpc, service.token(tenant="client-library")) as made:
        yield made


@pytest.fixture
def key() -> str:
    """A question that no other test asks, so that its noise is known."""
    return uid()


@pytest.fixture
def shifting(group: Group, key: str) -> LibraryPersona:
    """An individual of the library whose attitude has shifted."""
    return shifting_individual(group, key)


def another_group(client: PersonaClient, place: Place, **definition: object) -> str:
    made = PersonaGroup(name="others", **definition)  # type: ignore[arg-type]
    return client.create_persona_group(place.project_id, made).id


def test_a_reliable_persona_is_promoted_once(
    client: PersonaClient, place: Place, group: Group
) -> None:
    origin = client.create_persona(*place, rich_persona())
    with pytest.raises(NotEligible) as refused:
        client.promote_persona(*place, origin.id)
    assert refused.value.metadata["status"] == "INSUFFICIENT_DATA"
    told = refused.value.reliability
    assert told is not None
    assert {rule.name: rule.holds for rule in told.rules}["simulations"] is False
    assert pickle.loads(pickle.dumps(refused.value)).reliability == told  # noqa: S301
    assert client.get_persona_lineage(*place, origin.id) == (None, [])
    answer_reliably(group, origin.id)
    measured = client.get_reliability(*place, origin.id)
    assert measured.lower_bound.value == pytest.approx(BOUND, abs=1e-6)
    promoted = client.promote_persona(*place, origin.id)
    assert client.promote_persona(*place, origin.id) == promoted
    assert promoted.origin_persona_id == origin.id
    assert client.get_library_persona(promoted.id) == promoted
    again = client.get_library_persona_reliability(promoted.id)
    assert (again.question_count, again.library_persona_id.value) == (QUESTIONS, promoted.id)


def test_a_retried_promotion_has_one_effect(
    client: PersonaClient, place: Place, group: Group
) -> None:
    origin = client.create_persona(*place, Persona(full_name="a"))
    answer_reliably(group, origin.id)
    key = uid()
    first = client.promote_persona(*place, origin.id, request_id=key)
    client.delete_persona(*place, origin.id)
    assert client.promote_persona(*place, origin.id, request_id=key).id == first.id


def test_an_individual_is_reused_and_its_uses_are_known(
    client: PersonaClient, place: Place, shifting: LibraryPersona
) -> None:
    groups = [another_group(client, place) for _ in range(3)]
    made = [
        client.reuse_library_personas(place.project_id, one, [shifting.id])[0] for one in groups
    ]
    assert [one.library_persona_id.value for one in made] == [shifting.id] * 3
    with pytest.raises(AlreadyExists):
        client.reuse_library_personas(place.project_id, groups[0], [shifting.id])
    personas = [*(one.id for one in reversed(made)), shifting.origin_persona_id]
    links = list(client.list_library_persona_projects(shifting.id, page_size=1))
    assert [link.persona_id for link in links] == personas
    lineage = client.get_persona_lineage(place.project_id, groups[1], made[1].id, page_size=1)
    assert lineage.library_persona is not None
    assert lineage.library_persona.id == shifting.id
    assert lineage.personas == links


def test_a_retired_individual_is_not_reused(
    client: PersonaClient, place: Place, shifting: LibraryPersona
) -> None:
    retired = client.retire_library_persona(shifting.id)
    assert retired.HasField("retired_at")
    assert client.retire_library_persona(shifting.id) == retired
    with pytest.raises(LibraryPersonaRetired):
        client.reuse_library_personas(place.project_id, another_group(client, place), [shifting.id])


def test_lists_take_filters_and_an_order(service: Service, library: PersonaClient) -> None:
    project = library.create_project(Project(name="Library"))
    made = library.create_persona_group(project.id, PersonaGroup(name="all"))
    caller = service.connect(service.token(tenant="client-library"))
    place = Group(caller, project.id, made.id)
    found = []
    for i in range(3):
        one = library.create_persona(project.id, made.id, rich_persona(age=30 + i)).id
        answer_reliably(place, one)
        found.append(library.promote_persona(project.id, made.id, one))
    ids = [one.id for one in found]
    listed = library.list_library_personas(order_by="created_at desc", page_size=1)
    assert [one.id for one in listed] == ids[::-1]
    older = library.list_library_personas(age_min=31, order_by="created_at")
    assert [one.id for one in older] == ids[1:]
    assert list(library.list_library_personas(lower_bound_min=0.9)) == []
    library.retire_library_persona(ids[0])
    assert {one.id for one in library.list_library_personas()} == set(ids[1:])
    assert {one.id for one in library.list_library_personas(include_retired=True)} == set(ids)

    seeking = PersonaGroup(name="31", age_min=31, age_max=31)
    sought = library.create_persona_group(project.id, seeking)
    [match] = library.match_library_personas(project.id, sought.id)
    assert (match.library_persona.id, match.score) == (ids[1], 1.0)
    matches = library.match_library_personas(project.id, made.id, page_size=1)
    assert {one.library_persona.id for one in matches} == set(ids[1:])
    used = library.match_library_personas(project.id, made.id, exclude_used_in_project=True)
    assert list(used) == []


def test_a_timeline_has_all_questions_or_one(
    client: PersonaClient, shifting: LibraryPersona, key: str
) -> None:
    every = list(client.get_library_persona_attitude_timeline(shifting.id, page_size=1))
    assert len(every) == QUESTIONS + 3
    [one] = client.get_library_persona_attitude_timeline(shifting.id, question_key=key)
    assert one.numeric_shift.reliable_change.rci == pytest.approx(RCI, abs=1e-6)
    assert one.numeric_shift.slope.value == pytest.approx(SLOPE, abs=1e-6)
    assert one.numeric_shift.slope.low.value == pytest.approx(LOW, abs=1e-6)
    assert one in every
    ids = (shifting.origin_project_id, shifting.origin_group_id, shifting.origin_persona_id)
    assert list(client.get_attitude_timeline(*ids, page_size=2)) == every
    assert list(client.get_attitude_timeline(*ids, question_key=key)) == [one]
    answers = list(client.list_responses(library_persona_id=shifting.id, question_key=key))
    assert [answer.rating.value for answer in answers] == [2, 2, 3, 4, 4]


def test_a_group_has_a_row_for_each_persona(
    client: PersonaClient, place: Place, group: Group
) -> None:
    people = [one.id for one in group.fill(3)]
    answer_reliably(group, people[1])
    listed = list(client.list_reliabilities(*place, page_size=1))
    assert [row.persona_id for row in listed] == people
    assert [row.HasField("coefficient") for row in listed] == [False, True, False]
    assert listed[1].lower_bound == client.get_reliability(*place, people[1]).lower_bound
    ordered = list(client.list_reliabilities(*place, order_by="lower_bound desc"))
    assert ordered == [listed[1], listed[0], listed[2]]
    with pytest.raises(InvalidField):
        next(client.list_reliabilities(*place, order_by="name"))


def test_what_is_not_there_has_a_class_of_its_own(client: PersonaClient, place: Place) -> None:
    nobody = str(uuid.uuid4())
    with pytest.raises(LibraryPersonaNotFound):
        client.get_library_persona(nobody)
    with pytest.raises(LibraryPersonaNotFound):
        client.get_library_persona_reliability(nobody)
    with pytest.raises(LibraryPersonaNotFound):
        next(client.get_library_persona_attitude_timeline(nobody))
    with pytest.raises(PersonaNotFound):
        client.get_reliability(*place, nobody)
    with pytest.raises(PersonaNotFound):
        next(client.get_attitude_timeline(*place, nobody))
    with pytest.raises(PersonaNotFound):
        client.get_persona_lineage(*place, nobody)


def test_the_example_of_the_readme_runs(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "clients/python/README.md").read_text()
    [example] = re.findall(r"## The library\n\n```python\n(.*?)```", text, re.S)
    token = service.token(tenant="library-example")
    with PersonaClient(service.grpc, token) as client:
        project = client.create_project(Project(name="Tests"))
        made = [
            client.create_persona_group(project.id, PersonaGroup(name=name))
            for name in ("own", "other", "new")
        ]
        persona = client.create_persona(project.id, made[0].id, rich_persona())
        names = {"client": client, "project": project, "group": made[0], "persona": persona}
        exec(example, names | {"other_group": made[1]})  # noqa: S102
        assert "INSUFFICIENT_DATA" in capsys.readouterr().out
        tag = answer_reliably(Group(service.connect(token), project.id, made[0].id), persona.id)
        exec(example, names | {"other_group": made[2]})  # noqa: S102
    said = capsys.readouterr().out
    assert "bound 0.810" in said
    assert f"{tag}-00 4 False" in said
    assert "1.0 Maria Santos" in said
    assert "Tests new" in said


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (
            lambda client: client.promote_persona("p", "g", "i").id,
            pb.PromotePersonaResponse(library_persona=LibraryPersona(id="made")),
        ),
        (
            lambda client: client.retire_library_persona("i").id,
            pb.RetireLibraryPersonaResponse(library_persona=LibraryPersona(id="made")),
        ),
        (
            lambda client: client.reuse_library_personas("p", "g", ["i"])[0].id,
            pb.ReuseLibraryPersonasResponse(personas=[Persona(id="made")]),
        ),
    ],
)
def test_a_change_is_tried_again_with_one_request_id(
    failing: PersonaClient, standin: Standin, call: Callable[[PersonaClient], str], answer: Message
) -> None:
    name = answer.DESCRIPTOR.name.removesuffix("Response")
    standin.answers[name].extend([UNAVAILABLE, answer])
    assert call(failing) == "made"
    first, second = standin.requests[name]
    assert first == second
    assert uuid.UUID(first.request_id).version == 4

"""Every rule of Project and PersonaGroup, and the ids of every request."""

from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message_factory import GetMessageClass
from rpc.test_rpc_unknown_fields import REQUESTS, send

from persona.v1 import project_pb2
from persona.v1 import project_service_pb2 as pb
from support.data import Place, make_group, make_project
from support.errors import refusal_of, refused
from support.rpcs import fields_of, start_of

KIB = 1024
LINES = {"name": 255, "gender": 64, "location": 255, "occupation": 255}

GOOD: list[dict[str, Any]] = [
    *({name: "🙂" * limit} for name, limit in LINES.items()),
    *({name: word} for name in ("gender", "location", "occupation") for word in ("", "All", "Any")),
    *({"income_level": word} for word in ("", "All", "Any", "Low", "Middle", "High")),
    {"description": "é" * (2 * KIB)},
    {"description": "a\nb\x01"},
    {"psychographic_notes": "x" * (16 * KIB)},
    {"age_min": 0, "age_max": 0},
    {"age_min": 130, "age_max": 0},
    {"age_min": 0, "age_max": 1},
    {"age_min": 40, "age_max": 40},
]
BAD: list[tuple[dict[str, Any], set[str]]] = [
    *(({name: "x" * (limit + 1)}, {name}) for name, limit in LINES.items()),
    *(({name: f"a{bad}b"}, {name}) for name in LINES for bad in "\0\n\x7f"),
    ({"name": ""}, {"name"}),
    ({"name": " \t"}, {"name"}),
    ({"description": "x" * (4 * KIB + 1)}, {"description"}),
    ({"description": "\0"}, {"description"}),
    ({"psychographic_notes": "x" * (16 * KIB + 1)}, {"psychographic_notes"}),
    ({"psychographic_notes": "\0"}, {"psychographic_notes"}),
    *(({"income_level": bad}, {"income_level"}) for bad in ("low", "ALL", "any", "x", "\0")),
    *(({name: bad}, {name}) for name in ("age_min", "age_max") for bad in (-1, 131)),
    ({"age_min": 41, "age_max": 40}, {"age_min"}),
    ({"gender": "ﷺ" * 8}, {"gender"}),
    ({"location": "ﷺ" * 31}, {"location"}),
    ({"occupation": "ﷺ" * 31}, {"occupation"}),
]


def names(cases: list[Any]) -> list[str]:
    fields = [case[0] if type(case) is tuple else case for case in cases]
    return [f"{i}-{'-'.join(names)}" for i, names in enumerate(fields)]


def update(place: Place, fields: dict[str, Any]) -> project_pb2.PersonaGroup:
    request = pb.UpdatePersonaGroupRequest(
        project_id=place.project,
        group_id=place.group,
        persona_group=project_pb2.PersonaGroup(**fields),
        update_mask=FieldMask(paths=list(fields)),
    )
    return place.caller.projects.UpdatePersonaGroup(request).persona_group


@pytest.mark.parametrize("fields", GOOD, ids=names(GOOD))
def test_taken(place: Place, fields: dict[str, Any]) -> None:
    for group in (make_group(place.caller, place.project, **fields), update(place, fields)):
        assert {name: getattr(group, name) for name in fields} == fields


@pytest.mark.parametrize(("fields", "expected"), BAD, ids=names(BAD))
def test_refused(place: Place, fields: dict[str, Any], expected: set[str]) -> None:
    before = place.described()
    for call in (
        lambda: make_group(place.caller, place.project, **fields),
        lambda: update(place, fields),
    ):
        problem = refusal_of(call)
        assert problem.reason == "INVALID_FIELD"
        assert set(problem.fields) == {f"persona_group.{name}" for name in expected}
    assert place.described() == before


PROJECTS = [case for case in BAD if set(case[0]) <= {"name", "description"}]


@pytest.mark.parametrize(("fields", "expected"), PROJECTS, ids=names(PROJECTS))
def test_project_refused(place: Place, fields: dict[str, Any], expected: set[str]) -> None:
    request = pb.UpdateProjectRequest(
        project_id=place.project,
        project=project_pb2.Project(**fields),
        update_mask=FieldMask(paths=list(fields)),
    )
    for call in (
        lambda: make_project(place.caller, **fields),
        lambda: place.caller.projects.UpdateProject(request),
    ):
        problem = refusal_of(call)
        assert problem.reason == "INVALID_FIELD"
        assert set(problem.fields) == {f"project.{name}" for name in expected}


def test_a_project_and_a_group_are_required(place: Place) -> None:
    projects = place.caller.projects
    with refused("INVALID_FIELD") as refusal:
        projects.CreateProject(pb.CreateProjectRequest())
    assert "project" in refusal.problem.fields
    with refused("INVALID_FIELD") as refusal:
        projects.CreatePersonaGroup(pb.CreatePersonaGroupRequest(project_id=place.project))
    assert "persona_group" in refusal.problem.fields


IDS = [
    pytest.param(method, field.name, id=f"{method.name}-{field.name}")
    for method in REQUESTS.values()
    for field in fields_of(method.input_type)
    if field.name.endswith("_id") and not field.name.endswith("external_id")  # which is not ours
]
# What may be left out beside request_id: filters, and the group of external ids.
OPTIONAL = {
    ("RecordResponses", "group_id"),
    ("ListQuestions", "simulation_id"),
    ("VoidResponses", "simulation_id"),
} | {
    ("ListResponses", f"{name}_id")
    for name in ("simulation", "project", "group", "persona", "library_persona")
}
OPTIONAL |= {("SummarizeResponses", f"{name}_id") for name in ("simulation", "project", "group")}
OPTIONAL |= {
    ("CompareResponses", f"{name}_id")
    for name in ("simulation", "group", "other_simulation", "other_group")
}
OPTIONAL |= {(f"Measure{name}", "simulation_id") for name in ("Fidelity", "GroupFidelity")}
BAD_IDS = [
    "x",
    "0190b5a4-7c3e-7b1a-8f00-0123456789a",
    "{0190b5a4-7c3e-7b1a-8f00-0123456789ab}",
    "%",
]


@pytest.mark.parametrize("text", ["", *BAD_IDS])
@pytest.mark.parametrize(("method", "field"), IDS)
def test_every_id_of_every_request(
    place: Place, method: MethodDescriptor, field: str, text: str
) -> None:
    """Generated from the descriptors: a new RPC's ids are checked from its first day."""
    request = GetMessageClass(method.input_type)()
    named = start_of(request)
    for name in ("project_id", "group_id", "persona_id", "import_id", "request_id"):
        if hasattr(named, name):
            setattr(named, name, place.group)
    setattr(named, field, text)
    if not text and (field == "request_id" or (method.name, field) in OPTIONAL):
        return
    with refused("INVALID_FIELD") as refusal:
        send(place, method, request)
    assert field in {name.removeprefix("start.") for name in refusal.problem.fields}

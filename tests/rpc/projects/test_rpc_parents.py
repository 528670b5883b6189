"""Parents are checked outermost first, and another tenant's ids are like ids that are not there."""

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from rpc.conftest import Connect
from rpc.test_rpc_unknown_fields import REQUESTS, send

from support.data import Place, make_place, persona, uid
from support.errors import refusal_of, refused
from support.library import individual, reuse
from support.rpcs import fields_of, start_of

# reason → the field whose id is not there, outermost first
REASONS = {
    "PROJECT_NOT_FOUND": "project_id",
    "PERSONA_GROUP_NOT_FOUND": "group_id",
    "PERSONA_NOT_FOUND": "persona_id",
    "LIBRARY_PERSONA_NOT_FOUND": "library_persona_id",
}
CASES = [
    pytest.param(method, reason, id=f"{method.name}-{field}")
    for method in REQUESTS.values()
    for reason, field in REASONS.items()
    if field in {each.name for each in fields_of(method.input_type)}
    # Its group is looked at only for external ids: see the tests of these.
    and (method.name, field) != ("RecordResponses", "group_id")
]
# These take several parents that need not belong together, and look at each.
ALTERNATIVES = {"ListResponses"}


def request_of(place: Place, method: MethodDescriptor, missing: set[str], named: str) -> object:
    """Return a valid request whose ids name the place, or nothing where they are missing.

    Where a request takes several parents by themselves, it gets the one that is `named`.
    """
    request = GetMessageClass(method.input_type)()
    given = {**place.ids, "persona_id": uid(), "import_id": uid(), "library_persona_id": uid()}
    start = start_of(request)
    for field in fields_of(method.input_type):
        name = field.name
        if method.name in ALTERNATIVES and name in given and name != named:
            continue
        if name in given:
            setattr(start, name, uid() if name in missing else given[name])
        elif name == "persona":
            request.persona.CopyFrom(persona())  # type: ignore[attr-defined]
        elif name == "personas":
            request.personas.append(persona())  # type: ignore[attr-defined]
        elif name.endswith("_ids"):
            getattr(request, name).append(uid())
        elif name.startswith("source_"):  # below the group that is copied into
            setattr(request, name, uid())
        elif name in ("project", "persona_group"):
            getattr(request, name).name = "Name"
    return request


@pytest.mark.parametrize(("method", "reason"), CASES)
def test_the_outermost_missing_parent_is_named(
    place: Place, method: MethodDescriptor, reason: str
) -> None:
    fields = list(REASONS.values())
    missing = set(fields[fields.index(REASONS[reason]) :])  # and all below it
    request = request_of(place, method, missing, REASONS[reason])
    problem = refusal_of(lambda: send(place, method, request))  # type: ignore[arg-type]
    assert problem.reason == reason
    named = REASONS[reason]
    assert problem.metadata[named] == getattr(start_of(request), named)


def test_a_group_under_another_project_is_not_found(place: Place) -> None:
    other = make_place(place.caller)
    crossed = Place(place.caller, other.project, place.group)
    (one,) = place.fill(1)
    for call in (
        crossed.described,
        crossed.page,
        crossed.export,
        crossed.delete_all,
        lambda: crossed.get(one.id),
        lambda: crossed.delete(one.id),
        lambda: crossed.create(persona()),
    ):
        assert refusal_of(call).reason == "PERSONA_GROUP_NOT_FOUND"
    assert place.walk() == [one]


def test_a_missing_individual_is_named(place: Place) -> None:
    """It comes after project and group, and among several the first is named."""
    known, unknown = individual(make_place(place.caller)).id, uid()
    with refused("LIBRARY_PERSONA_NOT_FOUND") as refusal:
        reuse(place, known, unknown, uid())
    assert refusal.problem.metadata["library_persona_id"] == unknown
    with refused("PERSONA_GROUP_NOT_FOUND"):
        reuse(Place(place.caller, place.project, uid()), unknown)
    assert place.walk() == []


def test_validation_comes_before_existence(place: Place) -> None:
    nowhere = Place(place.caller, uid(), uid())
    with refused("INVALID_FIELD"):
        nowhere.create(persona(age=-1))
    with refused("INVALID_FIELD"):
        nowhere.get("x")


def test_another_tenants_ids_are_free_and_not_found(place: Place, connect: Connect) -> None:
    """R7 has every RPC; here what happens to both sides."""
    (one,) = place.batch([persona(id=uid())])
    foreign = Place(connect(of=f"x-{uid()}"), place.project, place.group)
    assert refusal_of(foreign.page).reason == "PROJECT_NOT_FOUND"
    own = make_place(foreign.caller)
    assert own.create(persona(id=one.id)).project_id == own.project
    own.delete(one.id)
    assert place.get(one.id) == one

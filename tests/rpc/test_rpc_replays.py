"""request_id: what it is bound to, and what a retry gets when the first call's effect is gone."""

from rpc.conftest import Connect

from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_service_pb2 as projects_pb
from support.data import Place, make_place, persona, uid
from support.errors import refused


def test_one_id_for_several_methods_is_several_ids(place: Place) -> None:
    key = uid()
    (one,) = place.batch([persona()], request_id=key)
    other = place.create(persona(), request_id=key)
    assert place.delete_all(request_id=key) == 2
    assert one.id != other.id
    assert place.batch([persona()], request_id=key)[0].id == one.id


def test_one_id_for_several_tenants_is_several_ids(place: Place, connect: Connect) -> None:
    key = uid()
    other = make_place(connect(of=f"x-{uid()}"))
    first = place.create(persona(), request_id=key)
    second = other.create(persona(age=9), request_id=key)
    assert first.id != second.id
    assert place.create(persona(), request_id=key) == first


def test_failures_are_not_kept(place: Place) -> None:
    key, given = uid(), uid()
    with refused("PERSONA_NOT_FOUND"):
        place.delete(given, request_id=key)
    place.create(persona(id=given))
    place.delete(given, request_id=key)
    place.delete(given, request_id=key)  # its retry succeeds
    with refused("PERSONA_NOT_FOUND"):
        place.delete(given)
    with refused("PERSONA_NOT_FOUND"):
        place.delete(given, request_id=uid())


def test_the_retry_of_a_delete_succeeds_when_all_parents_are_gone(place: Place) -> None:
    key = uid()
    (one,) = place.fill(1)
    place.delete(one.id, request_id=key)
    request = projects_pb.DeleteProjectRequest(project_id=place.project, request_id=key)
    place.caller.projects.DeleteProject(request)
    place.caller.projects.DeleteProject(request)
    place.delete(one.id, request_id=key)
    with refused("PROJECT_NOT_FOUND"):
        place.delete(one.id)


def test_a_replayed_batch_shows_what_was_deleted_by_its_id_alone(place: Place) -> None:
    key = uid()
    given = [persona(full_name=name) for name in ("a", "b", "c")]
    made = place.batch(given, request_id=key)
    place.delete(made[1].id)
    again = place.batch(given, request_id=key)
    assert [again[0], again[2]] == [made[0], made[2]]
    assert again[1] == persona(id=made[1].id, full_name="")
    place.delete_all()
    assert [one.id for one in place.batch(given, request_id=key)] == [one.id for one in made]
    assert place.count() == 0


def test_a_retry_of_delete_all_does_not_delete_again(place: Place) -> None:
    key = uid()
    place.fill(2)
    assert place.delete_all(request_id=key) == 2
    place.fill(3)
    assert place.delete_all(request_id=key) == 2
    assert place.count() == 3


def test_a_call_that_changes_nothing_keeps_its_request_id(place: Place) -> None:
    key = uid()
    assert place.delete_all(request_id=key) == 0
    place.fill(1)
    assert place.delete_all(request_id=key) == 0
    assert place.count() == 1


def test_same_means_normalised(place: Place) -> None:
    key, given = uid(), uid()
    first = place.create(persona(id=given, group_id="ignored"), request_id=key)
    upper = Place(place.caller, place.project.upper(), place.group.upper())
    again = upper.create(persona(id=given.upper()), request_id=key.upper())
    assert again == first
    request = projects_pb.UpdatePersonaGroupRequest(**place.ids, request_id=key)
    request.persona_group.name = "New"
    one = place.caller.projects.UpdatePersonaGroup(request)
    request.update_mask.paths.extend(["name", "name"])
    assert place.caller.projects.UpdatePersonaGroup(request) == one


def test_several_header_values_are_refused(place: Place) -> None:
    request = pb.CreatePersonaRequest(**place.ids, persona=persona())
    keys = (("idempotency-key", uid()), ("idempotency-key", uid()))
    with refused("INVALID_FIELD"):
        place.caller.personas.CreatePersona(request, metadata=keys)
    assert place.count() == 0

"""Pages that are listed again come from memory, and are never older than what was acknowledged."""

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from rpc.test_rpc_interceptors import samples

from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_service_pb2 as projects_pb
from persona_server.services.personas.page_cache import Key, PageCache
from support.copies import copied
from support.data import Place, make_place, persona, uid
from support.errors import refused
from support.importer import Importer
from support.library import individual, reuse
from support.service import Service, running_service


def found(service: Service) -> float:
    """Return how many pages were found in memory so far."""
    return samples(service)["persona_page_cache_hits_total"]


def names(place: Place) -> list[str]:
    return sorted(one.full_name for one in place.page().personas)


def test_a_page_asked_for_again_is_found_and_the_same(place: Place, service: Service) -> None:
    place.fill(5, gender="female")
    for arguments in ({}, {"page_size": 2}, {"gender": "female"}):
        before = found(service)
        first = place.page(**arguments)
        assert (found(service) - before, len(first.personas) > 1) == (0, True)
        assert place.page(**arguments) == first
        assert found(service) - before == 1
    token = first.next_page_token or place.page(page_size=2).next_page_token
    second = place.page(page_size=2, page_token=token)
    assert place.page(page_size=2, page_token=token) == second
    assert [one.full_name for one in second.personas] == ["Person 2", "Person 3"]


def copy(place: Place) -> None:
    source = make_place(place.caller)
    copied(place, source, source.create(persona(full_name="Copied")).id)


CHANGES: dict[str, Callable[[Place], Any]] = {
    "create": lambda place: place.create(persona(full_name="New")),
    "batch": lambda place: place.fill(2),
    "import": lambda place: Importer(place, 1, 3).run(place.caller),
    "delete": lambda place: place.delete(place.page().personas[0].id),
    "delete all": Place.delete_all,
    "copy": copy,
    "reuse": lambda place: reuse(place, individual(make_place(place.caller)).id),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen_at_once(place: Place, change: str) -> None:
    place.fill(3)
    before = names(place)
    assert names(place) == before
    CHANGES[change](place)
    after = names(place)
    assert after != before
    assert after == sorted(one.full_name for one in place.walk(page_size=1))


def test_what_comes_back_is_seen_at_once(place: Place) -> None:
    one = place.create(persona(id=uid()))
    place.delete(one.id)
    assert names(place) == []
    place.create(one)
    assert [each.id for each in place.page().personas] == [one.id]


@pytest.mark.parametrize("gone", ["PERSONA_GROUP", "PROJECT"])
def test_the_pages_of_what_is_deleted_are_gone(place: Place, gone: str) -> None:
    place.fill(1)
    place.page()
    if gone == "PROJECT":
        request = projects_pb.DeleteProjectRequest(project_id=place.project)
        place.caller.projects.DeleteProject(request)
    else:
        place.caller.projects.DeletePersonaGroup(projects_pb.DeletePersonaGroupRequest(**place.ids))
    with refused(f"{gone}_NOT_FOUND"):
        place.page()


def test_another_tenant_does_not_get_it(place: Place, service: Service) -> None:
    place.fill(1)
    place.page()
    other = service.connect(service.token(tenant=f"x-{uid()}"))
    with refused("PROJECT_NOT_FOUND"):
        other.personas.ListPersonas(pb.ListPersonasRequest(**place.ids))


def test_readers_beside_a_writer_always_see_what_was_acknowledged(place: Place) -> None:
    made: list[str] = []
    short: list[tuple[int, int]] = []

    def poll() -> None:
        while len(made) < 60:
            acknowledged = len(made)
            listed = len(place.page().personas)
            if listed < acknowledged:
                short.append((listed, acknowledged))

    readers = [Thread(target=poll) for _ in range(3)]
    for reader in readers:
        reader.start()
    for i in range(60):
        made.append(place.create(persona(full_name=f"{i}")).id)
    for reader in readers:
        reader.join()
    assert short == []


def test_by_itself_nothing_is_kept(tmp_path: Path) -> None:
    with running_service(tmp_path, "--rest", "off") as service:
        place = make_place(service.connect())
        place.fill(3)
        assert place.page() == place.page()
        assert found(service) == samples(service)["persona_page_cache_bytes"] == 0


def test_its_room_is_bounded_and_those_asked_for_last_stay() -> None:
    cache = PageCache(10_000)
    keys = [Key("tenant", b"%d" % i) for i in range(50)]
    for key in keys:
        cache.put(key, 1, b"x" * 700)
        assert cache.get(keys[0], 1)
        assert cache.bytes <= 10_000
    kept = [key for key in keys if cache.get(key, 1)]
    assert kept == [keys[0], *keys[-8:]]
    cache.put(keys[-1], 1, b"y" * 2_600)  # too large for a quarter of it
    assert cache.get(keys[-1], 1) == b"x" * 700
    cache.put(keys[-1], 3, b"new")
    cache.put(keys[-1], 2, b"of a slower reader")
    assert (cache.get(keys[-1], 3), cache.get(keys[-1], 2)) == (b"new", None)

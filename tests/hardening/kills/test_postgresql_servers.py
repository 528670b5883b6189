"""R6 with two servers of one PostgreSQL database: a request_id has one effect, whoever is asked."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.data import Place, make_place, persona, uid
from support.importer import LEAN
from support.postgresql import Cluster
from support.service import Service, running_service

CALLS = 40


@pytest.fixture
def places(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Place, Place]]:
    """One group, as two servers have it."""
    url = cluster.migrated()
    monkeypatch.setattr(Service, "database_of", staticmethod(lambda _: url))
    with (
        running_service(tmp_path / "one", *LEAN) as one,
        running_service(tmp_path / "other", *LEAN) as other,
    ):
        place = make_place(one.connect())
        yield place, Place(other.connect(), place.project, place.group)


def test_a_request_id_has_one_effect(cluster: Cluster, places: tuple[Place, Place]) -> None:
    given, request_id = persona(), uid()

    def create(number: int) -> bytes:
        made = places[number % 2].create(given, request_id)
        return made.SerializeToString(deterministic=True)

    with ThreadPoolExecutor(CALLS) as threads:
        answers = set(threads.map(create, range(CALLS)))
    assert len(answers) == 1
    assert [place.count() for place in places] == [1, 1]
    assert len(places[1].walk()) == 1


def test_what_one_server_has_answered_the_other_shows(places: tuple[Place, Place]) -> None:
    made = [places[number % 2].create(persona()) for number in range(6)]
    for place in places:
        assert [one.id for one in place.walk()] == [one.id for one in made]
    assert places[0].delete_all() == 6
    assert places[1].walk() == []

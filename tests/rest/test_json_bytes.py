"""The bytes of JSON are the same whatever build writes them."""

import shutil
from collections.abc import Callable
from pathlib import Path

from rest.conftest import Place
from rest.processes import Gateway, program
from rest.wire import Rest

from support.service import Service


def test_builds_that_differ_write_the_same(
    service: Service,
    rest: Rest,
    place: Place,
    filled: Callable[[int], list[str]],
    tmp_path: Path,
) -> None:
    """What protojson makes of a message depends on a hash of the program, its length included."""
    ids = filled(3)
    rest.call("PATCH", f"/api/v1/projects/{place.project}", {"description": 'a , "b\\": , "'})
    said = []
    for more in range(6):  # half of all builds have spaces behind commas
        build = tmp_path / f"persona-gateway-{more}"
        shutil.copy(program(), build)
        with build.open("ab") as file:
            file.write(bytes(more))
        running = Gateway(service.grpc, build=build)
        said.append(answers(Rest(running.base, service.token()), place, ids))
        running.stop()
    assert {str(one) for one in said} == {str(said[0])}
    assert all(b", " not in body.replace(b'a , \\"b\\\\\\": , ', b"") for body in said[0])


def answers(client: Rest, place: Place, ids: list[str]) -> list[bytes]:
    """Return what every way of writing JSON writes."""
    calls = [
        ("GET", f"/api/v1/projects/{place.project}", None),
        ("GET", f"{place.path}?page_size=2", None),
        ("GET", place.path, None),
        ("GET", f"{place.path}:export", None),
        ("POST", f"{place.path}:batchGet", {"persona_ids": ids}),
    ]
    return [client.call(*call).body for call in calls]

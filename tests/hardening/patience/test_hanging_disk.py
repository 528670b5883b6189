"""What holds while the disk under SQLite hangs, of which no thread that waits for it can be ended.

The file system is frozen, which holds readers too.
"""

from pathlib import Path
from typing import Any

import grpc
import pytest

from persona.v1.persona_service_pb2 import CreatePersonaRequest
from support.data import make_place, persona, uid
from support.databases.disks import hanging_disk
from support.dbfile import reading
from support.importer import LEAN
from support.operating.health import is_serving
from support.requests.deadlines import LATE
from support.service import Service, running_service
from support.waiting import eventually

COMES = 2.0  # seconds in which both calls come to the server, on any machine
pytestmark = [
    pytest.mark.alone,  # a quarter of a second is little beside others
    pytest.mark.sqlite("whose disk it is is the database's affair"),
]


def test_only_who_writes_is_held_and_health_says_so(tmp_path: Path) -> None:
    with (
        hanging_disk(tmp_path / "disk") as disk,
        running_service(disk.folder / "data", *LEAN) as service,
        reading(disk.folder / "data") as file,
    ):
        places = [make_place(service.connect(service.token(name))) for name in ("one", "other")]
        requests = [
            CreatePersonaRequest(**p.ids, persona=persona(), request_id=uid()) for p in places
        ]
        pairs = list(zip(places, requests, strict=True))
        with disk.hanging():
            calls = [
                place.caller.personas.CreatePersona.future(request, timeout=COMES)
                for place, request in pairs
            ]
            assert {call.code() for call in calls} == {grpc.StatusCode.DEADLINE_EXCEEDED}
            waited = eventually(lambda: ended(service))
            assert min(line["duration_ms"] for line in waited) < (COMES + LATE) * 1000
            eventually(lambda: not is_serving(service))
            assert len(ended(service)) == 1  # the other one holds the disk
        eventually(lambda: is_serving(service))
        for place, request in pairs:
            made = place.caller.personas.CreatePersona(request).persona
            assert place.walk() == [made]
        for name, request in zip(("one", "other"), requests, strict=True):
            assert len(file.audit(name, request.request_id)) == 1


def ended(service: Service) -> list[dict[str, Any]]:
    """Return the lines of the log of creates that have ended."""
    return [line for line in list(service.log) if line.get("method") == "CreatePersona"]

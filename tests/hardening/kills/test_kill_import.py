"""R1: kill -9 at any instant of an import loses nothing acknowledged, leaves no part of a batch."""

import random
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from support.data import Place, make_place
from support.dbfile import DatabaseFile, reading
from support.importer import LEAN, Background, Importer
from support.service import Service, running_service

BATCHES_A_KILL = 8  # so many are sent at most before the next kill
SIZE = 200


class Killer:
    """Kills a service at an instant that a seed has picked: some time after some answer."""

    def __init__(self, seed: int, token: str) -> None:
        self._random = random.Random(seed)
        self._token = token

    def run(self, service: Service, importer: Importer) -> None:
        caller = service.connect(self._token)
        due = importer.acknowledged + self._random.randrange(BATCHES_A_KILL)
        delay = self._random.choice([0.0, self._random.uniform(0, 0.02)])
        killing = threading.Timer(delay, service.process.kill)

        def acknowledged(sequence: int) -> None:
            if sequence >= due and not killing.is_alive() and killing.ident is None:
                killing.start()

        ended = importer.run(caller, acknowledged)
        assert not ended, "the import was over before the kill"
        assert killing.ident is not None, importer.error
        killing.join()
        service.kill()
        caller.close()


def check(file: DatabaseFile, importer: Importer) -> int:
    """Hold a dead service's file against the journal; return how many batches it has."""
    rows = file.audit("local")
    trail = [row for row in rows if row.request_id == importer.import_id]
    stored = file.visible("local")
    batches, rest = divmod(stored, importer.size)
    assert rest == 0, "a part of a batch"
    assert batches >= importer.acknowledged, "an acknowledged batch is lost"
    assert [row.persona_count for row in trail] == [importer.size] * batches
    assert file.value("SELECT persona_count FROM persona_group") == stored
    assert file.value("SELECT committed_sequence FROM import_session") == batches
    assert file.is_sound()
    return batches


@pytest.mark.parametrize("seed", [1])
def test_kills(data: Path, rounds: Callable[[int, int], int], seed: int) -> None:
    kills = rounds(20, 300)
    with running_service(data, *LEAN) as service:
        killer = Killer(seed, service.token())
        place = make_place(service.connect())
        importer = Importer(place, kills * BATCHES_A_KILL, SIZE)
        # The ledger's row is there from the first kill on.
        assert not importer.run(service.connect(), lambda _: service.process.kill())
        service.kill()
    for _ in range(kills):
        with running_service(data, *LEAN) as service:
            killer.run(service, importer)
        with reading(data) as file:
            check(file, importer)
    finish(data, place, importer)


def finish(data: Path, place: Place, importer: Importer) -> None:
    """Resume to the end, and find each persona exactly once, in order."""
    with running_service(data, *LEAN) as service:
        caller = service.connect()
        assert importer.run(caller), importer.error
        there = Place(caller, place.project, place.group)
        names = [one.full_name for page in there.export() for one in page.personas]
        assert sorted(names) == importer.names(importer.batches)
        walked = there.walk()
        assert sorted(one.full_name for one in walked) == importer.names(importer.batches)
        assert len({one.id for one in walked}) == len(walked)
        assert there.count() == importer.count == len(walked)
        caller.close()
    with reading(data) as file:
        assert check(file, importer) == importer.batches


def test_killed_before_its_first_answer(data: Path) -> None:
    """A service that dies before anything is acknowledged starts again."""
    with running_service(data, *LEAN) as service:
        place = make_place(service.connect())
        importer = Importer(place, 1, SIZE)
        with Background(partial(importer.run, service.connect())):
            service.kill()
    with reading(data) as file:
        assert file.visible("local") in {importer.acknowledged * SIZE, SIZE}
    with running_service(data, *LEAN) as service:
        caller = service.connect()
        assert importer.run(caller), importer.error
        assert Place(caller, place.project, place.group).count() == SIZE
        caller.close()

"""A big import, a delete-all and the sweep behind it hold nobody up, and are whole or absent."""

import threading
from collections.abc import Callable, Iterator

import pytest

from support.data import Place, make_place, persona
from support.dbfile import DatabaseFile, connection, reading
from support.importer import LEAN, Background, Importer
from support.service import Service, running_service
from support.waiting import LIMIT, eventually

PAGE = 1000
UNARY = 20  # calls beside an import
# Writers take turns: while one call waits, the import commits the batch it is at and few more.
BATCHES_A_CALL = 5


def test_import_does_not_starve_others(own: Service) -> None:
    """Unary calls of the same group come in between the batches, however many are queued."""
    caller, other = own.connect(own.token("starve")), own.connect(own.token("starve"))
    place = make_place(other)
    importer = Importer(place, 100_000, PAGE)
    begun = threading.Event()
    with Background(lambda: importer.run(caller, lambda _: begun.set())) as importing:
        assert begun.wait(LIMIT)
        eventually(lambda: importer.acknowledged)
        before = importer.acknowledged
        made = []
        for _ in range(UNARY):
            made.append(place.create(persona(full_name="In between")))
            assert place.get(made[-1].id) == made[-1]
            assert len(place.page(page_size=10).personas) == 10
        between = importer.acknowledged - before
        assert importing.running, importer.error
        caller.close()
    assert between >= 1, "the import stood still"
    assert between <= UNARY * BATCHES_A_CALL
    assert place.count() >= importer.acknowledged * PAGE + UNARY
    other.close()


class Walker:
    """Walks a group again and again, and records what it saw."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.walks: list[list[str]] = []
        self.counts: list[int] = []
        self.started = threading.Event()

    def run(self) -> None:
        """Walk until a walk finds nothing at all."""
        while not self.walks or self.walks[-1]:
            seen: list[str] = []
            for page in self._place.pages():
                seen += [one.id for one in page.personas]
                self.counts.append(self._place.count())
                self.started.set()  # the group is deleted only once it has been counted
            self.walks.append(seen)


class Large:
    """A large group in a service of its own."""

    def __init__(self, service: Service, number: int) -> None:
        self.data, self.number, self.service = service.data, number, service
        self.place = make_place(service.connect())
        importer = Importer(self.place, number // PAGE, PAGE, text=0)
        assert importer.run(self.place.caller), importer.error


@pytest.fixture(scope="module")
def large(
    tmp_path_factory: pytest.TempPathFactory, rounds: Callable[[int, int], int]
) -> Iterator[Large]:
    with running_service(tmp_path_factory.mktemp("large") / "data", *LEAN) as service:
        yield Large(service, rounds(5_000, 1_000_000))


def test_delete_all_is_one_step(large: Large) -> None:
    """Each page a walker gets is the next of the old set or comes of the new one."""
    everyone = [one.id for one in large.place.walk()]
    assert len(everyone) == len(set(everyone)) == large.number
    walkers = [
        Walker(Place(large.service.connect(), large.place.project, large.place.group))
        for _ in range(2)
    ]
    with Background(walkers[0].run), Background(walkers[1].run):
        for walker in walkers:
            assert walker.started.wait(LIMIT)
        assert large.place.delete_all() == large.number
        assert (large.place.count(), large.place.walk()) == (0, [])
        assert large.place.delete_all() == 0
    for walker in walkers:
        assert walker.walks[-1] == []
        for seen in walker.walks:
            assert len(seen) % PAGE == 0  # no page was cut
            assert seen == everyone[: len(seen)]
        assert set(walker.counts) == {large.number, 0}
        assert walker.counts == sorted(walker.counts, reverse=True)


def test_sweep_lets_others_in(large: Large) -> None:
    """The sweep takes few rows at a time, and writers come in between."""
    if large.place.count():
        large.place.delete_all()
    token = large.service.token()
    large.service.stop()
    with connection(large.data) as beside:  # as if retention were over
        beside.execute("UPDATE persona_set SET purge_after = 1 WHERE purge_after IS NOT NULL")
    with running_service(large.data, *LEAN) as service, reading(large.data) as file:
        caller = service.connect(token)
        small = make_place(caller)
        left = [swept_rows(file)]
        while left[-1]:
            made = small.create(persona())
            assert small.get(made.id) == made
            left.append(swept_rows(file))
        assert left == sorted(left, reverse=True)
        assert len(set(left)) > 3, "nobody came in between"
        assert small.count() == len(left) - 1 == len(small.walk())
        caller.close()
        # It rests ten times as long as it works, with their terms as with them.
        line = eventually(
            lambda: [e for e in list(service.log) if e["message"] == "swept"], 10 * LIMIT
        )[0]
        assert line["rows"] == large.number


def swept_rows(file: DatabaseFile) -> int:
    """Return how many rows of dropped sets are there still."""
    rows: int = file.value(
        "SELECT count(*) FROM persona p JOIN persona_set s ON s.tenant_id = p.tenant_id "
        "AND s.id = p.set_id WHERE s.dropped_at IS NOT NULL"
    )
    return rows

"""Pages are read from a replica that has them, and nothing there that is older than its call."""

from collections.abc import Iterator

import pytest

from persona.v1 import persona_service_pb2 as pb
from support.data import Place, make_place, persona
from support.importer import LEAN
from support.postgresql import Cluster, running_cluster
from support.service import Service, running_service
from support.waiting import eventually

# Whether a page is what a connection of the service has asked last, since then.
PAGES = (
    "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name LIKE 'persona/%' "
    "AND query LIKE 'SELECT _t1_._framed_, _t1_._position_ FROM _persona_ AS%' "
    "AND query_start > '{}'"
)


class Replicated:
    """A service with a primary and a replica of its own."""

    def __init__(self, service: Service, primary: Cluster, replica: Cluster) -> None:
        self.service, self.primary, self.replica = service, primary, replica
        self.caller = service.connect()

    def caught_up(self) -> bool:
        """Return whether the replica has all that the primary has."""
        ((now,),) = self.primary.execute("SELECT pg_current_wal_insert_lsn()::text")
        sql = f"SELECT pg_last_wal_replay_lsn() >= '{now}'"
        return bool(self.replica.execute(sql)[0][0])

    def reads(self, place: Place) -> str:
        """Return where the page of a group is read, which must be there."""

        def where() -> str | None:
            now = self.primary.execute("SELECT clock_timestamp()")[0][0]
            assert place.walk()
            clusters = {"primary": self.primary, "replica": self.replica}
            found = [n for n, one in clusters.items() if one.execute(PAGES.format(now))[0][0]]
            # None, or both: a job has used a connection since.
            return found[0] if len(found) == 1 else None

        return eventually(where) or ""


@pytest.fixture(scope="module")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicated]:
    with running_cluster() as primary:
        url = primary.migrated()
        with running_cluster(of=primary) as replica, pytest.MonkeyPatch.context() as patch:
            patch.setattr(Service, "database_of", staticmethod(lambda _: url))
            flags = ("--read-database", replica.url(url.rpartition("/")[2]), *LEAN)
            with running_service(tmp_path_factory.mktemp("served") / "data", *flags) as service:
                yield Replicated(service, primary, replica)


def test_pages_come_from_the_replica_once_it_has_them(replicated: Replicated) -> None:
    place = make_place(replicated.caller)
    made = place.create(persona())
    eventually(replicated.caught_up)
    eventually(lambda: from_replica(replicated, place))
    assert place.walk() == [made]
    assert [one for chunk in place.export() for one in chunk.personas] == [made]


def test_what_was_just_written_is_read(replicated: Replicated) -> None:
    """By whomever: each time all that was written before, while the replica runs after."""
    place, other = make_place(replicated.caller), replicated.service.connect()
    for number in range(1, 31):
        place.create(persona())
        seen = Place(other, place.project, place.group)
        assert len(seen.walk()) == number
    assert place.delete_all() == 30
    assert place.walk() == []


def test_a_replica_that_is_behind_is_not_asked_for_what_has_changed(
    replicated: Replicated,
) -> None:
    old, changed = make_place(replicated.caller), make_place(replicated.caller)
    kept = old.create(persona())
    gone = changed.create(persona())
    eventually(replicated.caught_up)
    replicated.replica.execute("SELECT pg_wal_replay_pause()")
    try:
        made = changed.create(persona())
        changed.delete(gone.id)
        assert changed.walk() == [made]
        assert replicated.reads(changed) == "primary"
        new = make_place(replicated.caller)  # the replica does not know of it at all
        assert new.create(persona()) == new.walk()[0]
        eventually(lambda: from_replica(replicated, old))
        assert old.walk() == [kept]
    finally:
        replicated.replica.execute("SELECT pg_wal_replay_resume()")
    eventually(replicated.caught_up)
    eventually(lambda: from_replica(replicated, changed))
    assert changed.walk() == [made]


def test_without_the_replica_all_goes_on(replicated: Replicated) -> None:
    place = make_place(replicated.caller)
    made = place.create(persona())
    eventually(lambda: from_replica(replicated, place))  # so it is connected
    with replicated.replica.hanging():
        request = pb.ListPersonasRequest(**place.ids)
        assert list(place.caller.personas.ListPersonas(request, timeout=20).personas) == [made]
    replicated.replica.kill()
    assert place.walk() == [made]
    log = replicated.service.log
    eventually(lambda: any("replica" in line["message"] for line in log))
    replicated.replica.start()
    eventually(lambda: from_replica(replicated, place))


def from_replica(replicated: Replicated, place: Place) -> bool:
    """Return whether a page comes from the replica; not soon, if it was too slow just now."""
    return replicated.reads(place) == "replica"

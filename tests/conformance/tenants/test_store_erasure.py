"""A person erased from a store: found wherever it is, gone without a trace in what is measured."""

import random
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import RecordResponsesRequest, RecordResponsesResponse
from persona_server.services.call import Call
from persona_server.services.paging import PageTokens
from persona_server.services.responses.service import ResponseService
from persona_server.services.responses.voiding import (
    settle_voids,
    void_responses,
    void_simulation,
)
from persona_server.storage import tables
from persona_server.storage.erasure import people
from persona_server.storage.erasure.guard import EVERYBODY, Guard, scrub
from persona_server.storage.erasure.people import PersonErasure
from persona_server.storage.erasure.tenants import CONTENT, TenantErasure
from persona_server.storage.keys import id_text
from persona_server.storage.repositories.credentials import KeyRow
from persona_server.storage.store import Store, open_store
from support.answering.erasing import Everywhere, copied, erase, everywhere, fixed, found
from support.answering.looks import LENIENT, Served
from support.answering.measuring import (
    Batch,
    image,
    measured,
    random_batches,
    raw_image,
    record_all,
    truth,
)
from support.answers import answer
from support.data import persona, rich_persona, uid
from support.probe import REFUSALS, Probe
from support.stored import TENANT, StoredGroup, read, rows

NOW = 1_900_000_000_000_000
MODELS: list[Any] = list(tables.ALL)
OWNED = [model for model in MODELS if "tenant_id" in model._meta.columns]


@pytest.fixture
def person(store: Store) -> Everywhere:
    """One that is everywhere."""
    return everywhere(store)


@pytest.mark.parametrize("name", ["origin", "reused", "copy"])
def test_a_person_is_found_by_any_of_its_personas(
    store: Store, person: Everywhere, name: str
) -> None:
    named = getattr(person, name)
    it = found(store, named, TENANT)
    assert (it.named, it.full_name, it.is_erased) == (named, "Erased Person", False)
    assert (set(it.personas), it.personas[0]) == (person.person, named)
    assert it.library_personas == [person.library_persona]
    key = store.tenants.key(TENANT)
    counts = [Probe(store).count("response", tenant_id=key, persona_id=p) for p in person.person]
    assert it.responses == sum(counts) > 100


def test_an_original_that_was_purged_still_ties_its_copies(store: Store) -> None:
    home, away = StoredGroup(store), StoredGroup(store)
    (original,) = away.add(persona())
    copies = [copied(home, away, original) for _ in range(2)]
    away.hide(original)
    assert store.sweeper.sweep(2**62, 60) == 1
    assert found(store, copies[1], TENANT).personas == copies[::-1]
    by_original = found(store, original, TENANT)
    assert (by_original.named, by_original.personas) == (min(copies), sorted(copies))


def test_a_copy_that_would_be_purged_ties_what_was_copied_of_it(store: Store) -> None:
    home, away = StoredGroup(store), StoredGroup(store)
    (first,) = home.add(persona())
    second = copied(away, home, first)
    third = copied(home, away, second)
    away.hide(second, now=1_000)
    assert store.sweeper.sweep(2_000, 500) == 0
    assert store.sweeper.sweep(2_200, 500) == 0  # it is not looked at all the time
    for one in (first, second, third):
        assert set(found(store, one, TENANT).personas) == {first, second, third}
    home.hide(third, now=2_100)
    assert store.sweeper.sweep(2_600, 500) == 1  # which goes, and so may the one it was copied from
    assert store.sweeper.sweep(3_200, 500) == 1
    assert found(store, first, TENANT).personas == [first]


def test_so_does_one_of_a_set_that_is_purged(store: Store) -> None:
    home, away = StoredGroup(store), StoredGroup(store)
    (first,) = home.add(persona())
    second = copied(away, home, first)
    third = copied(home, away, second)
    away.add(persona())
    away.drop(now=1_000)
    assert store.sweeper.sweep(2_000, 500) == 1  # the other one
    assert set(found(store, third, TENANT).personas) == {first, second, third}
    home.hide(third, now=2_100)
    store.sweeper.sweep(2_600, 500)
    assert store.sweeper.sweep(3_200, 500) == 1
    assert found(store, first, TENANT).personas == [first]


def test_nobody_else_is(store: Store, person: Everywhere) -> None:
    assert PersonErasure(store, TENANT).find(fixed(1)) is None
    assert PersonErasure(store, "another").find(person.origin) is None
    alone = found(store, person.others[0], TENANT)
    assert (alone.personas, alone.library_personas) == ([person.others[0]], [])


def test_what_remains_of_a_person(store: Store, person: Everywhere) -> None:
    """Its ids without content, hidden; counts that hold; one audit row."""
    groups = {group: group.count() for group in (person.home, person.away)}
    it, key = found(store, person.reused, TENANT), store.tenants.key(TENANT)
    assert erase(store, person.reused, TENANT)
    probe = Probe(store)
    for one in person.person:
        (row,) = probe.rows("persona", "age", "gender_key", "location_key", "framed", id=one)
        assert row[:3] == (0, "", "")
        assert len(row[3]) == 3 + 3 * 38 - 1  # the three ids
        assert probe.count("response", persona_id=one) == 0
        assert read(store).personas.recorded(one) is None
        assert read(store).personas.ancestry([one]) == {}
    for table in ("library_persona", "library_link", "library_term", "erasing"):
        assert probe.count(table) == 0
    findable = {position[8:] for position in probe.values("persona_term", "position")}
    assert findable == set(person.others)
    assert (person.home.count(), person.away.count()) == (groups[person.home] - 1, 0)
    columns = ("actor", "persona_id", "persona_count", "response_count")
    (row,) = probe.rows("audit", *columns, method="ErasePerson")
    assert row == ("operator", person.reused, 3, it.responses)
    held = [len(framed) for t in ("persona", "response") for framed in probe.values(t, "framed")]
    assert read(store).quotas.stored() == sum(held)
    assert probe.checks_references()
    assert store.sweeper.sweep(2**62, 60) == 0  # the ids stay taken
    assert probe.count("persona", tenant_id=key) == len(person.others) + 3


def test_nothing_remains_of_one_that_came_back_from_a_deleted_set(store: Store) -> None:
    """Not even hashes of its name in the set that it was in before."""
    group, given = StoredGroup(store), rich_persona(id=uid(), external_id="crm-7")
    (one,) = group.add(given)
    group.drop()
    group.add(given)
    erase(store, one, TENANT)
    assert Probe(store).count("persona_term") == 0


def test_the_planner_has_no_sample_of_it(store: Store) -> None:
    if store.database.engine == "sqlite":
        pytest.skip("it samples no content")
    group = StoredGroup(store)
    (one, *_) = group.add(*[persona(full_name=f"Somebody {i}") for i in range(5)])
    store.database.execute_sql("ANALYZE")
    assert sampled(store, "Somebody 0")
    erase(store, one, TENANT)
    scrub(store)
    assert sampled(store, "Somebody 1")
    assert not sampled(store, "Somebody 0")


def sampled(store: Store, text: str) -> bool:
    """Return whether a text is in what PostgreSQL remembers of columns, to plan by it."""
    found = rows(store, "SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats")
    return any(text.encode().hex() in (some or "") for each in found for some in each)


def test_measures_are_as_if_it_had_never_answered(store: Store, person: Everywhere) -> None:
    before = raw_image(store)
    erase(store, person.copy, TENANT)
    after = raw_image(store)
    assert after != before
    assert person.origin not in {row[1] for row in after["series"]}
    list(store.rebuild.run(NOW))
    assert raw_image(store) == after
    assert measured(store) == truth(store)


def comparable(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return the derived tables without what stores differ in: tenant, project, when recorded."""
    derived = {table: [row[1:] for row in rows] for table, rows in image(store).items()}
    for table in ("asked", "answered"):
        derived[table] = sorted(
            (b"project" if len(scope) > 16 else scope, *rest) for scope, *rest in derived[table]
        )
    derived["answered"] = [(*rest, order[8:]) for *rest, order in derived["answered"]]
    return derived


def test_it_equals_a_store_that_it_never_was_in(store: Store, tmp_path: Path) -> None:
    """Also to GetReliability of everybody else."""
    ids = [fixed(n) for n in range(1, 6)]
    batches = random_batches(random.Random(5), ids, simulations=5, answers=80)
    others = [
        Batch(s, [one for one in given if one.persona_id != id_text(ids[0])])
        for s, given in batches
    ]
    another = open_store(tmp_path / "without")
    services = []
    for where, given in ((store, batches), (another, [b for b in others if b.responses])):
        group = StoredGroup(where)
        group.add(*[persona(id=id_text(one)) for one in ids])
        record_all(group, given)
        services.append(Served(where, group, LENIENT))
    erase(store, ids[0], TENANT)
    assert comparable(store) == comparable(another)
    for one in ids[1:]:
        theirs = [service.reliability(one) for service in services]
        assert theirs[0] == theirs[1]
    another.close()


@pytest.mark.parametrize(("chunk", "steps"), [(1, 40), (7, 3)])
def test_an_erasure_that_breaks_off_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, chunk: int, steps: int
) -> None:
    """After a few of its transactions each time; there is one audit row in the end."""
    monkeypatch.setattr(people, "CHUNK", chunk)
    person, breaks = everywhere(store), 0
    while (it := found(store, person.origin, TENANT)).responses or it.library_personas:
        assert set(it.personas) == person.person
        assert all(islice(PersonErasure(store, TENANT).erase(it), steps))
        breaks += 1
    assert breaks > 3
    erase(store, person.origin, TENANT)
    probe = Probe(store)
    assert probe.count("library_link") == 0
    assert probe.count("audit", method="ErasePerson") == 1
    after = raw_image(store)
    list(store.rebuild.run(NOW))
    assert raw_image(store) == after


def test_a_batch_is_told_again_whatever_is_left_of_who_answered(store: Store) -> None:
    """Whole as long as the answers are there, from an erasure that has broken off too."""
    group = StoredGroup(store)
    one, other = group.add(persona(), persona())
    given = [answer(id_text(who)) for who in (one, one, other)]
    ids = uid(), uid()

    def told() -> RecordResponsesResponse:
        call = Call("RecordResponses", TENANT, "me")
        request = RecordResponsesRequest(simulation_id=ids[0], request_id=ids[1], responses=given)
        service = ResponseService(store, PageTokens(b"k"))
        return RecordResponsesResponse.FromString(service.record_responses(call, request))

    first = told()
    assert next(PersonErasure(store, TENANT).erase(found(store, one, TENANT)))
    again = told()
    assert [r.persona_deleted for r in again.responses] == [True, True, False]
    for response in again.responses:
        response.persona_deleted = False
    assert again == first
    erase(store, one, TENANT)
    *gone, left = told().responses
    assert gone == [Response(id=response.id) for response in first.responses[:2]]
    assert left == first.responses[2]


def rebuilt(store: Store, _: bytes) -> None:
    list(store.rebuild.run(NOW))


def voided(store: Store, named: bytes) -> None:
    """Void an answer of a persona, and its next simulation as a whole."""
    store.promotes()
    where = "persona_id = ? AND NOT EXISTS (SELECT 1 FROM response_void WHERE response_id = id)"
    sql = f"SELECT id, simulation_id FROM response WHERE {where} ORDER BY position"  # noqa: S608
    for response, simulation in Probe(store).ask(sql, named)[:1]:
        with store.writing(TENANT, None) as transaction:
            void_responses(transaction, [id_text(response)], "x")
            void_simulation(transaction, id_text(simulation), "y")
        settle_voids(store, lambda: False)


@pytest.mark.parametrize("meddle", [rebuilt, voided])
def test_an_erasure_that_breaks_off_goes_on_whatever_is_done_between(
    store: Store, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[Store, bytes], None]
) -> None:
    monkeypatch.setattr(people, "CHUNK", 3)
    person, breaks = everywhere(store), 0
    while (it := found(store, person.origin, TENANT)).responses or it.library_personas:
        assert all(islice(PersonErasure(store, TENANT).erase(it), 8))
        for one in it.personas:
            meddle(store, one)
        breaks += 1
    assert breaks > 3
    assert Probe(store).count("response", persona_id=person.origin) == 0
    after = raw_image(store)
    assert person.origin not in {row[1] for row in after["series"]}
    list(store.rebuild.run(NOW))
    assert raw_image(store) == after


def test_nothing_is_erased_but_what_was_named(store: Store, person: Everywhere) -> None:
    """The guards are open for the rows of one persona, and for no commit."""
    probe, guard = Probe(store), Guard(store.database)
    other = person.others[0]
    with guard.erasing(store, TENANT, [person.origin]):
        for table in ("response", "library_link"):
            assert probe.refuses(f"DELETE FROM {table} WHERE persona_id <> ?", person.origin)  # noqa: S608
        assert probe.refuses("UPDATE persona SET framed = ? WHERE id = ?", b"\0", other)
        assert probe.refuses("UPDATE response SET framed = ? WHERE persona_id = ?", b"\0", other)
        assert probe.refuses("DELETE FROM simulation")
        assert probe.refuses("DELETE FROM audit")
    with guard.erasing(store, "another", [EVERYBODY]):
        assert probe.refuses("DELETE FROM response")
    assert probe.count("response", persona_id=person.origin)


def test_no_transaction_leaves_the_guards_open(store: Store, person: Everywhere) -> None:
    key = store.tenants.key(TENANT)
    row = (key, person.origin, b"\0")
    with pytest.raises(REFUSALS):
        Probe(store).insert("erasing", row)
    assert Probe(store).count("erasing") == 0
    assert Probe(store).refuses("INSERT INTO erasing VALUES (?, ?, ?)", *row[:2], person.origin)
    assert Probe(store).refuses("DELETE FROM response")


def test_erasing_an_erased_person_changes_nothing(store: Store, person: Everywhere) -> None:
    erase(store, person.origin, TENANT)
    tables_of = [model._meta.table_name for model in MODELS]
    before = {table: sorted(Probe(store).rows(table), key=repr) for table in tables_of}
    erase(store, person.origin, TENANT)
    assert {table: sorted(Probe(store).rows(table), key=repr) for table in tables_of} == before


def test_a_tenant(store: Store, person: Everywhere) -> None:
    """All of it but its name and its quotas, in chunks; another tenant keeps everything."""
    everywhere_else = StoredGroup(store, "another")
    (one,) = everywhere_else.add(persona())
    record_all(everywhere_else, random_batches(random.Random(2), [one], 2, 20))
    key, other = store.tenants.key(TENANT), store.tenants.key("another")
    probe = Probe(store)
    others = {m._meta.table_name: probe.rows(m._meta.table_name, tenant_id=other) for m in OWNED}
    with store.writing(TENANT, None) as repositories:
        repositories.quotas.put("streams", 3)
        repositories.credentials.revoke_token("a token", 1, 2)
        repositories.credentials.add_key(KeyRow(bytes(8), "a key", "", bytes(32), 1, 2))
    held = TenantErasure(store).held(TENANT)
    assert held.projects == 2
    assert sum(TenantErasure(store).erase(TENANT)) > held.personas + held.responses
    for model in OWNED:
        table = model._meta.table_name
        expected = 1 if model in (tables.Audit, tables.TenantQuota, tables.RevokedToken) else 0
        assert probe.count(table, tenant_id=key) == expected, table
        assert probe.rows(table, tenant_id=other) == others[table]
    (row,) = probe.rows("audit", "method", "persona_count", "response_count", tenant_id=key)
    assert row == ("EraseTenant", held.personas, held.responses)
    assert probe.checks_references()


def test_every_table_of_a_tenant_is_erased_or_said_to_stay() -> None:
    """A table that is new goes where it belongs."""
    stay = {tables.TenantQuota, tables.RevokedToken, tables.Erasing}
    assert set(OWNED) == {*CONTENT, *stay}

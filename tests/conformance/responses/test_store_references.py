"""Reference answers in a store: replaced, counted in bytes, kept with their persona, and erased."""

import pytest

from persona.v1.comparison_service_pb2 import RecordReferenceAnswersRequest
from persona.v1.fidelity_pb2 import ReferenceAnswer
from persona_server.errors import ServiceError
from persona_server.measures.answers import Question
from persona_server.services.comparison.references import record_references
from persona_server.storage.derived.questions import question_hash
from persona_server.storage.erasure import people
from persona_server.storage.erasure.tenants import TenantErasure
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store
from support.answering.erasing import erase, everywhere, found
from support.answering.references import chosen, rated
from support.data import persona
from support.probe import Probe
from support.stored import TENANT, StoredGroup, read

NPS = question_hash(Question.rating("nps", 1, 5))


def refer(group: StoredGroup, *given: ReferenceAnswer) -> int:
    """Record what people answered, of personas that a group shows."""
    request = RecordReferenceAnswersRequest(
        project_id=id_text(group.project), group_id=id_text(group.group), reference_answers=given
    )
    with group.store.writing(group.tenant, None) as repositories:
        return record_references(repositories, request)


def content(store: Store, individual: bytes, question: bytes = NPS) -> ReferenceAnswer:
    return ReferenceAnswer.FromString(read(store).references.content(individual, question))


def held(store: Store) -> int:
    """Return the bytes of all rows that usage counts."""
    probe, columns = Probe(store), {"persona": "framed", "response": "framed"}
    columns["reference_answer"] = "content"
    return sum(len(raw) for table, name in columns.items() for raw in probe.values(table, name))


def test_an_answer_is_kept_as_numbers_and_as_a_message(store: Store, group: StoredGroup) -> None:
    one, two = group.add(persona(), persona())
    assert refer(group, rated(id_text(one), 4, 3), rated(id_text(two), 2)) == 2
    references = read(store).references
    said = references.of_question(NPS, [one, two])
    assert [said[each][:2] for each in (one, two)] == [(4, 3), (2, None)]
    assert references.of_individual(one) == {NPS: said[one]}
    assert references.of_question(NPS, [two]).keys() == {two}
    wanted = rated("", 4, 3)
    assert content(store, one) == wanted
    assert said[one].size == wanted.ByteSize()
    assert (references.any_to(NPS), references.any_to(bytes(32))) == (True, False)
    assert read(store).quotas.stored() == held(store)


def test_a_call_is_held_against_the_quota_as_a_whole(store: Store, group: StoredGroup) -> None:
    """What grows may come first in it; and where less is stored than before, all may be said."""
    one, two = map(id_text, group.add(persona(), persona()))
    options = ["a" * 200, "b"]
    refer(group, chosen(one, options, options[0]), chosen(two, options, "b"))
    full = read(store).quotas.stored()
    store.most_stored = lambda _: full
    with pytest.raises(ServiceError, match="stored_bytes"):
        refer(group, chosen(two, options, options[0]))
    assert refer(group, chosen(two, options, options[0]), chosen(one, options, "b")) == 2
    assert read(store).quotas.stored() == full == held(store)
    store.most_stored = lambda _: full // 2
    assert refer(group, chosen(two, options, "b")) == 1


def test_the_later_one_counts(store: Store, group: StoredGroup) -> None:
    (one,) = group.add(persona())
    for given, changed in ((rated(id_text(one), 4), 1), (rated(id_text(one), 4), 0)):
        assert refer(group, given) == changed
    assert refer(group, rated(id_text(one), 4, 5)) == 1
    assert content(store, one) == rated("", 4, 5)
    assert read(store).quotas.stored() == held(store)


def test_another_tenant_has_none(store: Store, group: StoredGroup) -> None:
    (one,) = group.add(persona())
    refer(group, rated(id_text(one), 4))
    theirs = read(store, "another").references
    assert theirs.of_individual(one) == theirs.of_question(NPS, [one]) == {}
    assert not theirs.any_to(NPS)


def test_a_persona_with_reference_answers_is_not_purged(store: Store, group: StoredGroup) -> None:
    one, two = group.add(persona(), persona())
    refer(group, rated(id_text(one), 4))
    for each in (one, two):
        group.hide(each)
    assert store.sweeper.sweep(2**62, 60) == 1
    assert Probe(store).values("persona", "id") == [one]
    assert read(store).references.of_individual(one)


@pytest.mark.parametrize("chunk", [1, 500])
def test_an_erasure_takes_them(store: Store, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """Those of the individual, recorded of a reused copy too, and those of a copy of its own."""
    monkeypatch.setattr(people, "CHUNK", chunk)
    it = everywhere(store)
    other = it.others[0]
    refer(it.home, rated(id_text(it.origin), 4), rated(id_text(other), 1))
    refer(it.away, rated(id_text(it.reused), 2, key="a"), rated(id_text(it.copy), 2, key="b"))
    person = found(store, it.copy, TENANT)
    assert person.references == 3
    assert read(store).references.of_individual(it.reused) == {}, "they are the individual's"
    erase(store, it.copy, TENANT)
    probe = Probe(store)
    assert probe.values("reference_answer", "persona_id") == [other]
    assert read(store).quotas.stored() == held(store)
    assert probe.checks_references()


def test_an_erased_tenant_has_none(store: Store, group: StoredGroup) -> None:
    (one,) = group.add(persona())
    refer(group, rated(id_text(one), 4))
    list(TenantErasure(store).erase(TENANT))
    assert Probe(store).count("reference_answer") == 0

"""A database whose terms do not stand by their numbers yet gets those that do."""

import hashlib

from persona.v1.persona_pb2 import Persona
from persona_server.storage.migrate import migrate
from persona_server.storage.store import Store
from persona_server.validation.fields import fold
from persona_server.validation.terms import external_id_term, full_name_term
from support.data import persona
from support.probe import Probe
from support.stored import StoredGroup

MIGRATION = "0021_numbered"
MANY = 1005  # more than a chunk
SPECIAL = [
    persona(full_name="Weiße Straße", external_id="ＣＲＭ", attributes={"external_id": "ＣＲＭ"}),
    persona(full_name="İ", external_id="7"),
    persona(full_name="12", external_id="x" * 200),
]


def older(kind: str, text: str) -> bytes:
    return hashlib.blake2b(f"{kind}\0{text}".encode(), digest_size=16).digest()


def make_older(store: Store, personas: list[Persona]) -> None:
    """Give personas the terms that they had before, and forget that these were changed."""
    probe = Probe(store)
    for one in personas:
        name, key = full_name_term(one.full_name), external_id_term(one.external_id)
        for new, old in (
            (name, older("name", fold(one.full_name))),
            (key, older("external_id", one.external_id)),
        ):
            probe.change("UPDATE persona_term SET hash = ? WHERE hash = ?", old, new)
    probe.change("DELETE FROM schema_migration WHERE name = ?", MIGRATION)


def test_terms_of_all_that_is_shown_are_changed(store: Store) -> None:
    numbered = [persona(full_name=f"Person {i}", external_id=f"row-{i}") for i in range(MANY)]
    without = persona(full_name="without a key")
    large, small, other = StoredGroup(store), StoredGroup(store), StoredGroup(store, "other")
    large.add(*numbered)
    small.add(*SPECIAL, without)
    other.add(*SPECIAL[:1])
    small.hide(small.add(persona(full_name="hidden", external_id="row-1"))[0])
    probe = Probe(store)
    expected = sorted(probe.rows("persona_term"))
    make_older(store, [*numbered, *SPECIAL, without])
    assert len(set(expected) & set(probe.rows("persona_term"))) == 2  # attributes, of two tenants
    assert migrate(store.database) == [MIGRATION]
    assert sorted(probe.rows("persona_term")) == expected
    assert migrate(store.database) == []

"""Personas as every engine must keep them: what is stored, found, hidden and brought back."""

import uuid

import pytest

from persona_server.errors import ServiceError
from persona_server.storage import keys, tables
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store
from persona_server.validation.fields import fold
from support.data import at, persona, rich_persona, uid
from support.probe import Probe
from support.stored import StoredGroup, raw, read, unframe

MUTABLE = {"set_id", "deleted_at", "purge_after"}
COLUMNS = [field.column_name for field in tables.Persona._meta.sorted_fields]


@pytest.mark.parametrize(
    "given",
    [
        persona(),
        rich_persona(),
        rich_persona(gender="ＦＥＭＡＬＥ", location="Straße ﬁ İstanbul", occupation="ΣΊΣΥΦΟΣ"),
        persona(created_at=at(0)),
        persona(created_at=at(253_402_300_799_999_999), age=130),
    ],
)
def test_columns_are_those_of_the_stored_message(
    store: Store, group: StoredGroup, given: tables.Persona
) -> None:
    """Columns and message can't drift: each column is what its field makes it."""
    group.add(given)  # type: ignore[arg-type]
    keys_of = ("age", "gender_key", "income_level_key", "location_key", "occupation_key")
    found = Probe(store).rows("persona", "position", "id", *keys_of, "framed", "set_id")
    assert len(found) == 1
    position, raw_id, age, gender, income, location, occupation, framed, set_id = found[0]
    (message,) = unframe(framed)
    created = message.created_at.seconds * 1_000_000 + message.created_at.nanos // 1000
    assert id_text(raw_id) == message.id
    assert keys.split_position(position) == (created, raw_id)
    assert age == message.age.value
    assert gender == fold(message.gender)
    assert income == fold(message.income_level)
    assert location == fold(message.location)
    assert occupation == fold(message.occupation)
    assert (message.project_id, message.group_id) == (id_text(group.project), id_text(group.group))
    assert set_id == group.set_id


def test_bytes_come_back_as_they_went_in(group: StoredGroup) -> None:
    """Text that is not ASCII, and binary lengths that hold NUL, survive the concatenation."""
    given = [
        rich_persona(psychographic_notes="🙂" * n, full_name=f"é{n}", created_at=at(n))
        for n in (0, 1, 64, 255)
    ]
    group.add(*given)
    page = group.page(10)
    assert [one.full_name for one in unframe(page.framed)] == [one.full_name for one in given]
    assert [one.psychographic_notes for one in unframe(page.framed)] == [
        one.psychographic_notes for one in given
    ]


def test_get_names_the_outermost_missing_parent(store: Store, group: StoredGroup) -> None:
    (one,) = group.add(persona())
    unknown = uuid.uuid4().bytes
    repositories = read(store)
    get = repositories.personas.get
    assert get(unknown, group.group, one) == (False, False, None)
    assert get(group.project, unknown, one) == (True, False, None)
    assert get(group.project, group.group, unknown) == (True, True, None)
    found = get(group.project, group.group, one)
    assert found.framed is not None
    assert unframe(found.framed)[0].id == id_text(one)


def test_persona_of_another_group_is_not_found(store: Store) -> None:
    one, other = StoredGroup(store), StoredGroup(store)
    (theirs,) = other.add(persona())
    assert one.get(theirs) is None


def test_position_is_first_created_at_then_id(group: StoredGroup) -> None:
    low, high = sorted((uid(), uid()))
    late = persona(id=low, full_name="late", created_at=at(2_000_000))
    first = persona(id=low[:-1] + ("0" if low[-1] != "0" else "1"), created_at=at(1))
    tied = persona(id=high, full_name="tied", created_at=at(2_000_000))
    group.add(tied, late, first)
    assert [one.id for one in unframe(group.page(10).framed)] == [first.id, late.id, tied.id]


def test_hidden_persona_is_not_shown_and_still_known(store: Store, group: StoredGroup) -> None:
    one, other = group.add(persona(), persona())
    assert group.hide(one, now=5)
    assert not group.hide(one, now=6)
    assert group.get(one) is None
    assert [p.id for p in unframe(group.page(10).framed)] == [id_text(other)]
    repositories = read(store)
    known = repositories.personas.known([one, other, uuid.uuid4().bytes])
    assert {key: found.visible for key, found in known.items()} == {one: False, other: True}
    assert {found.group_id for found in known.values()} == {group.group}
    assert Probe(store).rows("persona", "deleted_at", "purge_after", id=one) == [(5, 5)]


def test_known_of_no_ids_is_empty(store: Store, group: StoredGroup) -> None:
    group.add(persona())
    repositories = read(store)
    assert repositories.personas.known([]) == {}


@pytest.mark.parametrize("hide", ["one", "all"])
def test_restored_persona_is_shown_in_its_old_place(
    store: Store, group: StoredGroup, hide: str
) -> None:
    first = persona(id=uid(), created_at=at(1), full_name="first")
    group.add(first, persona(created_at=at(2)))
    if hide == "one":
        group.hide(raw(first))
    else:
        group.drop()
    group.add(persona(id=first.id, full_name="first"))
    assert unframe(group.page(1).framed)[0].id == first.id
    marks = Probe(store).rows("persona", "deleted_at", "purge_after", id=raw(first))
    assert marks == [(None, None)]


def test_an_id_names_one_persona_of_a_tenant(store: Store) -> None:
    one, other, foreign = StoredGroup(store), StoredGroup(store), StoredGroup(store, "other")
    taken = uid()
    one.add(persona(id=taken))
    with pytest.raises(ServiceError) as refused:
        other.add(persona(id=taken))
    assert refused.value.reason_name == "ALREADY_EXISTS"
    assert foreign.add(persona(id=taken)) == [keys.id_bytes(taken)]


@pytest.mark.parametrize("column", COLUMNS)
def test_only_place_and_marks_of_a_persona_can_change(
    store: Store, group: StoredGroup, column: str
) -> None:
    group.add(rich_persona())
    sql = f"UPDATE persona SET {column} = {column}"  # noqa: S608 (a column of the model)
    assert Probe(store).refuses(sql) is (column not in MUTABLE)


@pytest.mark.parametrize(("column", "text"), [("id", "x" * 16), ("position", "x" * 24)])
def test_text_is_refused_where_bytes_belong(
    store: Store, group: StoredGroup, column: str, text: str
) -> None:
    """A text would silently never equal the same bytes."""
    (one,) = group.add(persona())
    (found,) = Probe(store).rows("persona", *COLUMNS, id=one)
    Probe(store).change("DELETE FROM persona")
    values = [text if name == column else value for name, value in zip(COLUMNS, found, strict=True)]
    marks = ", ".join("?" * len(values))
    assert Probe(store).refuses(f"INSERT INTO persona VALUES ({marks})", *values)  # noqa: S608


def test_integers_keep_64_bits(store: Store, group: StoredGroup) -> None:
    (one,) = group.add(persona())
    group.hide(one, now=2**62 + 1)
    assert Probe(store).rows("persona", "deleted_at") == [(2**62 + 1,)]

"""ExportPersonas: the whole group in chunks, each with the token that continues after it."""

import pytest

from persona.v1 import persona_service_pb2 as pb
from support.data import Place, at, make_place, persona
from support.errors import refused


def flat(chunks: list[pb.ExportPersonasResponse]) -> list[str]:
    return [one.id for chunk in chunks for one in chunk.personas]


def test_an_empty_group_is_no_chunk(place: Place) -> None:
    assert place.export() == []


def test_everything_comes_in_the_order_of_the_list(place: Place) -> None:
    for start in (2000, 0, 1000):
        place.batch(persona(created_at=at(start + i)) for i in range(500))
    chunks = place.export()
    assert flat(chunks) == [one.id for one in place.walk()]
    assert [one for chunk in chunks for one in chunk.personas] == place.walk()


def test_chunks_are_small_however_large_the_group(place: Place) -> None:
    """Constant memory: neither count nor bytes of a chunk grow with the group."""
    place.fill(1000)
    assert max(len(chunk.personas) for chunk in place.export()) <= 200
    place.fill(60, attributes={"a": "y" * 32_000})
    chunks = place.export()
    assert max(chunk.ByteSize() for chunk in chunks) <= 3 << 20
    assert all(chunk.personas for chunk in chunks)
    assert len(flat(chunks)) == len(set(flat(chunks))) == 1060


def test_every_token_continues_after_its_chunk(place: Place) -> None:
    place.fill(450)
    chunks = place.export()
    for i, chunk in enumerate(chunks):
        rest = place.export(resume_token=chunk.resume_token)
        assert flat(rest) == flat(chunks[i + 1 :])
    late = place.create(persona())
    assert flat(place.export(resume_token=chunks[-1].resume_token)) == [late.id]


@pytest.mark.parametrize("change", [{"gender": "x"}, {"age_min": 1}, {"location": "x"}])
def test_a_token_is_bound_to_its_arguments(place: Place, change: dict[str, str]) -> None:
    place.fill(2)
    (chunk,) = place.export()
    with refused("INVALID_PAGE_TOKEN"):
        place.export(resume_token=chunk.resume_token, **change)
    sibling = make_place(place.caller, place.project)
    with refused("INVALID_PAGE_TOKEN"):
        sibling.export(resume_token=chunk.resume_token)


def test_filters_hold_through_all_chunks(place: Place) -> None:
    for _ in range(2):
        place.batch(persona(gender="ab"[i % 2], age=1 + i % 100) for i in range(500))
    chunks = place.export(gender="A", age_max=50)
    assert [one.id for one in place.walk(gender="A", age_max=50)] == flat(chunks)
    assert len(flat(chunks)) == 250
    rest = place.export(gender="A", age_max=50, resume_token=chunks[0].resume_token)
    assert flat(rest) == flat(chunks[1:])


def test_a_token_needs_its_filters_again(place: Place) -> None:
    place.fill(3, gender="a")
    (chunk,) = place.export(gender="a")
    with refused("INVALID_PAGE_TOKEN"):
        place.export(resume_token=chunk.resume_token)


def test_an_export_over_a_delete_all_goes_on_in_what_is_there_now(place: Place) -> None:
    place.fill(200)
    (chunk,) = place.export()
    place.delete_all()
    late = place.create(persona())
    assert flat(place.export(resume_token=chunk.resume_token)) == [late.id]


def test_a_missing_group_is_refused_before_the_first_chunk(place: Place) -> None:
    with refused("PERSONA_GROUP_NOT_FOUND"):
        place.export(group_id=place.project)

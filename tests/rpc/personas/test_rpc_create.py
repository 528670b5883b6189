"""CreatePersona and BatchCreatePersonas: what is stored, own ids, all or nothing."""

from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import StringValue

from persona.v1.persona_pb2 import Persona
from support.data import Place, at, make_place, persona, rich_persona, uid
from support.errors import refused


def test_a_persona_comes_back_as_it_was_given(place: Place) -> None:
    given = rich_persona(id=uid())
    made = place.create(given)
    expected = Persona()
    expected.CopyFrom(given)
    expected.project_id, expected.group_id = place.project, place.group
    assert made == expected
    assert place.get(made.id) == expected
    assert not made.HasField("library_persona_id")
    assert place.count() == 1


def test_the_server_gives_what_is_left_out(place: Place) -> None:
    made = place.create(persona())
    assert made.id[14] == "7"  # UUIDv7
    assert made.id == made.id.lower()
    assert made.created_at.seconds > 1_700_000_000
    assert made.created_at.nanos % 1000 == 0


def test_texts_are_not_touched(place: Place) -> None:
    given = persona(full_name="  e\u0301  Ａ ", occupation=" x ", psychographic_notes="\n a\r\n")
    made = place.create(given)
    assert made.full_name == given.full_name
    assert made.occupation == given.occupation
    assert made.psychographic_notes == given.psychographic_notes


def test_parents_in_a_persona_are_ignored(place: Place) -> None:
    made = place.create(persona(project_id="not even a UUID", group_id=uid()))
    assert (made.project_id, made.group_id) == (place.project, place.group)


def test_ids_are_taken_in_any_case_and_stored_in_lower_case(place: Place) -> None:
    given = uid()
    upper = Place(place.caller, place.project.upper(), place.group.upper())
    made = upper.create(persona(id=given.upper()))
    assert made.id == given
    assert (made.project_id, made.group_id) == (place.project, place.group)
    assert upper.get(given.upper()) == place.get(given) == made
    upper.delete(given.upper())
    assert place.count() == 0


@pytest.mark.parametrize(("nanos", "kept"), [(999, 0), (123_456_789, 123_456_000), (1000, 1000)])
def test_created_at_is_cut_to_microseconds(place: Place, nanos: int, kept: int) -> None:
    made = place.create(persona(created_at=Timestamp(seconds=5, nanos=nanos)))
    assert (made.created_at.seconds, made.created_at.nanos) == (5, kept)


class TestOwnId:
    """One id names one persona as long as its row exists."""

    def test_same_content_is_the_existing_persona_and_not_counted(self, place: Place) -> None:
        given = rich_persona(id=uid())
        made = place.create(given)
        assert place.create(given) == made
        assert place.batch([given]) == [made]
        assert place.count() == len(place.walk()) == 1

    @pytest.mark.parametrize("first", [None, Timestamp(seconds=5, nanos=123_456_000)], ids=str)
    @pytest.mark.parametrize(
        "then", [None, Timestamp(seconds=5, nanos=123_000_000), at(1)], ids=str
    )
    def test_created_at_is_not_compared_and_stays(
        self, place: Place, first: Timestamp | None, then: Timestamp | None
    ) -> None:
        """A client may tell times in milliseconds, and send again what it has read."""
        given = uid()
        made = place.create(persona(id=given, created_at=first))
        again = persona(id=given.upper(), created_at=then, project_id=uid())
        assert place.create(again) == made
        assert place.batch([persona(), again])[1] == made
        place.delete(given)
        assert place.create(again) == made == place.get(given)

    @pytest.mark.parametrize(
        "change",
        [
            {"full_name": "Another"},
            {"age": 35},
            {"age": None},
            {"attributes": {"religion": "some"}},
            {"trusted_brands": []},
        ],
        ids=str,
    )
    def test_other_content_is_refused(self, place: Place, change: dict[str, Any]) -> None:
        given = uid()
        made = place.create(rich_persona(id=given))
        with refused("ALREADY_EXISTS", grpc.StatusCode.ALREADY_EXISTS) as refusal:
            place.create(rich_persona(id=given, **change))
        assert refusal.problem.metadata["state"] == "visible"
        place.delete(given)
        with refused("ALREADY_EXISTS") as refusal:
            place.create(rich_persona(id=given, **change))
        assert refusal.problem.metadata["state"] == "deleted"
        assert place.create(rich_persona(id=given)) == made

    def test_another_group_is_refused(self, place: Place) -> None:
        other = make_place(place.caller, place.project)
        given = persona(id=uid())
        place.create(given)
        with refused("ALREADY_EXISTS") as refusal:
            other.create(given)
        assert refusal.problem.metadata["state"] == "visible"
        place.delete(given.id)
        with refused("ALREADY_EXISTS") as refusal:
            other.create(given)
        assert refusal.problem.metadata["state"] == "deleted"
        assert other.count() == 0

    @pytest.mark.parametrize("how", ["one", "all"])
    def test_a_deleted_one_is_visible_again(self, place: Place, how: str) -> None:
        given = persona(id=uid())
        made = place.create(given)
        if how == "one":
            place.delete(made.id)
        else:
            place.delete_all()
        assert place.create(given) == made  # created_at included
        assert place.get(made.id) == made
        assert place.count() == len(place.walk()) == 1

    def test_it_comes_and_goes_as_often_as_one_likes(self, place: Place) -> None:
        given = persona(id=uid())
        made = place.create(given)
        for _ in range(3):
            place.delete(made.id)
            assert place.count() == 0
            assert place.create(given) == made
            assert place.delete_all() == 1
            assert place.batch([given, persona()])[0] == made
            assert place.count() == 2
            assert place.delete_all() == 2
            assert place.create(given) == made

    def test_of_a_deleted_group_stays_taken(self, place: Place) -> None:
        from persona.v1.project_service_pb2 import DeletePersonaGroupRequest

        other = make_place(place.caller, place.project)
        given = persona(id=uid())
        place.create(given)
        place.caller.projects.DeletePersonaGroup(DeletePersonaGroupRequest(**place.ids))
        with refused("ALREADY_EXISTS") as refusal:
            other.create(given)
        assert refusal.problem.metadata["state"] == "deleted"


class TestBatch:
    """All or nothing, in order."""

    def test_answer_has_the_order_of_the_request(self, place: Place) -> None:
        times = [5, 1, 3, 2, 4]
        made = place.batch(persona(full_name=f"{t}", created_at=at(t)) for t in times)
        assert [one.full_name for one in made] == ["5", "1", "3", "2", "4"]
        assert [one.full_name for one in place.walk()] == ["1", "2", "3", "4", "5"]

    def test_old_new_and_deleted_ones_mix(self, place: Place) -> None:
        old, gone = persona(id=uid(), full_name="old"), persona(id=uid(), full_name="gone")
        first = place.batch([old, gone])
        place.delete(gone.id)
        made = place.batch([persona(), gone, old, persona()])
        assert [made[2], made[1]] == first
        assert place.count() == len(place.walk()) == 4

    def test_one_bad_item_refuses_all(self, place: Place) -> None:
        with refused("INVALID_FIELD") as refusal:
            place.batch([persona(), persona(), persona(age=131, full_name=""), persona(age=-1)])
        assert set(refusal.problem.fields) == {
            "personas[2].age",
            "personas[2].full_name",
            "personas[3].age",
        }
        assert place.count() == 0

    def test_one_taken_id_refuses_all(self, place: Place) -> None:
        taken = place.create(persona(id=uid()))
        with refused("ALREADY_EXISTS") as refusal:
            place.batch([persona(), persona(id=taken.id, full_name="Another"), persona()])
        assert refusal.problem.metadata["field"] == "personas[1].id"
        assert place.count() == len(place.walk()) == 1

    def test_ids_must_not_repeat(self, place: Place) -> None:
        twice = uid()
        with refused("INVALID_FIELD") as refusal:
            place.batch([persona(id=twice), persona(), persona(id=twice.upper())])
        assert set(refusal.problem.fields) == {"personas[2].id"}
        assert place.count() == 0

    def test_1000_are_taken_and_1001_are_not(self, place: Place) -> None:
        assert len(place.fill(1000)) == 1000
        for number in (0, 1001):
            with refused("INVALID_FIELD") as refusal:
                place.fill(number)
            assert set(refusal.problem.fields) == {"personas"}
        assert place.count() == 1000

    def test_over_3_mib_is_refused_by_us_and_over_4_by_grpc(self, place: Place) -> None:
        fat = {"attributes": {"a": "y" * 32_000}}
        with refused("MESSAGE_TOO_LARGE", grpc.StatusCode.INVALID_ARGUMENT) as refusal:
            place.fill(100, **fat)
        assert int(refusal.problem.metadata["size"]) > int(refusal.problem.metadata["limit"])
        with pytest.raises(grpc.RpcError) as bare:
            place.fill(140, **fat)
        assert bare.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert place.count() == 0
        assert len(place.fill(97, **fat)) == 97

    def test_what_is_output_only_is_ignored(self, place: Place) -> None:
        """As invalid as it may be; so a library persona can't be forged."""
        for forged in (uid(), "", "nope"):
            given = {"project_id": "nope", "group_id": uid(), "library_persona_id": forged}
            sent = persona(**given | {"library_persona_id": StringValue(value=forged)})
            for made in (place.create(sent), *place.batch([persona(), sent])):
                assert not made.HasField("library_persona_id")
                assert (made.project_id, made.group_id) == (place.project, place.group)
                assert place.get(made.id) == made

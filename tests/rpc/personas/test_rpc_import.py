"""ImportPersonas: batches acknowledged once they are on disk, resumed without loss or repeats."""

from collections.abc import Callable

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from rpc.conftest import Connect

from persona.v1 import persona_service_pb2 as pb
from persona.v1.persona_pb2 import Persona
from support.data import Place, at, make_place, persona, rich_persona, uid
from support.errors import refusal_of
from support.streams import Import, begun

ABORTED = grpc.StatusCode.ABORTED


def people(*names: str) -> list[Persona]:
    return [persona(full_name=name) for name in names]


def names(place: Place) -> list[str]:
    return [one.full_name for one in place.walk()]


def ends(call: Callable[[], object], reason: str, committed: int) -> dict[str, str]:
    """Expect a stream to end for a reason, and return the fields it names."""
    problem = refusal_of(call)
    assert problem.reason == reason
    assert problem.metadata["committed_sequence"] == str(committed)
    return problem.fields


def test_every_batch_is_acknowledged_with_totals(place: Place) -> None:
    stream = Import(place)
    assert stream.begin() == (0, 0)
    assert stream.batch(1, people("a", "b")) == (1, 2)
    assert names(place) == ["a", "b"]  # on disk before the acknowledgement
    assert stream.batch(2, people("c")) == (2, 3)
    stream.end()
    assert names(place) == ["a", "b", "c"]
    assert place.count() == 3


def test_personas_are_stored_as_by_create(place: Place) -> None:
    given = rich_persona(
        id=uid().upper(),
        project_id="ignored",
        group_id="ignored",
        library_persona_id=StringValue(value="ignored"),
    )
    begun(place).batch(1, [given])
    (found,) = place.walk()
    assert found == rich_persona(
        id=given.id.lower(), project_id=place.project, group_id=place.group
    )


def test_created_at_of_a_persona_that_is_there_is_not_compared(place: Place) -> None:
    made = place.create(rich_persona(id=uid()))
    again = rich_persona(id=made.id, created_at=at(1))
    assert begun(place).batch(1, [again, persona()]) == (1, 2)
    assert place.count() == 2
    assert place.get(made.id) == made


def test_it_says_how_many_the_group_did_not_show_before(place: Place) -> None:
    known = [persona(full_name=name, external_id=name) for name in "abc"]
    stream = begun(place)
    stream.batch(1, known[:2])
    assert stream.added == 2
    place.delete(place.walk()[0].id)
    assert stream.batch(2, known) == (2, 5)  # one was deleted, one is new
    assert stream.added == 4
    stream.drop()
    resumed = Import(place, stream.import_id)
    resumed.begin()
    resumed.batch(3, [known[0], persona()])
    assert resumed.added == 5
    assert refusal_of(lambda: resumed.batch(4, [persona(id="x")])).metadata["added_count"] == "5"


def test_1000_are_taken_and_1001_are_not(place: Place) -> None:
    stream = begun(place)
    assert stream.batch(1, [persona()] * 1000) == (1, 1000)
    fields = ends(lambda: stream.batch(2, [persona()] * 1001), "INVALID_FIELD", 1)
    assert set(fields) == {"batch.personas"}
    assert place.count() == 1000


def test_a_batch_over_3_mib_is_refused_with_what_is_committed(place: Place) -> None:
    stream = begun(place)
    stream.batch(1, people("a"))
    fat = [persona(attributes={"a": "y" * 32_000})] * 100
    ends(lambda: stream.batch(2, fat), "MESSAGE_TOO_LARGE", 1)
    assert names(place) == ["a"]


class TestResume:
    """A broken import goes on where it was."""

    def test_from_the_answer_to_its_first_message(self, place: Place) -> None:
        first = begun(place)
        first.batch(1, people("a", "b"))
        first.drop()
        second = Import(place, first.import_id)
        assert second.begin() == (1, 2)
        assert second.batch(2, people("c")) == (2, 3)
        second.end()
        assert names(place) == ["a", "b", "c"]

    def test_a_resent_batch_is_acknowledged_and_not_stored_twice(self, place: Place) -> None:
        stream = begun(place)
        one, two = people("a", "b"), people("c")
        stream.batch(1, one)
        stream.batch(2, two)
        assert stream.batch(1, one) == (2, 3)
        assert stream.batch(2, two) == (2, 3)
        assert stream.batch(3, people("d")) == (3, 4)
        assert names(place) == ["a", "b", "c", "d"]

    def test_map_order_is_no_other_content(self, place: Place) -> None:
        stream = begun(place)
        keys = [f"k{i}" for i in range(40)]
        stream.batch(1, [persona(attributes=dict.fromkeys(keys, "v"))])
        again = [persona(attributes=dict.fromkeys(reversed(keys), "v"))]
        assert stream.batch(1, again) == (1, 1)

    @pytest.mark.parametrize("other", [["a", "x"], ["a"], ["b", "a"], ["a", "b", "c"]])
    def test_other_content_is_a_conflict(self, place: Place, other: list[str]) -> None:
        stream = begun(place)
        stream.batch(1, people("a", "b"))
        ends(lambda: stream.batch(1, people(*other)), "IMPORT_CONFLICT", 1)
        assert names(place) == ["a", "b"]

    @pytest.mark.parametrize("sequence", [2, 3, 2**31 - 1])
    def test_a_gap_is_refused(self, place: Place, sequence: int) -> None:
        stream = begun(place)
        problem = refusal_of(lambda: stream.batch(sequence, people("a")))
        assert (problem.reason, problem.code) == ("IMPORT_GAP", grpc.StatusCode.OUT_OF_RANGE)
        assert problem.metadata["committed_sequence"] == "0"
        again = begun(place, stream.import_id)
        again.batch(1, people("a"))
        ends(lambda: again.batch(3, people("b")), "IMPORT_GAP", 1)
        assert names(place) == ["a"]

    def test_a_newer_stream_takes_over(self, place: Place) -> None:
        old = begun(place)
        old.batch(1, people("a"))
        new = Import(place, old.import_id.upper())
        assert new.begin() == (1, 1)
        problem = refusal_of(lambda: old.batch(2, people("lost")))
        assert (problem.reason, problem.code) == ("IMPORT_CONFLICT", ABORTED)
        assert problem.metadata["committed_sequence"] == "1"
        assert new.batch(2, people("b")) == (2, 2)
        assert names(place) == ["a", "b"]

    def test_the_older_one_cant_even_repeat(self, place: Place) -> None:
        old = begun(place)
        old.batch(1, people("a"))
        begun(place, old.import_id)
        ends(lambda: old.batch(1, people("a")), "IMPORT_CONFLICT", 1)

    def test_after_an_error_the_import_goes_on(self, place: Place) -> None:
        stream = begun(place)
        stream.batch(1, people("a"))
        ends(lambda: stream.batch(2, people("")), "INVALID_FIELD", 1)
        again = Import(place, stream.import_id)
        assert again.begin() == (1, 1)
        assert again.batch(2, people("b")) == (2, 2)


class TestOwner:
    """An import_id is bound to its group and to the personas' set."""

    def test_another_group_is_a_conflict(self, place: Place) -> None:
        stream = begun(place)
        other = make_place(place.caller, place.project)
        problem = refusal_of(lambda: begun(other, stream.import_id))
        assert (problem.reason, problem.code) == ("IMPORT_CONFLICT", ABORTED)
        assert stream.batch(1, people("a")) == (1, 1)  # it does not take over

    def test_another_tenants_is_another_import(self, place: Place, connect: Connect) -> None:
        stream = begun(place)
        stream.batch(1, people("a"))
        other = Import(make_place(connect(of=f"x-{uid()}")), stream.import_id)
        assert other.begin() == (0, 0)
        assert stream.batch(2, people("b")) == (2, 2)

    def test_delete_all_ends_it(self, place: Place) -> None:
        stream = begun(place)
        stream.batch(1, people("a"))
        assert place.delete_all() == 1
        problem = refusal_of(lambda: stream.batch(2, people("b")))
        assert (problem.reason, problem.code) == ("IMPORT_CONFLICT", ABORTED)
        assert refusal_of(lambda: begun(place, stream.import_id)).reason == "IMPORT_CONFLICT"
        assert place.count() == 0
        fresh = begun(place)
        assert fresh.batch(1, people("b")) == (1, 1)

    def test_a_deleted_group_ends_it(self, place: Place) -> None:
        from persona.v1.project_service_pb2 import DeletePersonaGroupRequest

        stream = begun(place)
        place.caller.projects.DeletePersonaGroup(DeletePersonaGroupRequest(**place.ids))
        ends(lambda: stream.batch(1, people("a")), "PERSONA_GROUP_NOT_FOUND", 0)


class TestExisting:
    """Personas that are there already are acknowledged, and not counted in the group."""

    def test_same_ones_are_acknowledged(self, place: Place) -> None:
        old = place.create(persona(id=uid(), full_name="old"))
        stream = begun(place)
        assert stream.batch(1, [persona(id=old.id, full_name="old"), *people("new")]) == (1, 2)
        assert stream.batch(2, [persona(id=old.id, full_name="old")]) == (2, 3)
        assert place.count() == len(place.walk()) == 2

    def test_deleted_ones_come_back(self, place: Place) -> None:
        old = place.create(persona(id=uid()))
        place.delete(old.id)
        stream = begun(place)
        assert stream.batch(1, [persona(id=old.id)]) == (1, 1)
        assert place.walk() == [old]
        assert place.count() == 1

    def test_other_content_refuses_the_batch(self, place: Place) -> None:
        old = place.create(persona(id=uid()))
        stream = begun(place)
        other = [*people("new"), persona(id=old.id, full_name="other")]
        ends(lambda: stream.batch(1, other), "ALREADY_EXISTS", 0)
        assert place.count() == 1


class TestMessages:
    """What each message must be."""

    @pytest.mark.parametrize("field", ["project_id", "group_id", "import_id"])
    @pytest.mark.parametrize("value", ["", "x"])
    def test_first_message_needs_its_ids(self, place: Place, field: str, value: str) -> None:
        fields = ends(lambda: Import(place).begin(**{field: value}), "INVALID_FIELD", 0)
        assert set(fields) == {f"start.{field}"}

    def test_the_first_message_is_a_start(self, place: Place) -> None:
        call = lambda: Import(place).batch(1, people("a"))  # noqa: E731
        assert set(ends(call, "INVALID_FIELD", 0)) == {"start"}
        empty = lambda: Import(place).ask(pb.ImportPersonasRequest())  # noqa: E731
        assert set(ends(empty, "INVALID_FIELD", 0)) == {"start"}
        assert place.count() == 0

    def test_every_later_one_is_a_batch(self, place: Place) -> None:
        stream = begun(place)
        stream.batch(1, people("a"))
        assert set(ends(stream.begin, "INVALID_FIELD", 1)) == {"batch"}
        again = begun(place, stream.import_id)
        empty = lambda: again.ask(pb.ImportPersonasRequest())  # noqa: E731
        assert set(ends(empty, "INVALID_FIELD", 1)) == {"start"}
        assert place.count() == 1

    @pytest.mark.parametrize("sequence", [0, -1])
    def test_sequences_start_at_1(self, place: Place, sequence: int) -> None:
        stream = begun(place)
        call = lambda: stream.batch(sequence, people("a"))  # noqa: E731
        assert set(ends(call, "INVALID_FIELD", 0)) == {"batch.sequence"}

    def test_a_batch_is_not_empty(self, place: Place) -> None:
        stream = begun(place)
        assert set(ends(lambda: stream.batch(1, []), "INVALID_FIELD", 0)) == {"batch.personas"}

    def test_one_bad_persona_refuses_its_batch_by_index(self, place: Place) -> None:
        stream = begun(place)
        stream.batch(1, people("a"))
        bad = [*people("b", "c"), persona(age=131), persona(personality_traits=["x"])]
        fields = ends(lambda: stream.batch(2, bad), "INVALID_FIELD", 1)
        assert set(fields) == {"batch.personas[2].age", "batch.personas[3].personality_traits"}
        assert names(place) == ["a"]

    def test_ids_must_not_repeat_in_a_batch(self, place: Place) -> None:
        stream, twice = begun(place), uid()
        given = [persona(id=twice), persona(id=twice.upper())]
        fields = ends(lambda: stream.batch(1, given), "INVALID_FIELD", 0)
        assert set(fields) == {"batch.personas[1].id"}

    def test_a_stream_without_a_message_is_nothing(self, place: Place) -> None:
        Import(place).end()
        assert list(place.caller.personas.ImportPersonas(iter(()))) == []
        start = pb.ImportStart(**place.ids, import_id=uid())
        request = pb.ImportPersonasRequest(start=start)
        assert len(list(place.caller.personas.ImportPersonas(iter([request])))) == 1

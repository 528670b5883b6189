"""What an answer must be: every rule at its bounds, named by index and field; nothing is kept."""

import math
import time
from typing import Any

import pytest

from persona.v1 import response_service_pb2 as pb
from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from support.answers import answer, answerer, listed, record
from support.data import Place, at, uid
from support.errors import refused

LOW, HIGH = -(2**31), 2**31 - 1


def choice(value: str, *options: str) -> ChoiceAnswer:
    return ChoiceAnswer(value=value, options=options)


def choices(values: list[str], *options: str) -> ChoicesAnswer:
    return ChoicesAnswer(values=values, options=options)


def rating(value: int, low: int, high: int) -> RatingAnswer:
    return RatingAnswer(value=value, min=low, max=high)


def ahead(seconds: int) -> Any:
    return at((int(time.time()) + seconds) * 1_000_000)


GOOD: list[dict[str, Any]] = [
    {"choice": choice("a", "a")},
    {"choice": choice("o499", *[f"o{i}" for i in range(500)])},
    {"choice": choice("x" * 255, "x" * 255, "X" * 255)},
    {"choice": choice("é", "é", "e\u0301")},  # no normalising: these are two
    {"choices": choices([], "a")},
    {"choices": choices(["b", "a"], "a", "b")},
    {"rating": rating(1, 0, 1)},
    {"rating": rating(LOW, LOW, HIGH)},
    {"rating": rating(HIGH, LOW, HIGH)},
    {"sentiment": 1.0},
    {"sentiment": -1.0},
    {"sentiment": -0.0},
    {"sentiment": 0.000001},
    {"sentiment": 0.123457},
    {"text": ""},
    {"text": "ü" * 8192},
    {"text": "two\nlines\tand more"},
    {"themes": ["t" * 128] * 50},
    {"quote": "q" * 8192},
    {"question_text": "q" * 4096},
    {"question_key": "ä" * 255},
    {"model": "m" * 255, "prompt_version": "v" * 255},
    {"occurred_at": at(0)},
    {"occurred_at": ahead(86_000)},
]
BAD: list[tuple[dict[str, Any], set[str]]] = [
    ({"choice": choice("a")}, {"choice.options", "choice.value"}),
    ({"choice": choice("c", "a", "b")}, {"choice.value"}),
    ({"choice": choice("", "a")}, {"choice.value"}),
    ({"choice": choice("A", "a")}, {"choice.value"}),
    ({"choice": choice("a", "a", "b", "a")}, {"choice.options[2]"}),
    ({"choice": choice("a", "a", " ")}, {"choice.options[1]"}),
    ({"choice": choice("a", "a", "b\n")}, {"choice.options[1]"}),
    ({"choice": choice("a", "a", "x" * 256)}, {"choice.options[1]"}),
    ({"choice": choice("o0", *[f"o{i}" for i in range(501)])}, {"choice.options"}),
    ({"choices": choices(["a"])}, {"choices.options", "choices.values[0]"}),
    ({"choices": choices(["a", "c"], "a", "b")}, {"choices.values[1]"}),
    ({"choices": choices(["a", "b", "a"], "a", "b")}, {"choices.values[2]"}),
    ({"choices": choices([], "a", "a")}, {"choices.options[1]"}),
    ({"rating": rating(1, 1, 1)}, {"rating.min"}),
    ({"rating": rating(1, 2, 1)}, {"rating.min"}),
    ({"rating": rating(0, 1, 5)}, {"rating.value"}),
    ({"rating": rating(6, 1, 5)}, {"rating.value"}),
    ({"rating": RatingAnswer()}, {"rating.min"}),
    ({"sentiment": 1.000001}, {"sentiment"}),
    ({"sentiment": -1.000001}, {"sentiment"}),
    ({"sentiment": 0.1234567}, {"sentiment"}),
    ({"sentiment": math.nextafter(0.5, 1)}, {"sentiment"}),
    ({"sentiment": math.nan}, {"sentiment"}),
    ({"sentiment": math.inf}, {"sentiment"}),
    ({"sentiment": -math.inf}, {"sentiment"}),
    ({"text": "ü" * 8192 + "x"}, {"text"}),
    ({"text": "a\0b"}, {"text"}),
    ({"themes": ["t"] * 51}, {"themes"}),
    ({"themes": ["t", ""]}, {"themes[1]"}),
    ({"themes": ["t" * 129]}, {"themes[0]"}),
    ({"themes": ["a\tb"]}, {"themes[0]"}),
    ({"quote": "q" * 8193}, {"quote"}),
    ({"quote": "\0"}, {"quote"}),
    ({"question_text": "q" * 4097}, {"question_text"}),
    ({"question_text": "\0"}, {"question_text"}),
    ({"question_key": ""}, {"question_key"}),
    ({"question_key": " \u2003"}, {"question_key"}),
    ({"question_key": "q" * 256}, {"question_key"}),
    ({"question_key": "a\nb"}, {"question_key"}),
    ({"model": "m" * 256}, {"model"}),
    ({"model": "a\u0085"}, {"model"}),
    ({"prompt_version": "v" * 256}, {"prompt_version"}),
    ({"prompt_version": "\x1b"}, {"prompt_version"}),
    ({"id": "x"}, {"id"}),
    ({"occurred_at": at(-1)}, {"occurred_at"}),
    ({"occurred_at": at(253_402_300_800_000_000)}, {"occurred_at"}),
    ({"occurred_at": ahead(30 * 86_400)}, {"occurred_at"}),
    ({"choice": choice("a", "a", *[f"{i:0255}" for i in range(260)])}, {""}),
]


@pytest.mark.parametrize("fields", GOOD, ids=" ".join)
def test_good(place: Place, fields: dict[str, Any]) -> None:
    (one,) = place.fill(1)
    (recorded,) = record(place.caller, uid(), answer(one.id, **fields))
    for name, value in fields.items():
        assert getattr(recorded, name) == value


@pytest.mark.parametrize(("fields", "named"), BAD, ids=lambda names: " ".join(sorted(names)))
def test_bad(place: Place, fields: dict[str, Any], named: set[str]) -> None:
    (one,) = place.fill(1)
    simulation = uid()
    with refused("INVALID_FIELD") as refusal:
        record(place.caller, simulation, answer(one.id), answer(one.id, **fields))
    found = {f"responses[1].{name}".rstrip(".") for name in named}
    assert set(refusal.problem.fields) == found
    assert listed(place.caller, simulation_id=simulation) == []


def test_an_answer_is_required(place: Place) -> None:
    (one,) = place.fill(1)
    with refused("INVALID_FIELD") as refusal:
        record(place.caller, uid(), Response(persona_id=one.id, question_key="q"))
    assert set(refusal.problem.fields) == {"responses[0].answer"}


@pytest.mark.parametrize("persona_id", ["", "x", "0190b5a4-0000-7000-8000-00000000000"])
def test_a_persona_is_required(place: Place, persona_id: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        record(place.caller, uid(), answer(persona_id))
    assert set(refusal.problem.fields) == {"responses[0].persona_id"}


@pytest.mark.parametrize("simulation", ["", "x"])
def test_a_simulation_is_required(place: Place, simulation: str) -> None:
    (one,) = place.fill(1)
    with refused("INVALID_FIELD") as refusal:
        record(place.caller, simulation, answer(one.id))
    assert set(refusal.problem.fields) == {"simulation_id"}


@pytest.mark.parametrize("number", [0, 1001])
def test_a_batch_holds_1_to_1000(place: Place, number: int) -> None:
    (one,) = place.fill(1)
    with refused("INVALID_FIELD") as refusal:
        record(place.caller, uid(), *[answer(one.id)] * number)
    assert set(refusal.problem.fields) == {"responses"}
    assert len(record(place.caller, uid(), *[answer(one.id)] * 1000)) == 1000


def test_a_request_over_3_mib_is_refused(place: Place) -> None:
    (one,) = place.fill(1)
    with refused("MESSAGE_TOO_LARGE"):
        record(place.caller, uid(), *[answer(one.id, text="x" * 16_384)] * 200)


def test_negative_zero_is_zero(place: Place) -> None:
    (one,) = place.fill(1)
    simulation, same = uid(), uid()
    (recorded,) = record(place.caller, simulation, answer(one.id, id=same, sentiment=-0.0))
    assert math.copysign(1, recorded.sentiment) == 1
    assert record(place.caller, simulation, answer(one.id, id=same, sentiment=0.0)) == [recorded]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "simulation_id"),
        ({"simulation_id": ""}, "simulation_id"),
        ({"project_id": "x"}, "project_id"),
        ({"persona_id": ""}, "simulation_id"),
        ({"group_id": "x", "persona_id": uid()}, "group_id"),
        ({"occurred_from": at(0), "occurred_before": at(9)}, "simulation_id"),
        ({"persona_id": uid(), "page_size": -1}, "page_size"),
        ({"persona_id": uid(), "question_key": "q" * 256}, "question_key"),
        ({"persona_id": uid(), "occurred_from": at(-1)}, "occurred_from"),
        ({"persona_id": uid(), "occurred_before": at(2**62)}, "occurred_before"),
        (
            {"persona_id": uid(), "occurred_from": at(2), "occurred_before": at(2)},
            "occurred_before",
        ),
        (
            {"persona_id": uid(), "occurred_from": at(2), "occurred_before": at(1)},
            "occurred_before",
        ),
        ({"persona_id": uid(), "recorded_after": at(-1)}, "recorded_after"),
        ({"persona_id": uid(), "order_by": "id"}, "order_by"),
        ({"persona_id": uid(), "order_by": "desc"}, "order_by"),
        ({"persona_id": uid(), "order_by": "recorded_at asc"}, "order_by"),
        ({"persona_id": uid(), "order_by": "o" * 256}, "order_by"),
        ({"recorded_after": at(0), "order_by": "occurred_at"}, "order_by"),
    ],
)
def test_bad_lists(place: Place, arguments: dict[str, Any], named: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        place.caller.responses.ListResponses(pb.ListResponsesRequest(**arguments))
    assert set(refusal.problem.fields) == {named}


@pytest.mark.parametrize("response_id", ["", "x"])
def test_bad_response_ids(place: Place, response_id: str) -> None:
    responses = place.caller.responses
    for call in (
        lambda: responses.GetResponse(pb.GetResponseRequest(response_id=response_id)),
        lambda: answerer(place.caller, response_id),
    ):
        with refused("INVALID_FIELD") as refusal:
            call()
        assert set(refusal.problem.fields) == {"response_id"}

"""What is wrong with an item of a batch is what is wrong with it alone."""

from typing import Any, cast

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import BatchCreatePersonasRequest
from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona.v1.response_service_pb2 import RecordResponsesRequest
from persona_server.validation.columns import AT_ONCE, are_well
from persona_server.validation.personas import persona_violations
from persona_server.validation.requests import validate
from persona_server.validation.responses import response_violations
from support.requests.worst import valid_request

LATE = AT_ONCE + 3  # a place among those that are looked at after the first
GOOD: list[dict[str, Any]] = [
    {},
    {"full_name": "Zoë Łukasz 田中", "location": "São\u00a0Paulo", "occupation": "ingénieure"},
    {"age": Int32Value(value=130), "income_level": "Low", "avatar_url": "HTTPS://a.example/b?c#d"},
    {"personality_traits": ["a", "b\u3000c", "d"], "trusted_brands": ["x" * 128] * 50},
    {"attributes": {"state": "AR", "of no words": "", "k" * 128: "two\nlines"}},
    {"digital_habits": "é" * 1000, "external_id": "e" * 255, "gender": "ﷺ" * 7},
    {"psychographic_notes": "田" * 4096, "attributes": {"a": "b" * 8000}},
]
BAD: list[dict[str, Any]] = [
    {"full_name": ""},
    {"full_name": " \u3000"},
    {"full_name": "a" * 256},
    {"full_name": "a\nb"},
    {"full_name": "ﷺ" * 31},
    {"gender": "ﷺ" * 8},
    {"gender": "a\u0085"},
    {"occupation": "e" + "\u0301" * 11},
    {"location": "x" * 256},
    {"age": Int32Value(value=0)},
    {"age": Int32Value(value=131)},
    {"income_level": "low"},
    {"digital_habits": "é" * 4097},
    {"price_sensitivity": "a\0"},
    {"psychographic_notes": "a" * 16385},
    {"avatar_url": "ftp://a.example"},
    {"avatar_url": "https://a b"},
    {"avatar_url": "https://a" + "a" * 2048},
    {"external_id": " "},
    {"external_id": "a\tb"},
    {"external_id": "a" * 256},
    {"personality_traits": ["a", "b"]},
    {"personality_traits": ["a"] * 6},
    {"personality_traits": ["a", "b", " "]},
    {"trusted_brands": ["a"] * 51},
    {"trusted_brands": ["a" * 129]},
    {"distrusted_brands": ["a\nb"]},
    {"distrusted_brands": [""]},
    {"attributes": {"": "a"}},
    {"attributes": {"a" * 129: "a"}},
    {"attributes": {"a\n": "a"}},
    {"attributes": {"a": "\0"}},
    {"attributes": {f"{i}": "a" for i in range(101)}},
    {"attributes": {"a": "é" * (16 << 10)}},
    # Each text and list is short enough, all together are not.
    {
        "trusted_brands": ["🙂" * 128] * 50,
        "distrusted_brands": ["🙂" * 128] * 50,
        "psychographic_notes": "🙂" * 4000,
    },
]


def persona(fields: dict[str, Any]) -> Persona:
    return Persona(**{"full_name": "A", **fields})


def batch(*personas: Persona) -> BatchCreatePersonasRequest:
    request = cast(BatchCreatePersonasRequest, valid_request(BatchCreatePersonasRequest))
    del request.personas[:]
    request.personas.extend(personas)
    return request


@pytest.mark.parametrize("fields", GOOD, ids=str)
def test_what_is_right_alone_is_right_among_others(fields: dict[str, Any]) -> None:
    assert persona_violations(persona(fields), "p") == []
    assert validate(batch(*[persona({})] * LATE, persona(fields))) == []
    assert are_well([persona({}), persona(fields)])


@pytest.mark.parametrize("fields", BAD, ids=lambda fields: str(fields)[:60])
def test_what_is_wrong_alone_is_wrong_among_others(fields: dict[str, Any]) -> None:
    found = persona_violations(persona(fields), f"personas[{LATE}]")
    assert len(found) > 0
    assert validate(batch(*[persona({})] * LATE, persona(fields), persona({}))) == found
    assert not are_well([persona({}), persona(fields)])


def test_many_that_are_right_in_unlikely_ways_are_looked_at_one_by_one() -> None:
    """So long an attribute may be too long, and is not."""
    long = persona({"attributes": {"a": "b" * 32_000}})
    assert not are_well([long])
    assert validate(batch(long)) == []


@pytest.mark.parametrize("name", ["id", "external_id"])
def test_what_names_one_persona_comes_once(name: str) -> None:
    value = "0198a5c0-0000-7000-8000-00000000000a"
    twice = [
        persona({name: value}),
        persona({}),
        persona({name: value.upper() if name == "id" else value}),
    ]
    (found,) = validate(batch(*twice))
    assert found.field == f"personas[2].{name}"
    assert found.description == f"repeats the {name} of personas[0]"


ID = "0198a5c0-0000-7000-8000-00000000000a"
OPTIONS = ["yes", "no"]
BAD_RESPONSES: list[dict[str, Any]] = [
    {"id": "a"},
    {"id": ID[:-1]},
    {"persona_id": ""},
    {"persona_id": "a" * 36},
    {"persona_id": ID, "persona_external_id": "e"},
    {"persona_id": "", "persona_external_id": "a\n"},
    {"question_key": ""},
    {"question_key": "k" * 256},
    {"question_key": "a\tb"},
    {"model": "m" * 256},
    {"prompt_version": "\x7f"},
    {"question_text": "\0"},
    {"quote": "é" * 4097},
    {"themes": [" "]},
    {"rating": RatingAnswer(value=6, min=1, max=5)},
    {"choice": ChoiceAnswer(value="maybe", options=OPTIONS)},
    {"choice": ChoiceAnswer(value="yes", options=["yes", "yes"])},
    {"choice": ChoiceAnswer(value="yes", options=["yes", ""])},
    {"choice": ChoiceAnswer(value="yes")},
    {"rating": None},
    {"sentiment": 1.5},
    {"sentiment": 0.1234567},
    {"choices": ChoicesAnswer(values=["yes", "yes"], options=OPTIONS)},
    {"choices": ChoicesAnswer(values=["maybe"], options=OPTIONS)},
    {"text": "é" * 8193},
    {"themes": ["a"] * 51},
    {"occurred_at": Timestamp(seconds=-1)},
    {"occurred_at": Timestamp(nanos=10**9)},
    {"occurred_at": Timestamp(seconds=253_000_000_000)},  # in the year 9987
    {"supersedes": ID[:-1]},
    {"choice": ChoiceAnswer(value="0" * 255, options=[f"{i:0255}" for i in range(300)])},
]


def response(fields: dict[str, Any]) -> Response:
    kinds = {"rating", "choice", "choices", "sentiment", "text"}
    answer = {} if kinds & set(fields) else {"text": "t"}
    return Response(**{"persona_id": ID, "question_key": "q", **answer, **fields})


@pytest.mark.parametrize("fields", BAD_RESPONSES, ids=lambda fields: ascii(fields)[:60])
def test_a_wrong_answer_is_wrong_among_others(fields: dict[str, Any]) -> None:
    right = response({"choice": ChoiceAnswer(value="no", options=OPTIONS), "model": "m"})
    found = response_violations(response(fields), "responses[1]")
    assert len(found) > 0
    request = RecordResponsesRequest(simulation_id=ID, responses=[right, response(fields), right])
    if "persona_external_id" in fields:
        request.group_id = ID
    assert validate(request) == found


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"sentiment": -0.0}, {"sentiment": 0.0}),
        (
            {"occurred_at": Timestamp(seconds=5, nanos=1_999)},
            {"occurred_at": Timestamp(seconds=5, nanos=1_000)},
        ),
        *(
            ({name: value}, {})
            for name, value in {
                "simulation_id": ID,
                "project_id": ID,
                "group_id": ID,
                "library_persona_id": StringValue(),
                "recorded_at": Timestamp(),
                "persona_deleted": True,
                "voided_at": Timestamp(seconds=1),
                "void_reason": "why",
            }.items()
        ),
    ],
    ids=str,
)
def test_an_answer_becomes_what_it_means_among_others(
    given: dict[str, Any], meant: dict[str, Any]
) -> None:
    others = [response({}), response({"rating": RatingAnswer(value=1, min=1, max=2)})]
    request = RecordResponsesRequest(simulation_id=ID, responses=[*others, response(given)])
    assert validate(request) == []
    encoded = [one.SerializeToString() for one in request.responses]
    assert encoded == [one.SerializeToString() for one in (*others, response(meant))]


@pytest.mark.parametrize("name", ["id", "supersedes"])
def test_what_names_one_answer_comes_once(name: str) -> None:
    twice = [response({name: ID}), response({}), response({name: ID.upper()})]
    (found,) = validate(RecordResponsesRequest(simulation_id=ID, responses=twice))
    assert found.field == f"responses[2].{name}"
    assert found.description == f"repeats the {name} of responses[0]"


def test_ids_of_answers_become_lower_case_among_others() -> None:
    other = response({"id": ID.upper(), "persona_id": ID.upper()})
    request = RecordResponsesRequest(simulation_id=ID, responses=[response({}), other])
    assert validate(request) == []
    assert [(one.id, one.persona_id) for one in request.responses] == [("", ID), (ID, ID)]

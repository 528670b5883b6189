"""What the command line says of an object that is no message: field and fix, in our words."""

from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor

from persona.v1.comparison_pb2 import TargetDistribution
from persona.v1.persona_pb2 import Persona
from persona.v1.response_pb2 import Response
from persona_cli.files.faults import fault_of
from persona_cli.files.json_lines import LineError, parse_message

TEXT = "must be a string of valid Unicode"
WHOLE = "must be a whole number from -2147483648 to 2147483647"
KINDS = ", ".join(
    f"QUESTION_KIND_{kind}" for kind in ("CHOICE", "CHOICES", "RATING", "SENTIMENT", "THEMES")
)
MAP = f"must be an object, each value of which {TEXT}"
TIME = "must be a time such as 2026-01-31T12:00:00Z"


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (Persona, {"full_name": 5}, f"full_name {TEXT}"),
        (Persona, {"fullName": "\ud800"}, f"full_name {TEXT}"),
        (Persona, {"age": "old"}, f"age {WHOLE}, or null"),
        (Persona, {"age": 99_999_999_999}, f"age {WHOLE}, or null"),
        (Persona, {"created_at": "yesterday"}, f"created_at {TIME}"),
        (Persona, {"created_at": "2026-01-31T12:00:00"}, f"created_at {TIME}"),
        (Persona, {"personality_traits": "kind"}, "personality_traits must be a JSON array"),
        (Persona, {"personality_traits": ["kind", 5]}, f"personality_traits[1] {TEXT}"),
        (Persona, {"attributes": {"a": "b", "c": 5}}, f"attributes {MAP}"),
        (Persona, {"attributes": []}, f"attributes {MAP}"),
        (Response, {"rating": {"value": "x"}}, f"rating.value {WHOLE}"),
        (Response, {"rating": 4}, "rating must be a JSON object"),
        (Response, {"rating": {"most": 4}}, "rating.most is not a known field"),
        (Response, {"sentiment": "good"}, "sentiment must be a number"),
        (TargetDistribution, {"shares": [0.5, "half"]}, "shares[1] must be a number"),
        (TargetDistribution, {"question": {"kind": "NO"}}, f"question.kind must be one of {KINDS}"),
    ],
)  # fmt: skip
def test_a_fault_names_its_field_and_what_it_must_be(kind: Any, value: Any, said: str) -> None:
    descriptor: Descriptor = kind.DESCRIPTOR
    assert fault_of(value, descriptor) == said
    with pytest.raises(LineError) as refused:
        parse_message(value, kind(), (), "thing")
    assert str(refused.value) == said

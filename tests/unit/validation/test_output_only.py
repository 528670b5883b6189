"""What the contract calls output only is what the checks clear, of every resource."""

import re
from pathlib import Path

import pytest
from google.protobuf.message import Message

from persona.v1.persona_pb2 import Persona
from persona.v1.project_pb2 import PersonaGroup, Project
from persona.v1.response_pb2 import Response
from persona_server.validation import personas, responses
from persona_server.validation.projects import GROUP_FIELDS, PROJECT_FIELDS

PROTOS = Path(__file__).parents[3] / "protos" / "persona" / "v1"
FIELD = re.compile(r"((?:  //[^\n]*\n)+)  [\w.<>, ]+ (\w+) = \d+;")


def output_only(kind: type[Message]) -> set[str]:
    """Return the fields of a message whose comments say that they are output only."""
    source = (PROTOS / Path(kind.DESCRIPTOR.file.name).name).read_text()
    body = source.split(f"\nmessage {kind.DESCRIPTOR.name} {{\n")[1].split("\n}\n")[0]
    comments = {name: comment for comment, name in FIELD.findall(f"{body}\n")}
    return {name for name, comment in comments.items() if "Output only" in comment}


def fields(kind: type[Message]) -> set[str]:
    return set(kind.DESCRIPTOR.fields_by_name)


@pytest.mark.parametrize(
    ("kind", "cleared"),
    [
        (Persona, set(personas.OUTPUT_ONLY)),
        (Response, set(responses.OUTPUT_ONLY)),
        (Project, fields(Project) - {"id", *PROJECT_FIELDS}),
        (PersonaGroup, fields(PersonaGroup) - {"id", *GROUP_FIELDS}),
    ],
)
def test_the_checks_clear_what_the_contract_says(kind: type[Message], cleared: set[str]) -> None:
    assert output_only(kind) == cleared != set()

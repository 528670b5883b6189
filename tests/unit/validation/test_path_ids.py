"""The ids of a request's path, which are looked at together."""

import pytest

from persona.v1.persona_service_pb2 import GetPersonaRequest
from persona_server.validation.requests import validate

ID = "018f0000-0000-7000-8000-00000000abcd"


def found(project: str, group: str, persona: str) -> tuple[list[str], tuple[str, str, str]]:
    """Return the fields that are bad, and the ids as the check leaves them."""
    request = GetPersonaRequest(project_id=project, group_id=group, persona_id=persona)
    bad = [violation.field for violation in validate(request)]
    return bad, (request.project_id, request.group_id, request.persona_id)


def test_ids_that_are_well_stay_as_they_are() -> None:
    assert found(ID, ID, ID) == ([], (ID, ID, ID))


def test_ids_are_brought_to_lower_case() -> None:
    assert found(ID, ID.upper(), ID) == ([], (ID, ID, ID))


@pytest.mark.parametrize(
    ("ids", "bad"),
    [
        ((ID, "", ID), ["group_id"]),
        ((f"{ID}/{ID}", ID, ""), ["project_id", "persona_id"]),
        ((ID, f"{ID}/{ID}", ""), ["group_id", "persona_id"]),
        (("", "", f"{ID}/{ID}/{ID}"), ["project_id", "group_id", "persona_id"]),
        ((ID, ID, f"{ID}\n"), ["persona_id"]),
        ((ID, ID, ID[:-1] + "g"), ["persona_id"]),
    ],
)
def test_each_id_that_is_none_is_named(ids: tuple[str, str, str], bad: list[str]) -> None:
    assert found(*ids) == (bad, ids)

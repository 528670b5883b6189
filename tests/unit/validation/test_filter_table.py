"""The one table of filters, against the contract that has them and the client that offers them."""

from typing import get_type_hints

import pytest
from google.protobuf.message import Message

from persona.v1.library_service_pb2 import ListLibraryPersonasRequest
from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import (
    CountPersonasRequest,
    ExportPersonasRequest,
    ListPersonasRequest,
)
from persona_client import PersonaFilters, ProfileFilters
from persona_server.storage import tables
from persona_server.validation.filters import FILTERS, filters_of, search_keys
from persona_server.validation.limits import FOLDED, LINES

# Filters by a whole value that has a term: validation/terms.py.
FOUND_BY = {"external_id", "full_name", "attributes"}
OTHERS = {
    ListPersonasRequest: {"project_id", "group_id", "page_size", "page_token", *FOUND_BY},
    CountPersonasRequest: {"project_id", "group_id", "page_token", *FOUND_BY},
    ExportPersonasRequest: {"project_id", "group_id", "resume_token", *FOUND_BY},
    ListLibraryPersonasRequest: {
        "page_size",
        "page_token",
        "lower_bound_min",
        "include_retired",
        "order_by",
        "attributes",
    },
}
NAMES = {each.name for each in FILTERS}


@pytest.mark.parametrize("request_type", OTHERS)
def test_requests_that_filter_have_every_filter(request_type: type[Message]) -> None:
    fields = {field.name for field in request_type.DESCRIPTOR.fields}
    assert fields - OTHERS[request_type] == NAMES


def test_filters_are_about_fields_of_a_persona() -> None:
    assert {each.field for each in FILTERS} <= set(Persona.DESCRIPTOR.fields_by_name)
    assert {each.field for each in FILTERS if each.is_text} <= set(LINES)
    assert set(FOLDED) <= {each.field for each in FILTERS} | {"full_name"}


def test_the_client_offers_every_filter() -> None:
    assert set(ProfileFilters.__annotations__) == NAMES
    assert set(get_type_hints(PersonaFilters)) == NAMES | FOUND_BY


@pytest.mark.parametrize("model", [tables.Persona, tables.LibraryPersona])
def test_storage_has_a_column_for_every_filter(model: type) -> None:
    assert all(hasattr(model, each.column) for each in FILTERS)


def test_texts_are_folded_and_what_is_not_set_is_left_out() -> None:
    request = ListPersonasRequest(gender="STRASSE", location="Ｐorto", age_max=30)
    assert filters_of(request) == {"gender": "strasse", "location": "porto", "age_max": 30}
    persona = Persona(gender="F", income_level="Low", location="ﬁ", occupation="Ω")
    assert search_keys(persona) == ("f", "low", "fi", "ω")

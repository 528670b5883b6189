"""The OpenAPI document, and a service that is as it says, whatever is sent.

Good requests of every route, and many kinds of wrong ones, are held to it in test_gateway_equal.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from rest.conforming import DOCUMENT, FILE
from rest.routes import ROUTES, SUCCESS, Route
from rest.wire import Rest
from schemathesis import BaseSchema, Case, GenerationMode, checks

from support.service import Service

EXAMPLES, MANY_EXAMPLES = 20, 300  # requests of each operation and kind; many under --torture
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
]


def test_it_is_there_for_everybody(rest: Rest) -> None:
    answer = Rest(f"http://{rest.host}", None).call("GET", "/openapi.json")
    assert answer.status == 200
    assert answer.body == FILE.read_bytes()
    assert answer.json()["openapi"] == "3.1.0"
    tag = answer.headers["ETag"]
    assert rest.call("GET", "/openapi.json", headers=[("If-None-Match", tag)]).status == 304
    packed = rest.call("GET", "/openapi.json", headers=[("Accept-Encoding", "gzip")])
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.body) < len(answer.body) / 4


def test_it_has_every_route_and_its_statuses() -> None:
    documented = {
        (path, verb.upper()): operation
        for path, verbs in DOCUMENT["paths"].items()
        for verb, operation in verbs.items()
        if path.startswith("/api/")
    }
    assert documented.keys() == {(route.path, route.verb) for route in ROUTES}
    names = [operation["operationId"] for operation in documented.values()]
    assert len(names) == len(set(names))
    for route in ROUTES:
        answers = documented[route.path, route.verb]["responses"]
        read = route.verb == "GET" and route.name != "ExportPersonas"
        wanted = {str(SUCCESS[route.name]), "default"} | ({"304"} if read else set())
        assert answers.keys() == wanted


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_one_and_said(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    jsonschema_rs.meta.validate(
        schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    )
    assert schema["description"]
    if name != "Problem":
        assert all(field["description"] for field in schema.get("properties", {}).values())


@pytest.fixture(scope="module")
def api(service: Service) -> BaseSchema:
    """The document as the service gives it."""
    loaded = schemathesis.openapi.from_url(f"{service.rest}/openapi.json")
    loaded.validate()  # it is an OpenAPI document
    return loaded


@pytest.fixture(scope="module")
def caller(service: Service) -> Iterator[requests.Session]:
    """A client with a token of all scopes, of a tenant that nobody else uses."""
    with requests.Session() as session:
        token = service.token(tenant="whatever-is-sent")
        session.headers["Authorization"] = f"Bearer {token}"
        yield session


def values_of(case: Case[Any]) -> list[str]:
    """Return the values of a request's query."""
    prepared = requests.Request(**case.as_transport_kwargs(headers={})).prepare()
    return [value for _, value in parse_qsl(urlsplit(prepared.url or "").query, True)]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_the_service_is_as_it_says_whatever_is_sent(
    api: BaseSchema,
    caller: requests.Session,
    route: Route,
    mode: GenerationMode,
    request: pytest.FixtureRequest,
) -> None:
    torture = request.config.getoption("--torture")

    @given(case=api[route.path][route.verb].as_strategy(mode))
    @settings(
        max_examples=MANY_EXAMPLES if torture else EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def hold(case: Case[Any]) -> None:
        # An empty number is none (allowEmptyValue), which negative requests are not told.
        assume(mode.is_positive or "" not in values_of(case))
        case.call_and_validate(session=caller, checks=CHECKS)

    hold()

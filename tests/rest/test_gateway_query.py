"""Query parameters: fields of the request that neither path nor body binds, each at most once."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from rest.conftest import Place
from rest.library import next_of
from rest.routes import ROUTES, Route
from rest.wire import Rest

EVERY_ROUTE = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)


@pytest.fixture
def path_of(place: Place, filled: Callable[[int], list[str]]) -> Callable[[Route], str]:
    """A function that fills a route's path with ids that are there."""
    ids = {"project_id": place.project, "group_id": place.group, "persona_id": filled(1)[0]}
    ids |= {"simulation_id": str(uuid.uuid4()), "response_id": str(uuid.uuid4())}
    ids |= {"library_persona_id": str(uuid.uuid4())}
    return lambda route: route.path.format(**ids)


_WHOLE = {
    "RecordResponses": b'{"responses":[]}',
    "PromotePersona": b"{}",
    "VoidResponses": b"{}",
    "CompareResponses": b"{}",
    "RecordReferenceAnswers": b'{"reference_answers":[]}',
    "PromotePersonas": b"{}",
    "BatchGetPersonas": b'{"persona_ids":[]}',
    "RetireLibraryPersona": b"{}",
    "CopyPersonas": b'{"persona_ids":[]}',
    "ReuseLibraryPersonas": b'{"library_persona_ids":[]}',
}


def body_of(route: Route) -> bytes | None:
    """Return a good body for a route that takes one."""
    if not route.body:
        return None
    if route.name in _WHOLE:
        return _WHOLE[route.name]
    one = {"full_name": "X"} if "Persona" in route.name else {}
    named = one if route.body == "persona" else {"name": "X"}
    return json.dumps({"personas": [one]} if route.body == "*" else named).encode()


def state(rest: Rest, place: Place) -> list[bytes]:
    """Return everything that a refused call must leave as it is."""
    project = f"/api/v1/projects/{place.project}"
    paths = ("/api/v1/projects", project, f"{project}/persona-groups", place.path)
    return [rest.call("GET", path).body for path in paths]


@EVERY_ROUTE
@pytest.mark.parametrize("name", ["x", "projectId", "", "personas[0]", "project_id.x", "%ff"])
def test_an_unknown_parameter_is_refused_and_nothing_happens(
    rest: Rest, place: Place, path_of: Callable[[Route], str], route: Route, name: str
) -> None:
    path, before = path_of(route), state(rest, place)
    field = name.replace("%ff", "\ufffd")
    answer = rest.call(route.verb, f"{path}?{name}=1", body_of(route))
    answer.problem(400, "INVALID_FIELD", field)
    assert state(rest, place) == before


@EVERY_ROUTE
def test_what_path_or_body_binds_is_no_parameter(
    rest: Rest, place: Place, path_of: Callable[[Route], str], route: Route
) -> None:
    path, before = path_of(route), state(rest, place)
    allowed = {field.name for field in route.unbound()}
    named = [f.name for f in route.method.input_type.fields]
    for name in {*named, "persona_id", "project_id", "group_id", "persona", "project"} - allowed:
        answer = rest.call(route.verb, f"{path}?{name}={place.project}", body_of(route))
        answer.problem(400, "INVALID_FIELD", name)
    assert state(rest, place) == before


@EVERY_ROUTE
def test_a_parameter_given_twice_is_refused(
    rest: Rest, path_of: Callable[[Route], str], route: Route
) -> None:
    path = path_of(route)
    for field in route.unbound():
        answer = rest.call(route.verb, f"{path}?{field.name}=&{field.name}=", body_of(route))
        answer.problem(400, "INVALID_FIELD", field.name)


@pytest.mark.parametrize("value", ["abc", "1.5", "2147483648", "1e3", "0x10", "%F0%9F%98%80"])
@pytest.mark.parametrize("name", ["page_size", "age_min"])
def test_what_is_no_number_is_refused(rest: Rest, place: Place, name: str, value: str) -> None:
    rest.call("GET", f"{place.path}?{name}={value}").problem(400, "INVALID_FIELD", name)


LIBRARY = "/api/v1/library/personas"


@pytest.mark.parametrize("value", ["", "1", "0", "T", "True", "TRUE", "yes", "null", "true%20"])
def test_what_is_no_boolean_is_refused(rest: Rest, place: Place, value: str) -> None:
    """An empty one too: it could mean yes as well as no."""
    matches = f"{place.path.removesuffix('personas')}library-matches"
    for path, name in ((LIBRARY, "include_retired"), (matches, "exclude_used_in_project")):
        for end in ("", "&page_size=1"):
            answer = rest.call("GET", f"{path}?{name}={value}{end}")
            answer.problem(400, "INVALID_FIELD", name)
    rest.call("GET", f"{LIBRARY}?include_retired").problem(400, "INVALID_FIELD", "include_retired")


NUMBERS = ["NaN", "nan", "Infinity", "-Infinity", "inf", "1e999", "0x1p-2", "1_0", ".5", "0,5", "a"]


@pytest.mark.parametrize("value", [*NUMBERS, "-0.1", "1.0001", "1e3"])
def test_what_is_no_share_is_refused(rest: Rest, place: Place, value: str) -> None:
    matches = f"{place.path.removesuffix('personas')}library-matches"
    for path, name in ((LIBRARY, "lower_bound_min"), (matches, "min_score")):
        answer = rest.call("GET", f"{path}?{name}={value}&page_size=1")
        answer.problem(400, "INVALID_FIELD", name)


@pytest.mark.parametrize("value", ["", "0", "1", "0.5", "1.0", "5e-1", "5E-1"])
def test_a_good_share_is_taken(rest: Rest, place: Place, value: str) -> None:
    matches = f"{place.path.removesuffix('personas')}library-matches"
    for path, name in ((LIBRARY, "lower_bound_min"), (matches, "min_score")):
        assert rest.call("GET", f"{path}?{name}={value}&page_size=1").status == 200


@pytest.mark.parametrize("value", ["nope", "lower_bound,id", "lower_bound%20up", "Created_At"])
def test_an_unknown_order_is_refused(rest: Rest, value: str) -> None:
    rest.call("GET", f"{LIBRARY}?order_by={value}").problem(400, "INVALID_FIELD", "order_by")


def test_what_is_no_utf8_is_refused(rest: Rest, place: Place) -> None:
    rest.call("GET", f"{place.path}?gender=%ff").problem(400, "INVALID_FIELD", "gender")


@pytest.mark.parametrize("query", ["%zz=1", "page_size=%", "gender=a;b=c"])
def test_a_malformed_query_is_refused(rest: Rest, place: Place, query: str) -> None:
    for method in ("GET", "DELETE"):
        rest.call(method, f"{place.path}?{query}").problem(400, "INVALID_FIELD", "query")


def test_filters_select(rest: Rest, place: Place) -> None:
    people: list[dict[str, Any]] = [
        {"full_name": "A", "age": 30, "gender": "female", "location": "São Paulo, Brazil"},
        {"full_name": "B", "age": 50, "gender": "male", "location": "Lagos & Abuja"},
    ]
    people[0] |= {"external_id": "crm/7", "attributes": {"state": "AR", "a]b[c": "ü", "x": ""}}
    people[1]["attributes"] = {"state": "AR"}
    rest.call("POST", f"{place.path}:batchCreate", {"personas": people})
    for query, names in (
        ("gender=FEMALE", ["A"]),
        ("location=s%C3%A3o+paulo", ["A"]),
        ("location=%26", ["B"]),
        ("age_min=30&age_max=49", ["A"]),
        ("gender=", ["A", "B"]),
        ("external_id=crm/7", ["A"]),
        ("external_id=crm%2f7&age_min=31", []),
        ("attributes[state]=AR", ["A", "B"]),
        ("attributes%5Bstate%5D=AR&age_max=30", ["A"]),
        ("attributes[state]=AR&attributes[a]b[c]=%C3%BC", ["A"]),
        ("attributes[state]=ar", []),
        ("attributes[x]=", ["A"]),
        ("age_min=0", ["A", "B"]),
    ):
        for end in ("", "&page_size=10"):
            rows = rest.call("GET", f"{place.path}?{query}{end}").json()
            assert [row["full_name"] for row in rows] == names, query
        rows = rest.call("GET", f"{place.path}:export?{query}").lines()
        assert [row["full_name"] for row in rows] == names, query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("attributes=AR", "attributes"),
        ("attributes[state]=AR&attributes[state]=NE", "attributes[state]"),
        ("attributes[%ff]=AR", "attributes[\ufffd]"),
        ("attributes[state]=%ff", "attributes[state]"),
        ("attributes.state=AR", "attributes.state"),
        ("attributes[state=AR", "attributes[state"),
        ("gender[x]=AR", "gender[x]"),
        ("attributes[]=AR", 'attributes[""]'),
        ("&".join(f"attributes[{i}]=x" for i in range(9)), "attributes"),
    ],
)
def test_a_bad_attribute_is_refused(rest: Rest, place: Place, query: str, field: str) -> None:
    rest.call("GET", f"{place.path}?{query}").problem(400, "INVALID_FIELD", field)


def test_the_next_page_keeps_the_attributes(rest: Rest, place: Place) -> None:
    people = [{"full_name": f"{i}", "attributes": {"state": "AR"}} for i in range(3)]
    rest.call("POST", f"{place.path}:batchCreate", {"personas": people})
    path, found = f"{place.path}?page_size=2&attributes[state]=AR", []
    while path:
        answer = rest.call("GET", path)
        found += [row["full_name"] for row in answer.json()]
        path = next_of(answer)
    assert found == ["0", "1", "2"]

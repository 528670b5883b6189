"""Lists: one page with its link to the next, or without a word about pages the whole list."""

import re
import uuid
from collections.abc import Callable
from http.client import IncompleteRead
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from rest.conftest import Place
from rest.processes import Backend, gateway
from rest.wire import Answer, Rest

from support.service import Service

GROUP = "/api/v1/projects/x/persona-groups/y/personas"
KINDS = ("personas", "persona-groups", "projects")


@pytest.fixture
def tenant(service: Service) -> Rest:
    """A client of a tenant that has nothing yet."""
    return Rest(service.rest, service.token(tenant=f"t-{uuid.uuid4().hex[:20]}"))


@pytest.fixture(params=KINDS)
def listed(request: pytest.FixtureRequest, tenant: Rest) -> tuple[str, list[str]]:
    """A path with five things in it, and their ids in the order of the list."""
    project = tenant.call("POST", "/api/v1/projects", {"name": "P"}).json()["id"]
    groups = f"/api/v1/projects/{project}/persona-groups"
    group = tenant.call("POST", groups, {"name": "G"}).json()["id"]
    path = {"projects": "/api/v1/projects", "persona-groups": groups}.get(
        request.param, f"{groups}/{group}/personas"
    )
    name = "full_name" if path.endswith("/personas") else "name"
    made = {"projects": [project], "persona-groups": [group]}.get(request.param, [])
    while len(made) < 5:
        made.append(tenant.call("POST", path, {name: f"N{len(made)}"}).json()["id"])
    return path, made if request.param == "personas" else made[::-1]


def ids(answer: Answer) -> list[str]:
    """Return the ids of a list."""
    return [row["id"] for row in answer.json()]


def next_of(path: str, answer: Answer) -> str | None:
    """Return where the next page is."""
    if answer.headers["Link"] is None:
        assert answer.headers["X-Next-Page-Token"] is None
        return None
    match = re.fullmatch(r'<(/[^>]+)>; rel="next"', answer.headers["Link"])
    assert match
    target = str(urljoin(path, match[1]))
    query = parse_qs(urlsplit(target).query)
    assert query["page_token"] == [answer.headers["X-Next-Page-Token"]]
    return target


def test_pages_follow_their_links(tenant: Rest, listed: tuple[str, list[str]]) -> None:
    path, everything = listed
    target: str | None = f"{path}?page_size=2"
    seen = []
    while target:
        answer = tenant.call("GET", target)
        assert answer.headers["Content-Length"]
        seen.append(ids(answer))
        target = next_of(path, answer)
    assert seen == [everything[:2], everything[2:4], everything[4:]]


@pytest.mark.parametrize("query", ["page_size=0", "page_token=", "page_size=1000", "page_size=5"])
def test_any_word_about_pages_gives_one(
    tenant: Rest, listed: tuple[str, list[str]], query: str
) -> None:
    path, everything = listed
    answer = tenant.call("GET", f"{path}?{query}")
    assert ids(answer) == everything
    assert answer.headers["Transfer-Encoding"] is None
    assert next_of(path, answer) is None


def test_no_word_about_pages_gives_the_whole_list(
    tenant: Rest, listed: tuple[str, list[str]]
) -> None:
    path, everything = listed
    answer = tenant.call("GET", path)
    assert ids(answer) == everything
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert next_of(path, answer) is None


def test_a_page_token_without_a_size_gives_one_page(
    tenant: Rest, listed: tuple[str, list[str]]
) -> None:
    path, everything = listed
    token = tenant.call("GET", f"{path}?page_size=2").headers["X-Next-Page-Token"]
    answer = tenant.call("GET", f"{path}?page_token={token}")
    assert ids(answer) == everything[2:]
    assert answer.headers["Content-Length"]


def test_an_empty_list_is_an_empty_array(tenant: Rest, rest: Rest, place: Place) -> None:
    for client, path in ((tenant, "/api/v1/projects"), (rest, place.path)):
        for query in ("", "?page_size=3"):
            answer = client.call("GET", path + query)
            assert (answer.status, answer.json()) == (200, [])


def test_a_filter_goes_from_page_to_page(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    filled(120)  # the ages 20 … 79, twice
    query = f"{place.path}?age_min=40&age_max=49&page_size=7"
    seen, target = [], query
    while target:
        answer = rest.call("GET", target)
        seen += answer.json()
        target = next_of(place.path, answer) or ""
    assert [row["age"] for row in seen] == [*range(40, 50), *range(40, 50)]
    assert seen == rest.call("GET", f"{place.path}?age_min=40&age_max=49").json()


def test_more_than_a_page_is_streamed_whole(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    everything = filled(2300)
    answer = rest.call("GET", place.path)
    assert ids(answer) == everything
    assert answer.headers["Transfer-Encoding"] == "chunked"
    for present in ("page_size=", "page_token=", "page_size=0"):
        assert ids(rest.call("GET", f"{place.path}?{present}")) == everything[:1000]


def test_an_error_before_the_first_page_is_a_problem(rest: Rest, place: Place) -> None:
    nobody = place.path.replace(place.group, str(uuid.uuid4()))
    rest.call("GET", nobody).problem(404, "PERSONA_GROUP_NOT_FOUND")
    rest.call("GET", f"{place.path}?age_min=131").problem(400, "INVALID_FIELD", "age_min")
    rest.call("GET", f"{place.path}?page_size=-1").problem(400, "INVALID_FIELD", "page_size")


@pytest.mark.parametrize("pages", [1, 3])
def test_a_failure_in_mid_body_cuts_the_connection(broken: Rest, pages: int) -> None:
    with pytest.raises(IncompleteRead) as cut:
        broken.call("GET", f"{GROUP}?age_max={pages}")
    assert cut.value.partial.startswith(b'[{"id":"1"')
    assert cut.value.partial.count(b'"id"') == 2 * pages
    assert not cut.value.partial.endswith(b"]")


def test_a_server_killed_in_mid_body_cuts_the_connection(backend: Backend, broken: Rest) -> None:
    backend.dies_at = 2
    with pytest.raises(IncompleteRead):
        broken.call("GET", GROUP)


def test_http_1_0_sees_the_cut_as_a_reset(broken: Rest) -> None:
    with pytest.raises(ConnectionResetError):
        broken.raw(f"GET {GROUP}?age_max=3 HTTP/1.0")


def test_head_reads_one_page_alone(backend: Backend) -> None:
    with gateway(backend.address) as running:
        assert Rest(running.base, "any").call("HEAD", f"{GROUP}?gender=9").status == 200
        running.stop()  # nothing is in flight any more
    assert backend.pages == 1


def test_the_whole_list_takes_constant_memory(backend: Backend) -> None:
    pages, kib = 200, 512  # 200 MiB
    with gateway(backend.address) as running:
        client = Rest(running.base, "any")
        client.call("GET", f"{GROUP}?gender=5&age_min={kib}")
        before = running.memory("VmHWM")
        answer = client.call("GET", f"{GROUP}?gender={pages}&age_min={kib}")
        assert running.memory("VmHWM") - before < 64 << 20  # what the collector lets lie
    assert len(answer.body) > pages * 2 * kib << 10
    assert len(answer.json()) == 2 * pages

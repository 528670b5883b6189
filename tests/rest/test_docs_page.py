"""The page at /docs: what it is made of, and what a real browser makes of it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from rest.wire import Rest

from support.data import make_group, make_place, make_project
from support.peers.browser import Browser, BrowserError, Page
from support.service import Service

FILES = ["/docs", *(f"/docs/{name}" for name in ("page.js", "schema.js", "trying.js", "page.css"))]


@pytest.fixture
def anybody(rest: Rest) -> Rest:
    """A client without a token."""
    return Rest(f"http://{rest.host}", None)


@pytest.fixture(scope="module")
def page(browser: Browser, service: Service) -> Iterator[Page]:
    """The page, shown."""
    opened = browser.open(f"{service.rest}/docs")
    opened.run("whenShown")
    yield opened
    complaints = [text for text in opened.complaints() if "401" not in text]  # which is tried
    assert complaints == []  # nothing that it does is against its own policy


@pytest.mark.parametrize("path", [*FILES, "/docs/element.js"])
def test_it_is_open_to_all_and_strict(anybody: Rest, path: str) -> None:
    answer = anybody.call("GET", path)
    assert answer.status == 200
    kinds = {"docs": "text/html", "js": "text/javascript", "css": "text/css"}
    kind = kinds[re.split(r"[./]", path)[-1]]
    assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["style-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert {policy[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert "unsafe" not in str(policy)
    again = anybody.call("GET", path, headers=[("If-None-Match", answer.headers["ETag"])])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", FILES)
def test_it_needs_nothing_from_elsewhere(anybody: Rest, path: str) -> None:
    assert re.findall(rb"//\S+", anybody.call("GET", path).body) == []


@pytest.mark.parametrize("path", ["/docs/", "/docs/index.html", "/docs/x", "/docs/../docs"])
def test_it_has_no_other_paths(anybody: Rest, path: str) -> None:
    anybody.call("GET", path).problem(404, "UNKNOWN_PATH")


def test_it_shows_every_operation(page: Page, anybody: Rest) -> None:
    document = json.loads(anybody.call("GET", "/openapi.json").body)
    wanted = [o["operationId"] for verbs in document["paths"].values() for o in verbs.values()]
    ids = page.run("[...document.querySelectorAll('.operation')].map(o => o.id)")
    assert sorted(ids) == sorted(wanted)
    text = page.run("document.body.innerText")
    assert all(path in text for path in document["paths"])
    bold = "getComputedStyle(document.querySelector('.verb')).fontWeight"
    assert page.run(bold) == "700"  # the stylesheet is there


OPENED = """(async id => {
  const operation = document.getElementById(id);
  operation.open = true;
  while (operation.children.length === 1) await new Promise(requestAnimationFrame);
  return operation.innerText;
})("%s")"""


def test_an_operation_opens_with_all_that_is_known_of_it(page: Page) -> None:
    text = page.run(OPENED % "BatchCreatePersonas")
    assert "all or nothing" in text
    assert "personas:write" in text
    assert "Idempotency-Key" in text
    assert "Persona[]" in text
    body = json.loads(page.run("document.querySelector('#BatchCreatePersonas textarea').value"))
    assert "full_name" in body["personas"][0]
    assert "project_id" not in body["personas"][0]  # which the server sets


def test_every_operation_can_be_opened(page: Page) -> None:
    ids = page.run("[...document.querySelectorAll('.operation')].map(o => o.id)")
    assert all("Answers" in page.run(OPENED % one) for one in ids)


TRIED = """(async (id, values) => {
  const operation = document.getElementById(id);
  for (const [name, value] of Object.entries(values)) {
    const field = operation.querySelector(`[name="${name}"]`) ?? operation.querySelector(name);
    field.value = value;
  }
  operation.querySelector("button").click();
  const answer = operation.querySelector(".answer");
  while (answer.textContent === "…") await new Promise(requestAnimationFrame);
  return answer.textContent;
})("%s", %s)"""


def tried(page: Page, operation: str, **values: str) -> str:
    """Fill in the form of an operation and send it; return what the page then shows."""
    page.run(OPENED % operation)
    return str(page.run(TRIED % (operation, json.dumps(values))))


def test_an_operation_can_be_tried(page: Page, service: Service) -> None:
    token = service.token(tenant="docs")
    assert tried(page, "ListProjects").startswith("401 ")
    page.run(f"void (document.getElementById('token').value = '{token}')")
    made = tried(page, "CreateProject", textarea='{"name": "<b>Tried</b>"}')
    assert made.startswith("201 ")
    project = json.loads(made.partition("\n\n")[2])
    assert project["name"] == "<b>Tried</b>"
    assert f'"{project["id"]}"' in tried(page, "ListProjects", page_size="1")
    assert tried(page, "GetProject", project_id=project["id"]).startswith("200 ")
    assert page.run("document.querySelectorAll('.answer b').length") == 0
    assert tried(page, "DeleteProject", project_id=project["id"]).startswith("204 ")


def started(page: Page, operation: str) -> Any:
    """Return the body that a form begins with."""
    page.run(OPENED % operation)
    return json.loads(page.run(f"document.querySelector('#{operation} textarea').value"))


def test_what_a_form_begins_with_wants_names_alone(page: Page, service: Service) -> None:
    place = make_place(service.connect(service.token(tenant="docs")))
    page.run(f"void (document.getElementById('token').value = '{service.token(tenant='docs')}')")
    ids = {"project_id": place.project, "group_id": place.group}
    one = started(page, "CreatePersona") | {"full_name": "Mira"}
    assert tried(page, "CreatePersona", textarea=json.dumps(one), **ids).startswith("201 ")
    many = started(page, "BatchCreatePersonas")
    many["personas"][0]["full_name"] = "Mira"
    assert tried(page, "BatchCreatePersonas", textarea=json.dumps(many), **ids).startswith("200 ")
    [response] = started(page, "RecordResponses")["responses"]
    kinds = {"choice", "choices", "rating", "sentiment", "text"}
    assert kinds & response.keys() == {"choice"}  # of which there may be one


def test_a_form_that_changes_begins_with_nothing_to_change(page: Page, service: Service) -> None:
    caller = service.connect(service.token(tenant="docs"))
    project = make_project(caller).id
    group = make_group(caller, project, psychographic_notes="kept").id
    page.run(f"void (document.getElementById('token').value = '{service.token(tenant='docs')}')")
    changes = started(page, "UpdatePersonaGroup")
    assert changes == {}
    changed = tried(
        page,
        "UpdatePersonaGroup",
        textarea=json.dumps(changes | {"name": "another"}),
        project_id=project,
        group_id=group,
    )
    found = json.loads(changed.partition("\n\n")[2])
    assert (found["name"], found["psychographic_notes"]) == ("another", "kept")


@pytest.mark.parametrize("name", ["%", "%E0%A4%A", "no such thing"])
def test_a_name_that_is_none_opens_nothing(browser: Browser, service: Service, name: str) -> None:
    page = browser.open(f"{service.rest}/docs#{name}")
    page.run("whenShown")
    assert page.run("document.querySelectorAll('.operation').length") > 40
    assert page.run("document.querySelectorAll('.operation[open]').length") == 0


def test_it_fits_a_narrow_screen(browser: Browser, service: Service) -> None:
    page = browser.open(f"{service.rest}/docs")
    page.run("whenShown")
    page.narrow(320)
    for one in ("CreatePersona", "ListPersonas", "CompareResponses"):
        page.run(OPENED % one)
        assert page.run("document.documentElement.scrollWidth") <= 320


def test_each_input_has_a_name(page: Page) -> None:
    page.run(OPENED % "CreatePersona")
    nameless = """[...document.querySelectorAll("input, textarea")]
      .filter(field => !field.labels.length && !field.ariaLabel).map(field => field.outerHTML)"""
    assert page.run(nameless) == []


def test_operations_are_found_by_words(page: Page) -> None:
    found = """(words => {
      const find = document.getElementById("find");
      find.value = words;
      find.dispatchEvent(new Event("input"));
      return [...document.querySelectorAll(".operation:not([hidden])")].map(o => o.id);
    })("%s")"""
    assert page.run(found % "library :retire") == ["RetireLibraryPersona"]
    assert page.run(found % "nothing like that") == []
    assert len(page.run(found % "")) > 40


def test_the_policy_holds(browser: Browser, service: Service) -> None:
    page = browser.open(f"{service.rest}/docs")
    page.run("whenShown")
    inline = "const s = document.createElement('script'); document.body.append(s)"
    with pytest.raises(BrowserError, match="Trusted"):
        page.run(f"{inline}; s.text = 'globalThis.ran = 1'")
    with pytest.raises(BrowserError, match="Failed to fetch"):
        page.run("fetch('http://127.0.0.1:1/')")
    assert page.run("globalThis.ran") is None
    assert page.complaints() != []

"""What a page of another origin can do with the service, in a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest.pages import origin
from rest.processes import gateway

from support.peers.browser import Browser, BrowserError, Page
from support.service import Service

# A call by a page, and what the page may see of the answer.
CALL = """fetch("%s", {method: "%s", body: %s, headers: {
    authorization: "Bearer %s", "content-type": "application/json",
    "idempotency-key": crypto.randomUUID()}})
  .then(async a => ({
    status: a.status, text: await a.text(), headers: Object.fromEntries(a.headers)}))
"""
MARIA = r'JSON.stringify({name: "Maria’s"})'


class App:
    """A page of a front end, in a browser, that calls the service."""

    def __init__(self, page: Page, rest: str, token: str) -> None:
        self.page, self.rest, self.token = page, rest, token

    def call(self, method: str, path: str, body: str = "undefined", token: str = "") -> Any:
        """Return status, text and headers of an answer as the page sees them."""
        return self.page.run(CALL % (self.rest + path, method, body, token or self.token))


@pytest.fixture(scope="module")
def app(browser: Browser, service: Service) -> Iterator[App]:
    """A page whose origin is named."""
    with origin() as named, gateway(service.grpc, "--cors-origin", named) as running:
        yield App(browser.open(named), running.base, service.token(tenant="browser"))


def test_a_page_writes_and_reads(app: App) -> None:
    made = app.call("POST", "/api/v1/projects", MARIA)
    assert made["status"] == 201
    assert made["headers"]["x-request-id"]
    assert app.call("POST", "/api/v1/projects", MARIA)["status"] == 201
    where = made["headers"]["location"]
    read = app.call("GET", where)
    assert (read["status"], read["text"]) == (200, made["text"])
    page = app.call("GET", "/api/v1/projects?page_size=1")
    assert 'rel="next"' in page["headers"]["link"]
    assert page["headers"]["x-next-page-token"]
    assert app.call("PATCH", where, MARIA)["status"] == 200
    assert app.call("DELETE", where)["status"] == 204


def test_a_browser_asks_whether_what_it_has_is_still_so(app: App) -> None:
    where = app.call("POST", "/api/v1/projects", MARIA)["headers"]["location"]
    app.page.command("Network.enable")
    first, again = app.call("GET", where), app.call("GET", where)
    assert (again["status"], again["text"]) == (200, first["text"])  # as the page sees it
    app.call("PATCH", where, MARIA.replace("Maria", "Marta"))
    assert app.call("GET", where)["text"] != first["text"]
    app.page.command("Network.disable")
    answers = app.page.said("Network.responseReceivedExtraInfo")
    assert [a["statusCode"] for a in answers if a["statusCode"] != 204] == [200, 304, 200, 200]


def test_a_page_reads_what_is_wrong(app: App) -> None:
    refused = app.call("GET", "/api/v1/projects?page_size=x")
    assert refused["status"] == 400
    assert '"reason":"INVALID_FIELD"' in refused["text"]
    stranger = app.call("GET", "/api/v1/projects", token="nope")
    assert (stranger["status"], stranger["headers"]["www-authenticate"]) == (401, "Bearer")


def test_a_page_of_another_origin_reads_nothing(app: App, browser: Browser) -> None:
    with origin() as elsewhere:
        other = App(browser.open(elsewhere), app.rest, app.token)
        for method in ("GET", "POST"):
            with pytest.raises(BrowserError, match="Failed to fetch"):
                other.call(method, "/api/v1/projects", MARIA if method == "POST" else "undefined")
        with pytest.raises(BrowserError, match="Failed to fetch"):
            other.page.run(f'fetch("{app.rest}/healthz")')

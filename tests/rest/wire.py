"""HTTP as the tests speak it: any path, any header twice, and the shape that every error has."""

import json
import re
import socket
from collections.abc import Iterable, Sequence
from http.client import HTTPConnection, HTTPMessage, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from support.errors import assert_no_leak

Headers = Sequence[tuple[str, str]]
JSON = (("Content-Type", "application/json"),)
TIMEOUT = 60.0

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MEMBERS = {"type", "title", "status", "detail", "code", "reason", "metadata", "violations"}


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes

    def json(self) -> Any:
        """Return the body's one JSON value."""
        assert self.headers["Content-Type"] == "application/json"
        return json.loads(self.body)

    def lines(self) -> list[Any]:
        """Return the values of an NDJSON body."""
        assert self.headers["Content-Type"] == "application/x-ndjson"
        assert self.body == b"" or self.body.endswith(b"\n")
        return [json.loads(line) for line in self.body.splitlines()]

    def problem(self, status: int, reason: str, field: str | None = None) -> dict[str, Any]:
        """Check that this is an error of that kind, whole and without leaks, and return it."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        problem: dict[str, Any] = json.loads(self.body)
        assert (problem["status"], problem["reason"]) == (status, reason), problem
        assert self.status == status
        own = {"reliability"} if reason == "NOT_ELIGIBLE" else set()
        assert set(problem) == _MEMBERS | own
        assert problem["type"] == "about:blank"
        assert isinstance(problem["detail"], str)
        assert isinstance(problem["metadata"], dict)
        fields = [violation["field"] for violation in problem["violations"]]
        assert field is None or field in fields, problem
        assert self.headers["X-Request-Id"]
        assert_no_leak(self.body.decode())
        assert (self.headers["WWW-Authenticate"] == "Bearer") == (status == 401)
        return problem


class Rest:
    """A REST client of one caller; every call has a connection of its own."""

    def __init__(self, base: str, token: str | None) -> None:
        self.host = urlsplit(base).netloc
        self.token = token

    def call(
        self, method: str, path: str, body: Any = None, headers: Headers = (), sent: Headers = JSON
    ) -> Answer:
        """Send a request and read the answer. A body that is no bytes is sent as JSON.

        `sent` are the headers that go with a body. Raises IncompleteRead for an answer that is cut.
        """
        connection = HTTPConnection(self.host, timeout=TIMEOUT)
        try:
            with_body = () if body is None else (*sent, ("Content-Length", str(len(encoded(body)))))
            self._start(connection, method, path, (*with_body, *headers))
            connection.endheaders(None if body is None else encoded(body))
            return _read(connection.getresponse())
        finally:
            connection.close()

    def _start(self, connection: HTTPConnection, method: str, path: str, headers: Headers) -> None:
        connection.putrequest(method, path, skip_accept_encoding=True)
        names = {name.lower() for name, _ in headers}
        if self.token is not None and "authorization" not in names:
            connection.putheader("Authorization", f"Bearer {self.token}")
        for name, value in headers:
            connection.putheader(name, value)

    def raw(self, head: str, body: Iterable[bytes] = ()) -> Answer:
        """Send a request exactly as given: its first line and headers, then the parts of its body.

        The server may answer and close before it has read all of them.
        """
        token = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        host, port = self.host.rsplit(":", 1)
        with socket.create_connection((host, int(port)), TIMEOUT) as connection:
            connection.sendall(f"{head}\r\nHost: {host}\r\n{token}\r\n".encode("latin-1"))
            try:
                for part in body:
                    connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                pass
            response = HTTPResponse(connection, method=head.split(" ", 1)[0])
            response.begin()
            return _read(response)


def encoded(body: Any) -> bytes:
    """Return a body as it goes over the wire."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID in its usual form."""
    return _UUID.fullmatch(text) is not None


def _read(response: HTTPResponse) -> Answer:
    return Answer(response.status, response.headers, response.read())

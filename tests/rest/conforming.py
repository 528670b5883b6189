"""The OpenAPI document, and whether requests and answers are as it says."""

import json
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema_rs import Draft202012Validator
from rest.routes import Route
from rest.wire import Answer

FILE = Path(__file__).parents[2] / "generated/openapi/openapi.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_bytes())
TOLD = {"ETag", "Link", "Location", "Retry-After", "X-Deleted-Count", "X-Next-Page-Token"}


def check(route: Route, path: str, body: Any, answer: Answer) -> None:
    """Check an answer, and the request where the service has taken it."""
    operation = DOCUMENT["paths"][route.path][route.verb.lower()]
    if answer.status < 400:
        check_request(operation, path, body)
    check_answer(operation, answer)


def check_request(operation: dict[str, Any], path: str, body: Any) -> None:
    """Check that all parameters are documented, and that a body is what it may be."""
    parameters = [resolved(each) for each in operation["parameters"]]
    documented = {each["name"] for each in parameters if each["in"] == "query"} | {"request_id"}
    sent = {name.partition("[")[0] for name, _ in parse_qsl(urlsplit(path).query)}
    assert sent <= documented
    if "requestBody" in operation:
        said = {name: value for name, value in (body or {}).items() if name != "request_id"}
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        validate(schema, said)
    else:
        assert body is None


def check_answer(operation: dict[str, Any], answer: Answer) -> None:
    """Check that status, headers, kind and content of an answer are documented."""
    answers = operation["responses"]
    if answer.status < 400:
        assert str(answer.status) in answers
    documented = resolved(answers.get(str(answer.status), answers["default"]))
    assert told(answer.headers) <= set(documented["headers"])
    assert answer.headers["X-Request-Id"]
    if "content" not in documented:
        assert answer.body == b""
        return
    kind = answer.headers["Content-Type"]
    schema = documented["content"][kind]["schema"]
    rows = answer.body.splitlines() if kind == "application/x-ndjson" else [answer.body]
    for row in rows:
        validate(schema, json.loads(row))


def told(headers: Message) -> set[str]:
    """Return which headers an answer has that mean something to its caller."""
    return {name for name in TOLD if name in headers}


def resolved(reference: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference refers to, or what is none."""
    if "$ref" not in reference:
        return reference
    found: Any = DOCUMENT
    for name in reference["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)


_validators: dict[str, Draft202012Validator] = {}


def validate(schema: dict[str, Any], value: Any) -> None:
    """Check a value against a schema of the document. Raises jsonschema_rs.ValidationError."""
    key = json.dumps(schema)
    if key not in _validators:
        whole = schema | {"components": DOCUMENT["components"]}
        _validators[key] = Draft202012Validator(whole, validate_formats=True)
    _validators[key].validate(value)

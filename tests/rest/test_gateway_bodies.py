"""Bodies: exactly one JSON object of known fields, where one belongs, and in no other form."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from rest.conftest import Place
from rest.wire import Rest

MARIA: dict[str, Any] = {
    "full_name": "Maria Santos",
    "age": 34,
    "gender": "female",
    "occupation": "Nurse",
    "location": "Manila, Philippines",
    "income_level": "Middle",
    "personality_traits": ["warm", "thorough", "frugal"],
    "trusted_brands": ["Jollibee"],
    "distrusted_brands": [],
    "digital_habits": "GCash\nTikTok",
    "price_sensitivity": "",
    "psychographic_notes": "Ünïcode, 漢字, 😀",
    "avatar_url": "https://example.com/m.png",
    "attributes": {"education": "BSN"},
}


def test_a_persona_comes_back_as_it_was_sent(rest: Rest, place: Place) -> None:
    answer = rest.call("POST", place.path, MARIA)
    assert answer.status == 201
    made = answer.json()
    assert {name: made[name] for name in MARIA} == MARIA
    assert (made["project_id"], made["group_id"]) == (place.project, place.group)
    assert made["library_persona_id"] is None
    assert b'"library_persona_id":null' in answer.body.replace(b": ", b":")
    assert rest.call("GET", f"{place.path}/{made['id']}").json() == made
    assert rest.call("GET", place.path).json() == [made]


def test_a_body_that_is_only_tried(rest: Rest, place: Place) -> None:
    """Where the body is a resource the query says so, where it is the request the body does."""
    tried = rest.call("POST", f"{place.path}?validate_only=true", MARIA)
    assert (tried.status, tried.json()["id"], tried.json()["age"]) == (201, "", 34)
    assert tried.headers["Location"] is None
    named = rest.call(
        "POST", f"{place.path}?validate_only=true", MARIA | {"id": str(uuid.UUID(int=7))}
    )
    assert (named.json()["id"], named.headers["Location"]) == (str(uuid.UUID(int=7)), None)
    both = {"personas": [MARIA, MARIA], "validate_only": True}
    assert len(rest.call("POST", f"{place.path}:batchCreate", both).json()) == 2
    assert rest.call("GET", place.path).json() == []
    made = rest.call("POST", place.path, MARIA).json()
    path = f"{place.path}/{made['id']}"
    assert rest.call("DELETE", f"{path}?validate_only=true").status == 204
    assert rest.call("GET", path).json() == made


def test_what_is_unset_is_printed(rest: Rest, place: Place) -> None:
    made = rest.call("POST", place.path, {"full_name": "X"}).json()
    assert (made["age"], made["gender"], made["trusted_brands"], made["attributes"]) == (
        None,
        "",
        [],
        {},
    )


def test_both_spellings_of_protobuf_s_json_are_read(rest: Rest, place: Place) -> None:
    made = rest.call("POST", place.path, {"fullName": "X", "avatarUrl": "https://x.org"}).json()
    assert (made["full_name"], made["avatar_url"]) == ("X", "https://x.org")


ONE = [  # what is sent as a persona, and the field that is named
    (b"", "body"),
    (b"null", "body"),
    (b"[]", "body"),
    (b'"text"', "body"),
    (b"1", "body"),
    (b"{", "body"),
    (b"{}}", "body"),
    (b"{} {}", "body"),
    (b"{},", "body"),
    (b"{'full_name': 'X'}", "body"),
    (b'{"full_name": "X",}', "body"),
    (b'\xef\xbb\xbf{"full_name": "X"}', "body"),
    (b'{"full_name": "\xff"}', "body"),
    (b"\x00", "body"),
    (b'{"full_name": "X", "nope": 1}', "nope"),
    (b'{"full_name": "X", "nope": null}', "nope"),
    (b'{"full_name": "X", "full_name": "Y"}', "full_name"),
    (b'{"full_name": "X", "fullName": "X"}', "full_name"),
    (b'{"full_name": 1}', "full_name"),
    (b'{"full_name": ["X"]}', "full_name"),
    (b'{"full_name": "\\ud800"}', "full_name"),
    (b'{"full_name": "X", "age": "old"}', "age"),
    (b'{"full_name": "X", "age": 1.5}', "age"),
    (b'{"full_name": "X", "age": 0}', "age"),
    (b'{"full_name": "X", "age": 4294967296}', "age"),
    (b'{"full_name": "X", "trusted_brands": "A"}', "trusted_brands"),
    (b'{"full_name": "X", "trusted_brands": ["A", 1]}', "trusted_brands[1]"),
    (b'{"full_name": "X", "trusted_brands": [null]}', "trusted_brands[0]"),
    (b'{"full_name": "X", "attributes": {"a": 1}}', "attributes"),
    (b'{"full_name": "X", "attributes": {"a": "1", "a": "2"}}', "attributes"),
    (b'{"full_name": "X", "attributes": []}', "attributes"),
    (b'{"full_name": "X", "created_at": "yesterday"}', "created_at"),
    (b'{"full_name": "X", "created_at": 5}', "created_at"),
    (b'{"full_name": "X", "library_persona_id": {}}', "library_persona_id"),
    (b'{"full_name": "X", "' + b"n" * 5000 + b'": 1}', "n" * 100),
]


@pytest.mark.parametrize(("body", "field"), ONE)
def test_a_bad_persona_is_refused_by_field(
    rest: Rest, place: Place, body: bytes, field: str
) -> None:
    rest.call("POST", place.path, body).problem(400, "INVALID_FIELD", field)
    assert rest.call("GET", place.path).json() == []


MANY = [
    (b"", "personas"),
    (b"null", "body"),
    (b"[]", "body"),
    (b'{"personas": {}}', "personas"),
    (b'{"personas": [null]}', "personas[0]"),
    (b'{"personas": [{"full_name": "X"}, []]}', "personas[1]"),
    (b'{"personas": [{"full_name": "X"}, {"age": {}}]}', "personas[1].age"),
    (b'{"personas": [{"full_name": "X"}, {"nope": 1}]}', "personas[1].nope"),
    (b'{"personas": [{"full_name": "X"}, {"full_name": ""}]}', "personas[1].full_name"),
    (b'{"persona": {}}', "persona"),
    (b'{"personas": [{"full_name": "X"}], "group_id": "other"}', "group_id"),
    (b'{"personas": [{"full_name": "X"}], "request_id": "nope"}', "request_id"),
]


@pytest.mark.parametrize(("body", "field"), MANY)
def test_a_bad_batch_is_refused_by_field(rest: Rest, place: Place, body: bytes, field: str) -> None:
    rest.call("POST", f"{place.path}:batchCreate", body).problem(400, "INVALID_FIELD", field)
    assert rest.call("GET", place.path).json() == []


def test_a_batch_may_repeat_its_path(rest: Rest, place: Place) -> None:
    body = {"project_id": place.project.upper(), "personas": [{"full_name": "X"}]}
    assert rest.call("POST", f"{place.path}:batchCreate", body).status == 200


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "application/json, text/plain",
        "application/merge-patch+json",
        "json",
        "",
    ],
)
def test_another_content_type_is_415(rest: Rest, place: Place, kind: str) -> None:
    answer = rest.call("POST", place.path, MARIA, sent=[("Content-Type", kind)])
    answer.problem(415, "INVALID_FIELD", "Content-Type")
    none = rest.call("PATCH", f"/api/v1/projects/{place.project}", {"name": "X"}, sent=())
    none.problem(415, "INVALID_FIELD", "Content-Type")


def test_a_charset_of_utf8_is_taken(rest: Rest, place: Place) -> None:
    sent = [("Content-Type", "application/json; charset=UTF-8")]
    assert rest.call("POST", place.path, {"full_name": "X"}, sent=sent).status == 201


def test_a_body_where_none_belongs_is_refused(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    (known,) = filled(1)
    for method in ("DELETE", "GET"):
        for path in (place.path, f"{place.path}/{known}", f"/api/v1/projects/{place.project}"):
            rest.call(method, path, {"persona_id": known}).problem(400, "INVALID_FIELD", "body")
    head = f"DELETE {place.path} HTTP/1.1\r\nTransfer-Encoding: chunked"
    rest.raw(head, [b"2\r\n{}\r\n0\r\n\r\n"]).problem(400, "INVALID_FIELD", "body")
    assert len(rest.call("GET", place.path).json()) == 1


def test_no_bytes_in_chunks_are_no_body(rest: Rest, place: Place) -> None:
    head = f"DELETE {place.path} HTTP/1.1\r\nTransfer-Encoding: chunked"
    assert rest.raw(head, [b"0\r\n\r\n"]).status == 204


def test_a_chunked_body_is_read(rest: Rest, place: Place) -> None:
    body = json.dumps({"full_name": "X"}).encode()
    head = (
        f"POST {place.path} HTTP/1.1\r\n"
        "Transfer-Encoding: chunked\r\nContent-Type: application/json"
    )
    parts = [f"{len(body):x}\r\n".encode(), body, b"\r\n0\r\n\r\n"]
    assert rest.raw(head, parts).json()["full_name"] == "X"


def test_statuses_of_success(rest: Rest) -> None:
    project = rest.call("POST", "/api/v1/projects", {"name": "X"})
    path = f"/api/v1/projects/{project.json()['id']}"
    group = rest.call("POST", f"{path}/persona-groups", {"name": "X"})
    group_path = f"{path}/persona-groups/{group.json()['id']}"
    persona = rest.call("POST", f"{group_path}/personas", {"full_name": "X"})
    batch = {"personas": [{"full_name": "Y"}]}
    assert [a.status for a in (project, group, persona)] == [201, 201, 201]
    assert rest.call("POST", f"{group_path}/personas:batchCreate", batch).status == 200
    assert rest.call("PATCH", group_path, {"name": "Z"}).status == 200
    one = f"{group_path}/personas/{persona.json()['id']}"
    for gone in (one, f"{group_path}/personas", group_path, path):
        answer = rest.call("DELETE", gone)
        assert (answer.status, answer.body) == (204, b"")
        assert answer.headers["Content-Type"] is None
        assert answer.headers["Content-Length"] is None
        assert answer.headers["X-Request-Id"]


def test_a_word_that_a_field_does_not_know_is_told_those_that_it_does(
    rest: Rest, place: Place
) -> None:
    path = f"/api/v1/projects/{place.project}/responses:compare"
    body = {"targets": [{"question": {"key": "q", "kind": "RATING"}, "shares": [1]}]}
    answer = rest.call("POST", path, body).problem(400, "INVALID_FIELD", "targets[0].question.kind")
    assert "must be one of QUESTION_KIND_CHOICE, " in answer["detail"]

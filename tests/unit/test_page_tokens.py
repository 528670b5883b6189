"""Page tokens and page limits."""

import base64
from dataclasses import replace

import pytest

from persona.v1.persona_service_pb2 import ExportPersonasRequest, ListPersonasRequest
from persona.v1.project_service_pb2 import ListProjectsRequest
from persona_server.errors import ServiceError
from persona_server.services.call import Call
from persona_server.services.paging import (
    MAX_PAGE_BYTES,
    MAX_PAGE_SIZE,
    PageTokens,
    page_limit,
)

KEY, POSITION, START = b"k" * 32, b"p" * 24, b""
CALL = Call("ListPersonas", "acme", "me")
REQUEST = ListPersonasRequest(project_id="p", group_id="g", gender="Female", page_size=3)
TOKENS = PageTokens(KEY)
TOKEN = TOKENS.make(CALL, REQUEST, POSITION)


@pytest.mark.parametrize(
    ("size", "longest", "limit"),
    [
        (0, 1, 1000),
        (1, 1, 1),
        (999, 1, 999),
        (1000, 1, 1000),
        (1001, 1, 1000),
        (2**31 - 1, 1, 1000),
        (0, 0, 1000),  # an empty group
        (0, MAX_PAGE_BYTES // 1000, 1000),
        (0, MAX_PAGE_BYTES // 1000 + 4, 998),
        (0, 65_536, 48),
        (10, 65_536, 10),
        (0, MAX_PAGE_BYTES, 1),
        (0, MAX_PAGE_BYTES * 2, 1),  # never none, or a walk would not go on
    ],
)
def test_page_limit(size: int, longest: int, limit: int) -> None:
    assert page_limit(size, longest) == limit
    assert limit * longest <= max(MAX_PAGE_BYTES, longest)


def test_a_page_leaves_room_in_a_message() -> None:
    assert MAX_PAGE_BYTES == 3 << 20
    assert MAX_PAGE_SIZE == 1000


def refused(tokens: PageTokens, call: Call, request: object, token: str) -> bool:
    with pytest.raises(ServiceError) as error:
        tokens.read(call, request, token, START)  # type: ignore[arg-type]
    return error.value.reason_name == "INVALID_PAGE_TOKEN"


def test_token_continues_where_it_was_made() -> None:
    assert TOKENS.read(CALL, REQUEST, TOKEN, START) == POSITION
    assert PageTokens(KEY).read(CALL, REQUEST, TOKEN, START) == POSITION  # another replica
    assert TOKENS.read(CALL, REQUEST, "", b"start") == b"start"


def changed(**fields: object) -> ListPersonasRequest:
    request = ListPersonasRequest()
    request.CopyFrom(REQUEST)
    for name, value in fields.items():
        if name == "attributes":
            request.attributes["other"] = str(value)
        else:
            setattr(request, name, value)
    return request


@pytest.mark.parametrize(
    "fields", [{"page_size": 0}, {"page_size": 1000}, {"page_token": TOKEN}, {"page_token": "x"}]
)
def test_page_size_may_change(fields: dict[str, object]) -> None:
    assert TOKENS.read(CALL, changed(**fields), TOKEN, START) == POSITION


@pytest.mark.parametrize(
    "fields",
    [
        {field.name: 7 if field.type == field.TYPE_INT32 else "other"}
        for field in ListPersonasRequest.DESCRIPTOR.fields
        if field.name not in ("page_size", "page_token")
    ],
    ids=str,
)
def test_every_other_argument_is_bound(fields: dict[str, object]) -> None:
    """Generated from the request, so that a new filter is bound from its first day."""
    assert refused(TOKENS, CALL, changed(**fields), TOKEN)


def test_what_ends_a_request_does_not_begin_a_position() -> None:
    """A field that is left out, and put before the position: what is signed would be the same."""
    raw = base64.urlsafe_b64decode(TOKEN + "==")
    for name in ("project_id", "group_id", "gender"):  # all that it has but its size
        alone = ListPersonasRequest(**{name: getattr(REQUEST, name)})
        forged = base64.urlsafe_b64encode(alone.SerializeToString() + raw).decode().rstrip("=")
        assert refused(TOKENS, CALL, changed(**{name: ""}), forged), name


@pytest.mark.parametrize(
    "call", [replace(CALL, method="ExportPersonas"), replace(CALL, tenant="other")]
)
def test_method_and_tenant_are_bound(call: Call) -> None:
    assert refused(TOKENS, call, REQUEST, TOKEN)


def test_caller_and_deadline_are_not_bound() -> None:
    call = replace(CALL, actor="another", deadline=1.0)
    assert TOKENS.read(call, REQUEST, TOKEN, START) == POSITION


def test_another_databases_token_is_refused() -> None:
    assert refused(PageTokens(b"x" * 32), CALL, REQUEST, TOKEN)


def test_other_kinds_of_requests_have_tokens_of_their_own() -> None:
    export = ExportPersonasRequest(project_id="p", group_id="g", gender="Female")
    call = replace(CALL, method="ExportPersonas")
    token = TOKENS.make(call, export, POSITION)
    assert TOKENS.read(call, export, token, START) == POSITION
    assert refused(TOKENS, CALL, REQUEST, token)
    assert refused(TOKENS, CALL, ListProjectsRequest(), TOKEN)


RAW = base64.urlsafe_b64decode(TOKEN + "==")


@pytest.mark.parametrize("i", range(len(RAW)))
def test_no_byte_can_change(i: int) -> None:
    raw = bytearray(RAW)
    raw[i] ^= 1
    token = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert refused(TOKENS, CALL, REQUEST, token)


@pytest.mark.parametrize(
    "token", ["x", "%%%%", "é", TOKEN[:-4], TOKEN + "AAAA", "A" * 10_000, TOKEN + "\n", "=", "\0"]
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert refused(TOKENS, CALL, REQUEST, token)

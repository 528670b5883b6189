"""The order of the interceptors, shown by what they do: log, metrics, shield, who, what."""

import urllib.request
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from persona.v1 import persona_service_pb2 as pb
from persona_server.identity.tokens import LocalKey
from support.data import Place, rich_persona, uid
from support.errors import Problem, refusal_of
from support.service import Service
from support.waiting import eventually

CREATE = "/persona.v1.PersonaService/CreatePersona"
MALFORMED = b"\x0a\xff"  # a length that is longer than the message
BAD_TEXT = b"\x0a\x01\xff"  # a string that is not UTF-8
BAD_FIELD = pb.CreatePersonaRequest(project_id="x").SerializeToString()


@pytest.fixture
def channel(service: Service) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(service.grpc) as opened:
        yield opened


class Caller:
    """Sends bytes, and finds what the service logged about it."""

    def __init__(self, service: Service, channel: grpc.Channel, key: LocalKey) -> None:
        self.service = service
        self.channel = channel
        self.key = key

    def refused(self, raw: bytes, token: str, request_id: str) -> Problem:
        metadata = [("x-request-id", request_id)]
        metadata += [("authorization", f"Bearer {token}")] if token else []
        call: Any = self.channel.unary_unary(CREATE)
        return refusal_of(lambda: call(raw, metadata=tuple(metadata)))

    def request_id(self, given: str) -> str:
        """Return the request id that comes back with the refusal of a call."""
        call: Any = self.channel.unary_unary(CREATE)
        with pytest.raises(grpc.RpcError) as refused:
            call(b"", metadata=(("x-request-id", given),))
        error: Any = refused.value
        return str(dict(error.trailing_metadata())["x-request-id"])

    def logged(self, request_id: str) -> dict[str, Any]:
        def entry() -> dict[str, Any]:
            lines = list(self.service.log)
            return next((x for x in lines if x.get("request_id") == request_id), {})

        return eventually(entry)

    def counted(self, code: str) -> float:
        """Return how many CreatePersona calls have ended with a code."""
        return samples(self.service).get(
            f'persona_rpc_total{{code="{code}",method="CreatePersona"}}', 0.0
        )


def samples(service: Service) -> dict[str, float]:
    """Return the service's metrics by name and labels."""
    with urllib.request.urlopen(service.metrics) as answer:
        lines = answer.read().decode().splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {name: float(value) for name, value in pairs}


@pytest.fixture
def sender(service: Service, channel: grpc.Channel, key: LocalKey) -> Caller:
    return Caller(service, channel, key)


# (what comes, the scopes of its token or None for a bad one, who refuses it)
CASES = [
    (MALFORMED, None, "UNAUTHENTICATED", "UNAUTHENTICATED"),
    (BAD_FIELD, None, "UNAUTHENTICATED", "UNAUTHENTICATED"),
    (MALFORMED, "personas:read", "PERMISSION_DENIED", "PERMISSION_DENIED"),
    (BAD_FIELD, "personas:read", "PERMISSION_DENIED", "PERMISSION_DENIED"),
    (MALFORMED, "personas:write", "INVALID_FIELD", "INVALID_ARGUMENT"),
    (BAD_TEXT, "personas:write", "INVALID_FIELD", "INVALID_ARGUMENT"),
    (BAD_FIELD, "personas:write", "INVALID_FIELD", "INVALID_ARGUMENT"),
]


@pytest.mark.parametrize(("raw", "scopes", "reason", "code"), CASES)
def test_who_refuses_first(
    sender: Caller, tenant: str, raw: bytes, scopes: str | None, reason: str, code: str
) -> None:
    """Whoever it is, the call is logged and counted with the outcome that the client sees."""
    token = "bad" if scopes is None else sender.key.issue(tenant, "me", [scopes], 60)
    before, request_id = sender.counted(code), uid()
    problem = sender.refused(raw, token, request_id)
    assert (problem.reason, problem.code.name) == (reason, code)
    entry = sender.logged(request_id)
    assert (entry["method"], entry["code"], entry["reason"]) == ("CreatePersona", code, reason)
    assert entry.get("tenant") == (tenant if reason != "UNAUTHENTICATED" else None)
    assert sender.counted(code) >= before + 1


def test_malformed_bytes_name_the_request(sender: Caller, tenant: str) -> None:
    token = sender.key.issue(tenant, "me", ["all"], 60)
    assert set(sender.refused(MALFORMED, token, uid()).fields) == {"request"}


def test_a_call_is_logged_as_promised(sender: Caller, place: Place, tenant: str) -> None:
    request = pb.CreatePersonaRequest(**place.ids, persona=rich_persona())
    request_id = uid()
    place.caller.personas.CreatePersona(request, metadata=(("x-request-id", request_id),))
    entry = sender.logged(request_id)
    assert entry["message"] == "call"
    assert entry["level"] == "info"
    assert entry["time"].endswith("Z")
    assert (entry["method"], entry["code"], entry["tenant"]) == ("CreatePersona", "OK", tenant)
    assert isinstance(entry["duration_ms"], int | float)
    assert not {"reason", "error_id"} & set(entry)
    assert 0 <= entry["waited_ms"] <= entry["duration_ms"]
    assert entry["peer"].startswith("127.0.0.1:")
    known = {"time", "level", "message", "request_id", "method", "code", "tenant"}
    assert set(entry) == known | {"duration_ms", "waited_ms", "peer"}


@pytest.mark.parametrize("given", ["two words", "x" * 129, 'a" b'])
def test_a_request_id_that_could_forge_a_line_is_replaced(sender: Caller, given: str) -> None:
    found = sender.request_id(given)
    assert found != given
    assert found.isascii()
    assert " " not in found


def test_the_request_id_comes_back_with_an_error(sender: Caller) -> None:
    for given in (uid(), "x" * 128, '!"{}~'):
        assert sender.request_id(given) == given


@pytest.mark.parametrize("given", ["", "mine"])
def test_the_request_id_comes_back_with_an_answer(sender: Caller, place: Place, given: str) -> None:
    """Whatever kind of call it was, and whoever made the id."""
    personas, ids = place.caller.personas, place.ids
    metadata = (("x-request-id", f"{given}-{uid()}"),) if given else ()
    start = pb.ImportPersonasRequest(start=pb.ImportStart(**ids, import_id=uid()))
    listed = personas.ListPersonas.with_call(pb.ListPersonasRequest(**ids), metadata=metadata)[1]
    exported = personas.ExportPersonas(pb.ExportPersonasRequest(**ids), metadata=metadata)
    imported = personas.ImportPersonas(iter([start]), metadata=metadata)
    assert len([*exported, *imported]) == 1
    told = [dict(call.trailing_metadata())["x-request-id"] for call in (listed, exported, imported)]
    assert set(told) == set(dict(metadata).values()) or (not given and len(set(told)) == 3)
    assert sender.logged(str(told[0]))["code"] == "OK"


def test_the_version_of_a_list_comes_behind_its_pages(place: Place) -> None:
    def version() -> str:
        request = pb.ListPersonasRequest(**place.ids, page_size=1)
        call: Any = place.caller.personas.ListPersonas.with_call(request)[1]
        return str(dict(call.trailing_metadata())["etag"])

    seen = [version()]
    first = place.create(rich_persona())
    seen.append(version())
    place.create(rich_persona())
    seen.append(version())
    place.caller.personas.DeletePersona(pb.DeletePersonaRequest(**place.ids, persona_id=first.id))
    seen.append(version())
    place.caller.personas.DeleteAllPersonas(pb.DeleteAllPersonasRequest(**place.ids))
    seen.append(version())
    assert len(set(seen)) == 5
    assert version() == seen[-1]


def test_neither_tokens_nor_personas_are_logged(
    sender: Caller, place: Place, service: Service, tenant: str
) -> None:
    marks = {name: f"mark-{name}-{uid()}" for name in ("full_name", "occupation", "location")}
    marks["digital_habits"] = f"mark-digital_habits-{uid()}"
    token = sender.key.issue(tenant, "me", ["personas:read"], 60)
    place.create(rich_persona(**marks))
    sender.refused(
        pb.CreatePersonaRequest(project_id=marks["full_name"]).SerializeToString(), token, uid()
    )
    refusal_of(lambda: place.create(rich_persona(**marks, age=999)))
    refusal_of(lambda: place.page(page_token=marks["location"]))
    place.walk(location=marks["location"])
    last = uid()
    sender.refused(MALFORMED, token + "x", last)
    sender.logged(last)
    text = "\n".join(map(str, list(service.log)))
    for secret in (*marks.values(), token, token.split(".")[2], "mark-"):
        assert secret not in text
    assert tenant in text


def test_unknown_methods_are_unimplemented(channel: grpc.Channel) -> None:
    for path in ("/persona.v1.PersonaService/Nothing", "/persona.v1.Nothing/ListPersonas", "/x"):
        call: Any = channel.unary_unary(path)
        with pytest.raises(grpc.RpcError) as refused:
            call(b"")
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED

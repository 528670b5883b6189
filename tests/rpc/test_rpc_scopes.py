"""Who may call what, generated from the contract's table: all scopes of an entry are needed."""

import itertools

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from rpc.conftest import Connect
from rpc.test_rpc_unknown_fields import REQUESTS, send

from persona_server.identity.scopes import SCOPES as KNOWN
from persona_server.transport.methods import RPCS
from support.data import Place, uid
from support.errors import refusal_of

DENIED = grpc.StatusCode.PERMISSION_DENIED
CASES = [pytest.param(method, id=method.name) for method in REQUESTS.values()]
NOWHERE = uid()


def reason(connect: Connect, method: MethodDescriptor, scopes: tuple[str, ...]) -> tuple[str, str]:
    """Return why an empty request is refused with these scopes, and which scopes are missing."""
    place = Place(connect(scopes=" ".join(scopes)), NOWHERE, NOWHERE)
    request = GetMessageClass(method.input_type)()
    # An unknown field makes sure that no call gets further than validation.
    request.MergeFromString(b"\x98\xdb\x02\x01")
    problem = refusal_of(lambda: send(place, method, request))
    return problem.reason, problem.metadata.get("missing_scopes", "")


@pytest.mark.parametrize("method", CASES)
def test_every_set_of_scopes(connect: Connect, method: MethodDescriptor) -> None:
    needed = set(RPCS[method.full_name].scopes)
    for count in range(len(KNOWN) + 1):
        for scopes in itertools.combinations(KNOWN, count):
            why, missing = reason(connect, method, scopes)
            if needed <= set(scopes):
                assert why == "INVALID_FIELD"
            else:
                assert why == "PERMISSION_DENIED"
                assert set(missing.split()) == needed - set(scopes)


@pytest.mark.parametrize("method", CASES)
def test_a_missing_scope_is_permission_denied(connect: Connect, method: MethodDescriptor) -> None:
    place = Place(connect(scopes=""), NOWHERE, NOWHERE)
    request = GetMessageClass(method.input_type)()
    problem = refusal_of(lambda: send(place, method, request))
    assert (problem.reason, problem.code) == ("PERMISSION_DENIED", DENIED)

"""Who calls while a database is upgraded: only the server's own gateway's word for it counts."""

import pytest

from persona.v1.persona_service_pb2 import ListPersonasRequest
from persona_server.errors import database_unavailable
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.methods import Method
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.rpc import Rpc
from persona_server.transport.standin import refusing_steps

LIST = Method(
    "persona.v1.PersonaService", "ListPersonas", "read", ("personas:read",), ListPersonasRequest
)
FORWARDED = ("persona-caller-address", "192.0.2.7")


@pytest.mark.parametrize(("secret", "address"), [("known", "192.0.2.7"), ("guessed", ""), ("", "")])
def test_only_its_own_gateway_says_whose_calls_it_brings(secret: str, address: str) -> None:
    """Else a storm would go on under new addresses, and none of them be shut out."""
    guards = Guards()
    guards.gateway.secret = "known"
    brought = [FORWARDED, ("persona-gateway-secret", secret)] if secret else [FORWARDED]
    rpc = Rpc(LIST, brought)
    assert not Pipeline(refusing_steps(database_unavailable, guards)).admit(rpc)
    assert rpc.refusal is not None
    assert rpc.forwarded == address

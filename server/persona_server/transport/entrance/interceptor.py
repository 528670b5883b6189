"""Where calls come in: each is let in or refused as soon as its headers are there."""

from collections.abc import Callable
from typing import Any, NamedTuple

import grpc

from persona_server.transport.entrance.intake import Intake
from persona_server.transport.entrance.refusals import Refusals
from persona_server.transport.errors import crowded
from persona_server.transport.methods import Method
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.rpc import Rpc


class _Row(NamedTuple):
    method: Method
    intake: Intake
    handler: Callable[[Rpc], Any]
    admit: Callable[[Rpc], bool]


class EntranceInterceptor(grpc.ServerInterceptor):
    """The RPCs of a server. grpcio asks it on its event thread, so nothing here waits.

    Those that anybody may call are registered with gRPC's core, which then has a queue of arrived
    calls for each: a storm of them neither fills that of the others nor is in front of their calls.
    What is registered has one handler for all calls; so this stands before it, and returns one for
    each. The others are not: it costs a Get a thirtieth.
    """

    def __init__(self, pipeline: Pipeline, refusals: Refusals) -> None:
        self._pipeline = pipeline
        self._refusals = refusals
        self._rows: dict[str, _Row] = {}

    def add(self, method: Method, intake: Intake, handler: Callable[[Rpc], Any]) -> None:
        """Add an RPC; `handler` makes what grpcio calls for one call, `intake` takes it then."""
        self._rows[method.path] = _Row(method, intake, handler, self._pipeline.admit)

    def add_open(self, method: Method, intake: Intake, handler: Callable[[Rpc], Any]) -> None:
        """Add an RPC whose calls are let in whoever makes them, also while the server stops."""
        self._rows[method.path] = _Row(method, intake, handler, _let_in)

    def register(self, server: grpc.Server) -> None:
        """Tell a server of the RPCs that anybody may call, before it starts."""
        never_asked: Any = grpc.unary_unary_rpc_method_handler(lambda _request, _context: None)
        for row in (one for one in self._rows.values() if one.admit is _let_in):
            names = {row.method.name: never_asked}
            server.add_registered_method_handlers(row.method.service, names)

    def intercept_service(
        self, _continuation: object, handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        """Return the handler of a call, or of its refusal."""
        found = self._rows.get(handler_call_details.method)
        if found is None:
            return self._refusals.unknown()
        rpc = Rpc(found.method, handler_call_details.invocation_metadata or ())
        if not found.admit(rpc):
            return self._refusals.handler(rpc)
        if not found.intake.has_room(rpc):  # grpcio's thread would end of what is raised later
            self._pipeline.fail(rpc, crowded())
            return self._refusals.handler(rpc)
        return found.handler(rpc)


def _let_in(rpc: Rpc) -> bool:
    rpc.forwarded = ""  # no gateway passes such a call on, whatever it says
    return True

"""Calls of every RPC with a deadline, and what became of them on both sides of it."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import grpc

from persona_server.transport.methods import Method, PoolName
from persona_server.transport.steps import LEFT
from support.data import uid
from support.dbfile import DatabaseFile
from support.requests.world import World
from support.rpcs import Answer, bearer, send, start_of
from support.service import Caller, Service
from support.waiting import eventually

DEADLINE = 0.3  # seconds
LATE = 0.25  # beyond it, at most
BACK_SECONDS = 5.0  # until all is answered again, once the database is back
TRIES = 8
SOON = 10.0  # seconds within which the log has a call that has come
AT_ONCE: dict[PoolName, int] = {"read": 4, "heavy": 2, "write": 3, "stream": 2}
_READER = "reader"  # the tenant of all that change nothing


def is_change(method: Method) -> bool:
    """Return whether an RPC changes something."""
    return method.has_request_id or method.streams_in


class Call(NamedTuple):
    """A call of an RPC, which can be made again: a write is the same one then."""

    method: Method
    messages: list[Any]
    caller: Caller
    token: str
    tenant: str
    id: str  # by which the log has its first try

    def send(self, deadline: float = 30.0, log_id: str = "") -> Answer:
        """Make the call."""
        metadata = [*bearer(self.token), ("x-request-id", log_id or uid())]
        return send(self.caller.channel, self.method, self.messages, metadata, deadline)


class Ended(NamedTuple):
    """How a call that got no answer has ended: its code on the server, and whether in time."""

    name: str
    code: str
    in_time: bool


def in_time(name: str) -> Ended:
    """Return how a call of an RPC ends that has done nothing."""
    return Ended(name, "DEADLINE_EXCEEDED", in_time=True)


class Calls:
    """Calls to a service that succeed; of each RPC that changes something by a tenant of its own.

    So those don't wait for each other's turn to write.
    """

    def __init__(self, service: Service, file: DatabaseFile) -> None:
        self._service, self._file = service, file
        self._tenants: dict[str, tuple[World, str]] = {}
        self._recorded: dict[str, int] = {}  # before a call, by its id

    def make(self, method: Method, *, validate_only: bool = False) -> Call:
        """Return a call that was not made yet."""
        tenant = method.name.lower() if is_change(method) else _READER
        if tenant not in self._tenants:
            token = self._service.token(tenant)
            self._tenants[tenant] = World(self._service.connect(token)), token
        world, token = self._tenants[tenant]
        messages = world.messages(method, uid() if method.has_request_id else "")
        if validate_only:
            start_of(messages[0]).validate_only = True
        call = Call(method, messages, world.caller, token, tenant, uid())
        self._recorded[call.id] = self._audited(call)
        return call

    def anew(self) -> None:
        """Let calls that are made from now on be about something new."""
        self._tenants.clear()

    def counts(self, call: Call) -> dict[str, int]:
        """Return how many rows its tenant has in each table."""
        return self._file.counts(call.tenant)

    def recorded(self, call: Call) -> int:
        """Return how many rows of the audit trail are of a call."""
        return self._audited(call) - self._recorded[call.id]

    def _audited(self, call: Call) -> int:
        rows = self._file.audit(call.tenant)
        return sum(1 for row in rows if row.method == call.method.name)

    def at_once(
        self, calls: Sequence[Call], deadline: float = DEADLINE, tries: int = TRIES
    ) -> list[Ended]:
        """Make calls that get no answer, some of each pool at a time, and tell how each has ended.

        Each finds a thread: the next one is made when the last one has left its own. One that ends
        late is tried again, since others use the machine.
        """

        def made(call: Call) -> Ended:
            ended = self._made(call, deadline)
            left = tries - 1
            while left and not ended.in_time:
                ended, left = self._made(call._replace(id=uid()), deadline), left - 1
            return ended

        pools = {name: ThreadPoolExecutor(AT_ONCE[name]) for name in {c.method.pool for c in calls}}
        try:
            ended = [pools[call.method.pool].submit(made, call) for call in calls]
            return [future.result() for future in ended]
        finally:
            for pool in pools.values():
                pool.shutdown(cancel_futures=True)

    def _made(self, call: Call, deadline: float) -> Ended:
        """Make a call once. Who waits for a thread holds none: so that does not count."""
        began = time.monotonic()
        answer = call.send(deadline, call.id)
        seconds = time.monotonic() - began
        if answer.code == grpc.StatusCode.UNAVAILABLE:
            assert answer.problem.retry, call.method.name
        else:
            assert answer.code == grpc.StatusCode.DEADLINE_EXCEEDED, call.method.name
        soon = time.monotonic() + SOON
        eventually(lambda: self._line(call) or time.monotonic() > soon)
        if not (line := self._line(call)):  # its time was over before the server had it
            return Ended(call.method.name, answer.code.name, in_time=False)
        over = line["duration_ms"] / 1000 - max(deadline, line["waited_ms"] / 1000)
        code = line["code"]
        if code == LEFT and answer.code == grpc.StatusCode.DEADLINE_EXCEEDED:
            code = answer.code.name  # the client's came first, by what its headers were under way
        return Ended(call.method.name, code, max(seconds - deadline, over) < LATE)

    def _line(self, call: Call) -> dict[str, Any]:
        lines = list(self._service.log)
        found = (one for one in lines if one.get("request_id") == call.id and "duration_ms" in one)
        return next(found, {})

"""One call on its way through the pipeline, as a front hands it over: no gRPC object is in it."""

import itertools
import os
import re
import time
from collections.abc import Iterable
from typing import NamedTuple

import grpc

from persona_server.principal import Principal
from persona_server.services.call import Call
from persona_server.transport.arrivals import arrival
from persona_server.transport.methods import Method

_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_PROCESS = os.urandom(6).hex()
_numbers = itertools.count(1)


class Refusal(NamedTuple):
    """How a refused call ends: the status and the metadata behind it, for a front to send."""

    code: grpc.StatusCode
    details: str
    trailing: tuple[tuple[str, str | bytes], ...]


class ClientGone(Exception):  # noqa: N818 (it is no error of ours)
    """The client cancelled its stream, or its connection is gone."""


class Rpc:
    """One call: what came with it, and what the steps of the pipeline find out about it.

    `deadline` is on the monotonic clock, None without one. `principal` and `call` are None until
    the caller is authenticated, `refusal` until the call is refused.
    """

    __slots__ = (
        "authorizations",
        "call",
        "code",
        "deadline",
        "error_id",
        "keys",
        "method",
        "peer",
        "principal",
        "reason",
        "refusal",
        "request_id",
        "started",
        "waited",
    )

    def __init__(
        self,
        method: Method,
        metadata: Iterable[tuple[str, str | bytes]],
        time_remaining: float | None,
        peer: str = "",
    ) -> None:
        """Take a call with its metadata, the seconds that its caller waits, and who sent it.

        `time_remaining` is None if the caller did not say, `peer` the connection's other end.
        """
        self.started, self.waited = arrival()
        self.peer = peer
        self.method = method
        self.deadline = None if time_remaining is None else time.monotonic() + time_remaining
        self.principal: Principal | None = None
        self.call: Call | None = None
        self.code = "OK"
        self.reason = ""
        self.error_id = ""
        self.refusal: Refusal | None = None
        self.request_id = ""
        self.authorizations: list[str] = []
        self.keys: list[str] = []
        for key, value in metadata:
            if key == "authorization":
                self.authorizations.append(str(value))
            elif key == "idempotency-key":
                self.keys.append(str(value))
            elif key == "x-request-id" and _REQUEST_ID.fullmatch(str(value)):
                self.request_id = str(value)
        # Correlation only; a value that could forge a log line is replaced.
        self.request_id = self.request_id or f"{_PROCESS}-{next(_numbers)}"

    @property
    def tenant(self) -> str:
        """The caller's tenant, "" as long as nobody is known."""
        return self.principal.tenant if self.principal else ""

    def authenticated(self) -> Call:
        """Return what a service needs to know. The call is authenticated."""
        assert self.call is not None
        return self.call

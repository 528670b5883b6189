"""The client: one connection, all calls."""

import os
from typing import Self

from persona_client.calls import Connection
from persona_client.channels import TlsFiles
from persona_client.retry import RetryPolicy
from persona_client.services.comparison import ComparisonCalls
from persona_client.services.copies import CopyCalls
from persona_client.services.projects import ProjectCalls
from persona_client.services.promotions import PromotionCalls
from persona_client.services.responses import ResponseCalls
from persona_client.services.simulations import SimulationCalls

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_TIMEOUT = 10.0


class PersonaClient(
    ProjectCalls, CopyCalls, ResponseCalls, SimulationCalls, PromotionCalls, ComparisonCalls
):
    """A connection to persona-service; thread-safe, and a context manager that closes it.

    `address` is "host:port", or "https://host:port" where the service has TLS; `tls` then names
    files, if the system's roots do not do. `token` is what `persona token` prints. `timeout` is the
    deadline of a call with all its tries, in seconds, unless a call names its own.
    With `validate_only` a change is checked, and answered or refused as without it, but not made.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        token: str = "",
        *,
        timeout: float = DEFAULT_TIMEOUT,
        retry: RetryPolicy | None = None,
        tls: TlsFiles | None = None,
    ) -> None:
        retry, tls = retry or RetryPolicy(), tls or TlsFiles()
        super().__init__(Connection(address, token, timeout, retry, tls))

    @classmethod
    def from_environment(
        cls, *, timeout: float = DEFAULT_TIMEOUT, retry: RetryPolicy | None = None
    ) -> Self:
        """Return a client for PERSONA_ADDRESS (default 127.0.0.1:50051) with PERSONA_TOKEN.

        Files of TLS are those that PERSONA_TLS_CA, PERSONA_CLIENT_CERT and PERSONA_CLIENT_KEY name.
        """
        address = os.environ.get("PERSONA_ADDRESS") or DEFAULT_ADDRESS
        token = os.environ.get("PERSONA_TOKEN", "").strip()
        files = TlsFiles.from_environment()
        return cls(address, token, timeout=timeout, retry=retry, tls=files)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

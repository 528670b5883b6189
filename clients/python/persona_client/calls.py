"""What every call shares: channel, token, deadline and tries."""

import uuid
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from persona_client.channels import TlsFiles, open_channel
from persona_client.errors import from_rpc_error
from persona_client.retry import Backoff, RetryPolicy

_CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", 8 << 20),
    ("grpc.http2.lookahead_bytes", 1 << 20),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.enable_http_proxy", 0),  # a proxy of the environment is for the outside
    # A connection whose other machine died without a word must not hold a stream for ever.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)

Request = TypeVar("Request")
Response = TypeVar("Response")
Metadata = tuple[tuple[str, str], ...]


class _Mutation(Protocol):
    request_id: str


class _PagedRequest(Protocol):
    page_token: str


class _Page(Protocol):
    next_page_token: str


MutationRequest = TypeVar("MutationRequest", bound=_Mutation)
PagedRequest = TypeVar("PagedRequest", bound=_PagedRequest)
Page = TypeVar("Page", bound=_Page)


class Connection(NamedTuple):
    """What all calls of a client go by: see PersonaClient."""

    address: str
    token: str
    timeout: float
    retry: RetryPolicy
    tls: TlsFiles


class Caller:
    """Sends its token with every call.

    Raises ValueError for a token that can't be sent, an address that can't be, or files of TLS that
    can't be used.
    """

    def __init__(self, connection: Connection) -> None:
        token = connection.token
        if not (token.isascii() and token.isprintable()):
            raise ValueError("The token holds characters that no token has.")
        self.address = connection.address
        self._timeout = connection.timeout
        self._retry = connection.retry
        self._metadata: Metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._channel = open_channel(connection.address, connection.tls, _CHANNEL_OPTIONS)

    def close(self) -> None:
        """Close the connection; calls in flight end."""
        self._channel.close()

    def _call(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        timeout: float | None,
    ) -> Response:
        """Call until an answer, an error that stays, or the deadline. Raises PersonaError."""
        backoff = Backoff(self._retry, self._timeout if timeout is None else timeout)
        while True:
            try:
                return method(request, timeout=backoff.remaining(), metadata=self._metadata)
            except grpc.RpcError as error:
                failure = from_rpc_error(error)
            backoff.wait(failure)

    def _mutate(
        self,
        method: "grpc.UnaryUnaryMultiCallable[MutationRequest, Response]",
        request: MutationRequest,
        timeout: float | None,
    ) -> Response:
        """Call with one request_id for all tries, so that the effect takes place once."""
        request.request_id = request.request_id or str(uuid.uuid4())
        return self._call(method, request, timeout)

    def _pages(
        self,
        method: "grpc.UnaryUnaryMultiCallable[PagedRequest, Page]",
        request: PagedRequest,
        timeout: float | None,
    ) -> Iterator[Page]:
        """Yield the pages of a list; `timeout` bounds each of them."""
        while True:
            page = self._call(method, request, timeout)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def field_mask(paths: Sequence[str] | None) -> FieldMask | None:
    """Return the mask of an update, None for none."""
    return None if paths is None else FieldMask(paths=paths)

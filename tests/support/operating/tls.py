"""Call a service by TLS: its gRPC port, its REST gateway and its metrics."""

import http.client
import json
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

import grpc

from persona.v1.project_service_pb2 import ListProjectsRequest
from persona.v1.project_service_pb2_grpc import ProjectServiceStub
from support.operating.authority import Files
from support.service import Service

SECONDS = 30.0
REFUSALS = (ssl.SSLError, ConnectionError, http.client.HTTPException)


class Trust(NamedTuple):
    """Whom a client believes, and what it shows."""

    root: bytes
    own: Files | None = None

    def context(self) -> ssl.SSLContext:
        """Return it for what is not gRPC."""
        context = ssl.create_default_context(cadata=self.root.decode())
        if self.own:
            context.load_cert_chain(*self.own)
        return context

    def credentials(self) -> grpc.ChannelCredentials:
        """Return it for gRPC."""
        key = self.own.key.read_bytes() if self.own else None
        cert = self.own.cert.read_bytes() if self.own else None
        return grpc.ssl_channel_credentials(self.root, key, cert)


class TlsCaller:
    """Calls each port of a service on a new connection."""

    def __init__(self, service: Service, trust: Trust) -> None:
        self.ports = {
            "gRPC": service.grpc,
            "REST": urlsplit(service.rest).netloc,
            "metrics": urlsplit(service.metrics).netloc,
        }
        self._token = service.token()
        self._trust = trust

    def answers(self) -> dict[str, object]:
        """Return what each port answers; "refused" where no connection comes about."""
        return {"gRPC": self.grpc(), "REST": self.rest(), "metrics": self.metrics()}

    def grpc(self) -> object:
        """List projects; return how many there are, or "refused"."""
        # A subchannel of the same address and credentials would be shared: no new handshake.
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.secure_channel(self.ports["gRPC"], self._trust.credentials(), options) as channel:
            stub, metadata = ProjectServiceStub(channel), (("authorization", self._bearer),)
            try:
                listed = stub.ListProjects(ListProjectsRequest(), SECONDS, metadata)
            except grpc.RpcError as error:
                unavailable = error.code() == grpc.StatusCode.UNAVAILABLE
                return "refused" if unavailable else error
            return len(listed.projects)

    def rest(self) -> object:
        """List projects; return how many there are, or "refused"."""
        body = self.get("REST", "/api/v1/projects")
        return body if body == "refused" else len(json.loads(body))

    def metrics(self) -> object:
        """Scrape; return whether the page is that of metrics, or "refused"."""
        body = self.get("metrics", "/metrics")
        return body if body == "refused" else "persona_rpc_total" in body

    def get(self, port: str, path: str) -> str:
        """Return what a port answers with 200 to a GET, or "refused", or "unreachable"."""
        host, _, number = self.ports[port].partition(":")
        connection = http.client.HTTPSConnection(
            host, int(number), timeout=SECONDS, context=self._trust.context()
        )
        try:
            connection.request("GET", path, headers={"Authorization": self._bearer})
            answer = connection.getresponse()
            text = answer.read().decode()
        except REFUSALS:
            return "refused"
        finally:
            connection.close()
        if answer.status == 503:  # the gateway and the server do not take files at one moment
            return "unreachable"
        assert answer.status == 200, text
        return text

    @property
    def _bearer(self) -> str:
        return f"Bearer {self._token}"

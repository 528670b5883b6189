"""The channel that an address is for: plain text for HOST:PORT, TLS for https://HOST:PORT."""

import os
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import grpc

HTTPS_PORT = 443
_Option = tuple[str, int]


class TlsFiles(NamedTuple):
    """Files of TLS, PEM; "" where there is none.

    `ca` holds the roots that a server's certificate is trusted by, those of the system if it is not
    named; `cert` and `key` what is shown to a server that wants a certificate of its clients.
    """

    ca: str = ""
    cert: str = ""
    key: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """Return what PERSONA_TLS_CA, PERSONA_CLIENT_CERT and PERSONA_CLIENT_KEY name."""
        names = ("PERSONA_TLS_CA", "PERSONA_CLIENT_CERT", "PERSONA_CLIENT_KEY")
        return cls(*(os.environ.get(name, "") for name in names))


def open_channel(address: str, files: TlsFiles, options: tuple[_Option, ...]) -> grpc.Channel:
    """Return a channel, which connects when it is first used.

    Raises ValueError for an address that can't be, or files that can't be used.
    """
    scheme, _, rest = address.lower().partition(":")
    if scheme == "https":
        return grpc.secure_channel(_target(address), _credentials(files), options)
    # Without a port gRPC would try that of https.
    if not rest or scheme == "http" or address.endswith("/"):
        raise ValueError(
            "The address must be HOST:PORT of gRPC, or https://HOST:PORT where it has TLS, and not "
            f"of REST; got {address!r}."
        )
    port = rest.rpartition(":")[2]
    if port.isdecimal():
        _require_port(int(port), address)
    return grpc.insecure_channel(address, options)


def _target(address: str) -> str:
    url = urlsplit(address)
    if not url.hostname or url.path not in ("", "/") or url.query or url.username:
        raise ValueError(f"An address by TLS is https://HOST:PORT; got {address!r}.")
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    port = HTTPS_PORT if url.port is None else url.port
    _require_port(port, address)
    return f"{host}:{port}"


def _require_port(port: int, address: str) -> None:
    # Of a larger one gRPC would take what is left by division, and send the token there.
    if not 0 < port < 1 << 16:
        raise ValueError(f"A port is a number from 1 to 65535; got {address!r}.")


def _credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    if bool(files.cert) != bool(files.key):
        raise ValueError("A client's certificate and its key are needed both, or none of them.")
    ca, key, cert = (_pem(file) for file in (files.ca, files.key, files.cert))
    credentials: grpc.ChannelCredentials = grpc.ssl_channel_credentials(ca, key, cert)
    return credentials


def _pem(file: str) -> bytes | None:
    """Return what a file holds, None for no file. Raises ValueError where that is no PEM."""
    if not file:
        return None
    try:
        content = Path(file).expanduser().read_bytes()
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{file} can't be read ({error}).") from None
    if b"-----BEGIN " not in content:
        raise ValueError(f"{file} holds nothing as PEM.")
    return content

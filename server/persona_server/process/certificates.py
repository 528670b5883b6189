"""The files of TLS: read and checked at the start, and read anew once they have changed."""

import datetime
import math
import ssl
import threading
import time
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from persona_server.settings.config import Settings
from persona_server.telemetry.logs import LOGGER

PROCESS_LIFE = datetime.timedelta(days=3650)
CLOCK_STEP = datetime.timedelta(days=1)


class CertificateError(Exception):
    """A file of TLS can't be used; the text names it and says why."""


class Paths(NamedTuple):
    """Where the files are. Without `client_ca`, clients need no certificate."""

    cert: Path
    key: Path
    client_ca: Path | None


class Material(NamedTuple):
    """What the files hold, as PEM, and a context that has it, for ports that are not gRPC's."""

    cert: bytes
    key: bytes
    client_ca: bytes
    context: ssl.SSLContext


class Identity(NamedTuple):
    """A certificate that signs itself, and its key, as PEM."""

    cert: bytes
    key: bytes

    @property
    def pem(self) -> bytes:
        """Both, as one file has them."""
        return self.cert + self.key


_RETRY_SECONDS = 1.0  # between two tries of files that could not be used

_State = tuple[tuple[int, int, int], ...]


class Certificates:
    """The files as they are now, or, where they can't be used, as they last could.

    Raises CertificateError where they can't be used at the start.
    """

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self._lock = threading.Lock()
        self._retry_at, self._told = math.inf, ""  # of files that could not be used
        self._state = _state_of(paths)
        self._material = read(paths)

    @property
    def wants_client(self) -> bool:
        """Whether clients must show a certificate."""
        return self.paths.client_ca is not None

    def current(self) -> Material:
        """Return what the files hold. Asked at every handshake, so it only looks at their times."""
        with self._lock:
            state = _state_of(self.paths)
            if state != self._state or time.monotonic() >= self._retry_at:
                self._state = state  # before they are read: what changes meanwhile is read again
                self._read_anew()
            return self._material

    def _read_anew(self) -> None:
        try:
            self._material = read(self.paths)
        except CertificateError as error:
            # Most likely one of them has been replaced and the next not yet, or is to be valid in a
            # moment, or to be readable: what ends that need not show in the files' times.
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            if str(error) != self._told:
                self._told = str(error)
                LOGGER.warning("changed files of TLS not taken", extra={"reason": self._told})
        else:
            self._retry_at, self._told = math.inf, ""
            LOGGER.info("changed files of TLS taken")


def certificates_of(settings: Settings) -> Certificates | None:
    """Return the files of TLS, None where none are set. Raises CertificateError."""
    cert, key, client_ca = settings.tls_cert, settings.tls_key, settings.tls_client_ca
    if cert and key:
        return Certificates(Paths(cert, key, client_ca))
    if cert or key or client_ca:
        raise CertificateError("TLS needs both --tls-cert and --tls-key.")
    return None


def make_identity(name: str) -> Identity:
    """Make a certificate for as long as a process may live, by which none can be signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - CLOCK_STEP)
        .not_valid_after(now + PROCESS_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Identity(certificate.public_bytes(Encoding.PEM), private)


def read(paths: Paths) -> Material:
    """Return what files hold that fit each other and are valid now. Raises CertificateError."""
    cert, key = _content(paths.cert), _content(paths.key)
    first = _certificates(paths.cert, cert)[0]
    _require_valid(paths.cert, first)
    if _public_bytes(first.public_key()) != _public_of_key(paths.key, key):
        raise CertificateError(f"{paths.key} is not the key of the certificate in {paths.cert}.")
    client_ca = _authorities(paths.client_ca) if paths.client_ca else b""
    return Material(cert, key, client_ca, _context(paths, client_ca.decode()))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path} can't be read: {error.strerror}.") from None


def _certificates(path: Path, content: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise CertificateError(f"{path} holds no certificate as PEM.") from None


def _authorities(path: Path) -> bytes:
    """Return the certificates of a bundle alone: what stands beside them can be of any bytes."""
    found = _certificates(path, _content(path))
    _require_valid(path, _longest_valid(found))
    return b"".join(each.public_bytes(Encoding.PEM) for each in found)


def _longest_valid(certificates: list[x509.Certificate]) -> x509.Certificate:
    return max(certificates, key=lambda each: each.not_valid_after_utc)


def _require_valid(path: Path, certificate: x509.Certificate) -> None:
    now = datetime.datetime.now(datetime.UTC)
    if now > certificate.not_valid_after_utc:
        raise CertificateError(
            f"The certificate in {path} has expired ({certificate.not_valid_after_utc:%F %TZ})."
        )
    if now < certificate.not_valid_before_utc:
        raise CertificateError(
            f"The certificate in {path} is not valid yet "
            f"(from {certificate.not_valid_before_utc:%F %TZ}); is the clock right?"
        )


def _public_of_key(path: Path, content: bytes) -> bytes:
    try:
        key = load_pem_private_key(content, None)
    except TypeError:
        raise CertificateError(f"{path} is encrypted; give a key without a password.") from None
    except ValueError:
        raise CertificateError(f"{path} holds no private key as PEM.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise CertificateError(f"{path} holds a key of another kind than RSA and EC.")
    return _public_bytes(key.public_key())


def _public_bytes(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _context(paths: Paths, client_ca: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(paths.cert, paths.key)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=client_ca)
    except (OSError, ValueError) as error:  # such as a key that is too short
        raise CertificateError(f"{paths.cert} can't be used for TLS: {error}.") from None
    return context


def _state_of(paths: Paths) -> _State:
    return tuple(_state_of_one(path) for path in paths if path)


def _state_of_one(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_size, found.st_ino

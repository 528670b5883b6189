"""A certificate authority of the tests' own, and the files that it gives out."""

import base64
import datetime
import hashlib
import ipaddress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

DAY = datetime.timedelta(days=1)
LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


class Pair(NamedTuple):
    """A certificate and its key, PEM."""

    cert: bytes
    key: bytes

    @property
    def pin(self) -> str:
        """The SHA-256 of its public key in Base64, by which a browser is told to trust it."""
        key = x509.load_pem_x509_certificate(self.cert).public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        raw = key.public_bytes(serialization.Encoding.DER, form)
        return base64.b64encode(hashlib.sha256(raw).digest()).decode()

    def write(self, folder: Path, name: str) -> "Files":
        """Put them into files; the certificate first."""
        files = Files(folder / f"{name}.pem", folder / f"{name}.key")
        files.cert.write_bytes(self.cert)
        files.key.write_bytes(self.key)
        return files


class Files(NamedTuple):
    """Where a certificate and its key are."""

    cert: Path
    key: Path

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags by which a server serves with them."""
        return "--tls-cert", str(self.cert), "--tls-key", str(self.key)


class Authority:
    """Signs certificates; its own is the root."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _named(name)
        self.root = _pem(self._signed(self._subject, self._key, None))

    def issue(
        self,
        name: str,
        *,
        starts: datetime.timedelta = -DAY,
        ends: datetime.timedelta = DAY,
        key: CertificateIssuerPrivateKeyTypes | None = None,
        host: x509.GeneralName = LOOPBACK,
    ) -> Pair:
        """Return a certificate for a host, valid from and to so far from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        return Pair(
            _pem(self._signed(_named(name), key, host, starts=starts, ends=ends)),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def _signed(
        self,
        subject: x509.Name,
        key: CertificateIssuerPrivateKeyTypes,
        host: x509.GeneralName | None,
        *,
        starts: datetime.timedelta = -DAY,
        ends: datetime.timedelta = DAY,
    ) -> x509.Certificate:
        """Return a certificate of a host, or without one that of an authority."""
        now = datetime.datetime.now(datetime.UTC)
        extension = (
            x509.SubjectAlternativeName([host]) if host else x509.BasicConstraints(True, None)
        )
        return (
            x509.CertificateBuilder(subject_name=subject, issuer_name=self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + starts)
            .not_valid_after(now + ends)
            .add_extension(extension, critical=host is None)
            .sign(self._key, hashes.SHA256())
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)

"""A start with files of TLS that can't be used: one sentence, and nothing made."""

import datetime
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from support.operating.authority import Authority, Files
from support.service import PERSONA
from support.waiting import LIMIT

HOUR = datetime.timedelta(hours=1)
PORTS = ("--listen", "127.0.0.1:0", "--rest", "127.0.0.1:0", "--metrics", "off")
Spoil = Callable[[Authority, Files], None]


def failed_start(data: Path, *flags: str) -> str:
    """Return the one sentence by which a start fails; the data folder is not made."""
    command = [str(PERSONA), "serve", "--data", str(data), *PORTS, *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert not data.exists()
    assert line.startswith("persona serve: ")
    return line


def missing(_authority: Authority, files: Files) -> None:
    files.cert.unlink()


def no_pem(_authority: Authority, files: Files) -> None:
    files.cert.write_text("no certificate")


def no_key(_authority: Authority, files: Files) -> None:
    files.key.write_text("no key")


def folder(_authority: Authority, files: Files) -> None:
    files.key.unlink()
    files.key.mkdir()


def mismatched(authority: Authority, files: Files) -> None:
    files.key.write_bytes(authority.issue("other").key)


def expired(authority: Authority, files: Files) -> None:
    authority.issue("old", starts=-2 * HOUR, ends=-HOUR).write(files.cert.parent, "service")


def not_yet(authority: Authority, files: Files) -> None:
    authority.issue("new", starts=HOUR).write(files.cert.parent, "service")


def encrypted(_authority: Authority, files: Files) -> None:
    key = load_pem_private_key(files.key.read_bytes(), None)
    secret = BestAvailableEncryption(b"secret")
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))


def ed25519_key(authority: Authority, files: Files) -> None:
    pair = authority.issue("service", key=ed25519.Ed25519PrivateKey.generate())
    pair.write(files.cert.parent, "service")


def short_key(authority: Authority, files: Files) -> None:
    pair = authority.issue("service", key=rsa.generate_private_key(65537, 1024))  # noqa: S505
    pair.write(files.cert.parent, "service")


CASES = [
    (missing, "service.pem can't be read: No such file"),
    (no_pem, "service.pem holds no certificate"),
    (no_key, "service.key holds no private key"),
    (folder, "service.key can't be read: Is a directory"),
    (mismatched, "service.key is not the key of the certificate"),
    (expired, "service.pem has expired"),
    (not_yet, "service.pem is not valid yet"),
    (encrypted, "service.key is encrypted"),
    (ed25519_key, "another kind than RSA and EC"),
    (short_key, "can't be used for TLS"),
]


@pytest.mark.parametrize(("spoil", "said"), CASES, ids=lambda case: getattr(case, "__name__", ""))
def test_files_that_can_not_be_used_are_one_sentence(
    authority: Authority, files: Files, data: Path, spoil: Spoil, said: str
) -> None:
    spoil(authority, files)
    assert said in failed_start(data, *files.flags)


def test_a_client_ca_that_can_not_be_used_is_one_sentence(files: Files, data: Path) -> None:
    ca = data.parent / "ca.pem"
    assert "ca.pem can't be read" in failed_start(data, *files.flags, "--tls-client-ca", str(ca))
    ca.write_text("nothing")
    assert "ca.pem holds no cert" in failed_start(data, *files.flags, "--tls-client-ca", str(ca))


def test_a_certificate_needs_its_key(files: Files, data: Path) -> None:
    for flags in (files.flags[:2], files.flags[2:], ("--tls-client-ca", str(files.cert))):
        assert "both --tls-cert and --tls-key" in failed_start(data, *flags)

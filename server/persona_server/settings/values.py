"""What the texts of settings mean: each turns one into a value, or raises ValueError."""

import ipaddress
import math
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from persona_server.process.cores import cores

MOST_PROCESSES = 256
_MOST_DIGITS = 100  # more than any setting takes; of thousands Python makes no number


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:  # a name: who knows where it leads
            return False


def file_or_unset(text: str) -> Path | None:
    """Return the path of a file, None where nothing is said."""
    if not text:
        return None
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("wants a file, since this user has no home") from None


def folder(text: str) -> Path:
    """Return the path of a folder."""
    if not text:
        raise ValueError("wants a folder")
    try:
        path = Path(text).expanduser().absolute()
        str(path).encode()
    except RuntimeError:
        raise ValueError("wants a folder, since this user has no home") from None
    except UnicodeEncodeError:  # SQLite opens no other
        raise ValueError("wants a folder whose path is UTF-8") from None
    return path


def database(text: str) -> str:
    """Return the URL of a PostgreSQL database as it is, "" where none is said."""
    if text and not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("wants a URL such as postgresql://persona@127.0.0.1:5432/persona")
    return text


def any_database(text: str) -> Path | str:
    """Return a place in any of its ways: a folder, sqlite:///FOLDER, or a URL of PostgreSQL."""
    if text.startswith("sqlite://"):
        path = text.removeprefix("sqlite://")
        if not path.startswith("/"):
            raise ValueError("wants sqlite:///FOLDER, with the whole path of the folder")
        return folder("/" + path.lstrip("/"))
    return database(text) if "://" in text else folder(text)


def refused(text: str, parse: Callable[[str], Any]) -> str:
    """Return a text that `parse` has refused as an error quotes it: no part of a password."""
    if parse in {database, any_database}:
        scheme = re.match(r"[a-z][a-z0-9+.-]*://", text)
        return f"got {scheme[0]}…" if scheme else "got something else"
    if parse is key_set_url:
        return f"got {re.sub('//.*@', '//…@', text)!r}"
    return f"got {text!r}"


def address(text: str) -> Address:
    """Return where to listen."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})", text)
    if not match or int(match[2]) > _LAST_PORT or not is_name(match[1]):
        raise ValueError("wants HOST:PORT, such as 127.0.0.1:50051")
    return Address(match[1].strip("[]"), int(match[2]))


def is_name(host: str) -> bool:
    """Return whether a host could be looked up, as one with empty or endless labels can't."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def address_or_off(text: str) -> Address | None:
    """Return where to listen, None for off."""
    return None if text == "off" else address(text)


def switch(text: str) -> bool:
    """Return whether a switch is on."""
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("wants on or off")


def switch_or_unset(text: str) -> bool | None:
    """Return whether a switch is on, None where nothing is said."""
    return None if text == "" else switch(text)


def log_level(text: str) -> str:
    """Return a level of the log."""
    if text not in ("debug", "info", "warning", "error"):
        raise ValueError("wants debug, info, warning or error")
    return text


def seconds_between(low: float, high: float) -> Callable[[str], float]:
    """Return what takes seconds between two bounds."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not low <= value <= high:
            raise ValueError(f"wants a number of seconds from {low:g} to {high:g}")
        return value

    return parse


def automatic(text: str) -> bool:
    """Return whether promotion is automatic."""
    if text not in ("manual", "automatic"):
        raise ValueError("wants manual or automatic")
    return text == "automatic"


def whole_between(low: int, high: int) -> Callable[[str], int]:
    """Return what takes whole numbers between two bounds."""

    def parse(text: str) -> int:
        is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
        if not is_number or not low <= int(text) <= high:
            raise ValueError(f"wants a whole number from {low} to {high}")
        return int(text)

    return parse


def processes(text: str) -> int:
    """Return how many processes: a number, or "cores" for one on each core."""
    if text == "cores":
        return min(cores(), MOST_PROCESSES)
    try:
        return whole_between(1, MOST_PROCESSES)(text)
    except ValueError as error:
        raise ValueError(f"{error}, or cores") from None


def share(text: str) -> float:
    """Return a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise ValueError("wants a number from 0 to 1")
    return value


def networks(text: str) -> str:
    """Return networks as they are, such as "10.0.0.0/8,::1"."""
    try:
        for one in filter(None, text.split(",")):
            ipaddress.ip_network(one.strip())
    except ValueError:
        raise ValueError("wants networks, such as 10.0.0.0/8,::1") from None
    return text


def key_set_url(text: str) -> str:
    """Return the address of a key set: by https, or by http on this machine."""
    if not text:
        return text
    try:
        parts = urlsplit(text)
        is_local = Address(parts.hostname or "", parts.port or 0).is_loopback
    except ValueError:  # of a port, or of an address in brackets
        parts, is_local = urlsplit(""), False
    if "@" in parts.netloc:
        raise ValueError("wants an address without a name or password in it")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_local)
    plain = parts.hostname and parts.path.startswith("/") and not parts.fragment
    if not (is_safe and plain and re.fullmatch("[!-~]+", text)):
        raise ValueError(
            "wants an address by https with its path, such as https://login.example.org/keys"
        )
    return text


def name_of_claim(text: str) -> str:
    """Return the name of a claim."""
    if not text or not text.isprintable():
        raise ValueError("wants the name of a claim")
    return text


_LAST_PORT = 65_535
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?")


def origins(text: str) -> tuple[str, ...]:
    """Return origins of browsers' pages, such as "https://app.example.org,http://localhost:3000"."""
    found = tuple(one.strip().lower() for one in text.split(",")) if text else ()
    matches = list(map(_ORIGIN.fullmatch, found))
    if not all(one and int((one[2] or ":0")[1:]) <= _LAST_PORT for one in matches):
        raise ValueError(
            "wants SCHEME://HOST or SCHEME://HOST:PORT, such as https://app.example.org (not *, "
            "which would let any page call)"
        )
    return found


def flags(text: str) -> tuple[str, ...]:
    """Return the flags of a command line."""
    words = tuple(shlex.split(text))  # raises ValueError with what is wrong
    if words and not words[0].startswith("-"):
        raise ValueError("wants flags, such as --max-calls=64")
    return words

"""What a host of a setting stands for on this machine."""

import errno
import ipaddress
import socket

from persona_server.settings.values import Address

_NOT_OURS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def own_addresses(address: Address) -> list[Address]:
    """Return the addresses of this machine that a host stands for: by number, where it is a name.

    Who listens must have them all: at one that is another program's, callers would reach that.
    Raises OSError if there is none.
    """
    if _is_number(address.host):
        return [address]
    found = socket.getaddrinfo(address.host, None, type=socket.SOCK_STREAM)
    hosts = dict.fromkeys(str(place[0]) for family, *_, place in found if _is_here(family, place))
    if not hosts:
        raise OSError(errno.EADDRNOTAVAIL, "not an address of this machine")
    return [Address(host, address.port) for host in hosts]


def loopback_of_all(host: str) -> str:
    """Return by which address this machine reaches itself where a host stands for all addresses.

    Another host is returned as it is. Who listens on all of IPv6 listens on IPv4 as well.
    """
    if host == "::" and _is_here(socket.AF_INET6, ("::1",)):
        return "::1"
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104


def why_refused(address: Address) -> str:
    """Return why nobody could listen at an address just now, in the system's words."""
    try:
        for host, port in own_addresses(address):
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
                tried.bind((host, port))
    except OSError as error:
        return error.strerror or str(error)
    return "the port was taken a moment ago"


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_here(family: int, place: tuple[object, ...]) -> bool:
    """Return whether this machine has an address; a port of it may be taken all the same."""
    try:
        with socket.socket(family) as tried:
            tried.bind((place[0], 0))
    except OSError as error:
        return error.errno not in _NOT_OURS
    return True

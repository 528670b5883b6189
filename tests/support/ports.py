"""Ports for servers that are told which one to take, and what addresses a machine has."""

import contextlib
import random
import socket
from pathlib import Path

_PORTS = range(10_000, 65_536)
_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")  # first and last, to whoever asks for any


def free_port(*hosts: str) -> int:
    """Return a port that nobody listens on, of loopback or of all the hosts that are named.

    It is none that the system would give to another before it is taken, as far as there are some.
    """
    first, last = map(int, _GIVEN.read_text().split())
    some = [port for port in _PORTS if not first <= port <= last] or _PORTS
    while True:
        port = random.SystemRandom().choice(some)
        with contextlib.ExitStack() as tried, contextlib.suppress(OSError):
            for host in hosts or ("127.0.0.1",):
                tried.enter_context(socket.socket()).bind((host, port))
            return port


def has_ipv6() -> bool:
    """Return whether ::1 is an address of this machine, as it is not where IPv6 is switched off."""
    try:
        with socket.socket(socket.AF_INET6) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True

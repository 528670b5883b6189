"""Ports for servers that are told which one to take."""

import contextlib
import random
import socket

_FIRST, _BEHIND = 10_000, 32_768  # from there on the system gives ports to whoever asks for any


def free_port() -> int:
    """Return a port of loopback that nobody listens on.

    It is none that the system would give to another before it is taken.
    """
    while True:
        port = random.SystemRandom().randrange(_FIRST, _BEHIND)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port

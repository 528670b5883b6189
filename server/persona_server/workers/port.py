"""The port at which all workers listen, held by their parent: nobody else gets it meanwhile."""

import contextlib
import errno
import socket

from persona_server.settings.values import Address


class Port:
    """A port that is bound, not listened at: workers share it, and connections go to them alone."""

    def __init__(self, address: Address) -> None:
        """Bind it, whatever its host stands for. Raises OSError if it is taken or not allowed."""
        self._sockets: list[socket.socket] = []
        port = address.port
        try:
            for family, kind, _, _, found in socket.getaddrinfo(
                address.host, port or None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                port = self._bind(socket.socket(family, kind), (found[0], port, *found[2:]))
        except OSError:
            self.close()
            raise
        self.address = Address(address.host, port)

    def _bind(self, bound: socket.socket, address: tuple[object, ...]) -> int:
        self._sockets.append(bound)
        _only_version_6(bound)
        # As the only one at first, since others could bind what is shared from the beginning.
        try:
            bound.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            _require_nobody(bound.family, address)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return int(bound.getsockname()[1])

    def close(self) -> None:
        """Give it back."""
        for bound in self._sockets:
            with contextlib.suppress(OSError):
                bound.close()


def _only_version_6(made: socket.socket) -> None:
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def _require_nobody(family: int, address: tuple[object, ...]) -> None:
    """Raise OSError if somebody has a port that is in use.

    Else only connections of the past have, which the system remembers for a minute after a server
    has closed them. Somebody who has it as we do does not listen, but does not let others listen.
    """
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        _only_version_6(tried)
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind(address)
        tried.listen(1)

"""The port at which all workers listen, held by their parent: nobody else gets it meanwhile."""

import contextlib
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
        if bound.family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # As the only one at first, since others could bind what is shared from the beginning.
        bound.bind(address)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return int(bound.getsockname()[1])

    def close(self) -> None:
        """Give it back."""
        for bound in self._sockets:
            with contextlib.suppress(OSError):
                bound.close()

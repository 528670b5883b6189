"""What stands at the entrance of a server, for its pipeline to ask and for others to set."""

import hmac
from collections.abc import Sequence

from persona_server.transport.entrance.answers import Answers
from persona_server.transport.entrance.delivery import Unread
from persona_server.transport.errors import shutting_down
from persona_server.transport.rpc import Rpc


class Draining:
    """Whether new calls are refused, since the server stops."""

    def __init__(self) -> None:
        self.begun = False

    def refuse(self, _rpc: Rpc) -> None:
        """Refuse a new call once draining has begun. Raises SHUTTING_DOWN."""
        if self.begun:
            raise shutting_down()


class OwnGateway:
    """The gateway that the server has started: what it says of its callers is believed.

    `secret` is what it sends with each call; as long as it is "", no gateway is known.
    """

    def __init__(self) -> None:
        self.secret = ""

    def recognise(self, rpc: Rpc) -> None:
        """Forget the address that a call brings, unless it comes with the secret."""
        if rpc.forwarded and not self._is_known(rpc.secrets):
            rpc.forwarded = ""

    def _is_known(self, secrets: Sequence[str]) -> bool:
        if len(secrets) != 1 or not self.secret:
            return False
        return hmac.compare_digest(secrets[0].encode(errors="replace"), self.secret.encode())


class Guards:
    """All of them."""

    def __init__(self, workers: int = 1) -> None:
        """Let answers take what one of so many workers may."""
        self.draining = Draining()
        self.gateway = OwnGateway()
        self.answers = Answers(workers)
        self.unread = Unread()

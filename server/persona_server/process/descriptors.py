"""File descriptors: each connection takes one, and the usual soft limit of 1,024 is low."""

import resource
from typing import NamedTuple

from persona_server.telemetry.logs import LOGGER


class Limit(NamedTuple):
    """How many files this process and its children may open, and how many they might before."""

    now: int
    before: int
    refused: bool  # whether the system lets them open no more than before

    def tell(self) -> None:
        """Log it."""
        if self.refused:
            LOGGER.warning(
                "the limit of open files could not be raised", extra={"limit": self.before}
            )
        else:
            LOGGER.info("limit of open files", extra={"limit": self.now, "before": self.before})


def raise_limit() -> Limit:
    """Let this process and its children open as many files as the system lets them.

    Where even that is refused, the limit stays as it is.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # some systems name a hard limit that they do not grant
        return Limit(soft, soft, refused=True)
    return Limit(hard, soft, refused=False)

"""File descriptors: each connection takes one, and the usual soft limit of 1,024 is low."""

import resource

from persona_server.telemetry.logs import LOGGER


def raise_limit() -> None:
    """Let this process and its children open as many files as the system lets them: log how many.

    Where even that is refused, the limit stays as it is, with a warning.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # some systems name a hard limit that they do not grant
        LOGGER.warning("the limit of open files could not be raised", extra={"limit": soft})
    else:
        LOGGER.info("limit of open files", extra={"limit": hard, "before": soft})

"""What a supervisor is told: systemd's Type=notify, and whoever else speaks it."""

import contextlib
import os
import socket

VARIABLE = "NOTIFY_SOCKET"
READY, STOPPING = "READY=1", "STOPPING=1"


def more_time(seconds: float) -> str:
    """Return the state that asks for so many more seconds to start in, from now on."""
    return f"EXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}"


def tell(state: str) -> None:
    """Tell the supervisor a state, if one listens; nobody waits for it."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    address = f"\0{path[1:]}" if path.startswith("@") else path  # one without a file
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.setblocking(False)
        notify.sendto(state.encode(), address)

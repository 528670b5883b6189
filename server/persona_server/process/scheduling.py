"""How the threads of a process that serves share the interpreter, and their cores."""

import os
import sys
from contextlib import suppress

SWITCH_SECONDS = 0.001  # a short call takes the interpreter several times from one that computes


def share_evenly() -> None:
    """Let who computes give way soon, and who wakes up wait for that.

    A call wakes five threads, and each would by itself take the core from the one that woke it, for
    which it then waits: a tenth of a call. Threads made before have the policy that they had.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    if sys.platform == "linux":
        with suppress(OSError):  # where it is forbidden, a call costs what it did
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))

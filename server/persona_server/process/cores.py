"""How many cores a process has to run on."""

import os
from pathlib import Path

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")  # what a container is given; no such file without one


def cores() -> int:
    """Return how many cores this process may use, at least 1.

    Those that it may run on, but no more than its container has time for. The file says that in
    microseconds of CPU in so many microseconds, or "max"; a part of a core counts for none.
    """
    every = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    given, _, period = (CPU_MAX.read_text() if CPU_MAX.is_file() else "").partition(" ")
    granted = int(given) // int(period) if given.isdigit() else every
    return max(1, min(every or 1, granted or 1))

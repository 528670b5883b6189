"""Memory that was freed: the next batch takes as much again."""

import ctypes

# Parameters of mallopt(3), which is glibc's; other C libraries have none.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
KEPT = 8 << 20  # bytes that each of malloc's arenas keeps at most when they are freed
_MAPPED = 4 << 20  # a block of so many bytes goes back to the system when it is freed


def keep_freed() -> None:
    """Keep what a batch has freed for the next one.

    By itself glibc gives most of it back to the system, and gets it anew page by page, each cleared
    before: a tenth of what an import costs.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, KEPT)
        mallopt(_MMAP_THRESHOLD, _MAPPED)

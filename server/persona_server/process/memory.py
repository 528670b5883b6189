"""Memory that stays, and memory that was freed: neither is to be gone through again and again."""

import ctypes
import gc

# Parameters of mallopt(3), which is glibc's; other C libraries have none.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MOST_ARENAS = -1, -3, -8
ARENAS = 1  # heap that all threads share
KEPT = 8 << 20  # bytes that each of malloc's arenas keeps at most when they are freed
_MAPPED = 4 << 20  # a block of so many bytes goes back to the system when it is freed
_YOUNG = 10_000  # objects that are made before the collector of cycles looks at them


def keep_freed() -> None:
    """Keep what a batch has freed for the next one; to be called before there are many threads.

    By itself glibc gives most of it back to the system, and gets it anew page by page, each cleared
    before: a tenth of what an import costs. It also makes eight heaps for each core, one thread
    after the other, and what is free in one of them serves no thread of another: so a mixed load
    took half a megabyte more a minute, for as long as anybody looked.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MOST_ARENAS, ARENAS)
        mallopt(_TRIM_THRESHOLD, KEPT)
        mallopt(_MMAP_THRESHOLD, _MAPPED)


def give_back() -> None:
    """Give the system the whole pages of what was freed, wherever in the heap they lie.

    What a busy minute has left between what lives long would stay for good: a few megabytes after
    an hour, and a little more after each.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(KEPT)


def set_apart() -> None:
    """Let the collector of cycles pass over all that is there: what the process is made of stays.

    Of a call that makes thousands of objects, to look through these as well was a twentieth; and
    again as much it was to look at its own after every 700, of which nearly all go by themselves.

    The collector waits with its oldest objects until a quarter as many are new as there were when
    it went through all. So it does that once more, with nothing left: else cycles that had grown
    old, as those of calls that end in the middle do, stayed until there were fifty thousand.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    gc.set_threshold(_YOUNG)

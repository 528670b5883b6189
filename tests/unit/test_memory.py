"""Memory that a batch has freed serves the next one; what stays is not looked through again."""

import platform
import subprocess
import sys

import pytest

from persona_server.process import memory

ROUNDS, BATCH = 50, 1_200_000
# Faults of a process that takes and frees what four batches do, again and again.
PROGRAM = f"""
import resource, sys
from persona_server.process import memory
if sys.argv[1] == "kept":
    memory.keep_freed()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def batches():
    return [b"x" * {BATCH} for _ in range(4)]
batches()
before = faults()
for _ in range({ROUNDS}):
    batches()
print(faults() - before)
"""

# The heaps of a process in which ten threads take something at once.
THREADS = """
import ctypes, sys, threading
from persona_server.process import memory
if sys.argv[1] == "kept":
    memory.keep_freed()
barrier = threading.Barrier(10)
def take():
    barrier.wait()
    taken = [b"x" * 5000 for _ in range(100)]
    barrier.wait()
threads = [threading.Thread(target=take) for _ in range(10)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
file = libc.fdopen(1, b"w")
libc.malloc_info(0, ctypes.c_void_p(file))
libc.fflush(ctypes.c_void_p(file))
"""
# The pages that a process holds of 64 MiB that it has freed between things that live on.
HOLES = """
import ctypes
from persona_server.process import memory
memory.keep_freed()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])
blocks = []
for _ in range(1024):
    block = libc.malloc(1 << 16)
    ctypes.memset(block, 1, 1 << 16)
    blocks.append(block)
    libc.malloc(100)
before = held()
for block in blocks:
    libc.free(block)
print(before - held())
memory.give_back()
print(before - held())
"""
ONLY_GLIBC = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc's malloc can be told"
)


def said(program: str, how: str) -> str:
    """Return what a program prints about malloc `as it is`, or `kept` as the service keeps it."""
    command = [sys.executable, "-c", program, how]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def faults(how: str) -> int:
    """Return how many pages a process was given by the system after its first round."""
    return int(said(PROGRAM, how))


@ONLY_GLIBC
def test_threads_share_what_is_free() -> None:
    assert said(THREADS, "as it is").count("<heap nr=") > memory.ARENAS
    assert said(THREADS, "kept").count("<heap nr=") == memory.ARENAS


@ONLY_GLIBC
def test_a_batch_takes_the_pages_of_the_one_before() -> None:
    pages_of_a_round = 4 * BATCH // 4096
    assert faults("as it is") > ROUNDS * pages_of_a_round // 2
    assert faults("kept") < 2 * pages_of_a_round


@ONLY_GLIBC
def test_what_lies_free_between_what_lives_on_is_given_back() -> None:
    freed = 1024 * (1 << 16) // 4096
    by_itself, given_back = map(int, said(HOLES, "kept").split())
    assert by_itself < freed // 10
    assert given_back > freed * 9 // 10


def test_what_is_there_at_the_start_is_passed_over() -> None:
    program = (
        "import gc, persona_server.running.app; from persona_server.process import memory;"
        "memory.set_apart();"
        "print(len(gc.get_objects()), gc.get_freeze_count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    looked_through, passed_over = map(int, done.stdout.split())
    assert looked_through < 1000
    assert passed_over > 50_000


def test_old_cycles_do_not_stay_for_as_many_objects_as_a_start_makes() -> None:
    program = """
import gc, weakref
import persona_server.running.app
from persona_server.process import memory
class Cycle:
    def __init__(self):
        self.me = self
memory.set_apart()
old = [Cycle() for _ in range(2000)]
first = weakref.ref(old[0])
gc.collect(1)  # now they are old
del old
for _ in range(12 * 12 * 10_000):  # until the oldest generation is due
    Cycle()
print(first() is None)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"

"""Cores are those that a process may use: by affinity, and by what its container is given."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from persona_server.process import cores
from persona_server.settings.loading import load

# What a container of one core on a machine of 64 makes of it.
PROGRAM = """
import os, pathlib, sys
os.sched_getaffinity = lambda process: set(range(64))
from persona_server.process import cores
cores.CPU_MAX = pathlib.Path(sys.argv[1])
from persona_server.transport.pools import LIMITS
print(LIMITS["read"].costly)
"""


@pytest.mark.parametrize(
    ("allowed", "cpu_max", "found"),
    [
        (1, None, 1),
        (2, None, 2),
        (2, "max 100000\n", 2),
        (2, "100000 100000\n", 1),
        (2, "50000 100000\n", 1),
        (2, "6400000 100000\n", 2),
    ],
)
def test_a_part_of_a_core_is_none(
    allowed: int, cpu_max: str | None, found: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = sorted(os.sched_getaffinity(0))
    if len(every) < allowed:
        pytest.skip("this machine has too few cores")
    monkeypatch.setattr(cores, "CPU_MAX", written(tmp_path, cpu_max))
    os.sched_setaffinity(0, every[:allowed])
    try:
        assert cores.cores() == found
        assert load({"workers": "cores"}, {}).workers == found
    finally:
        os.sched_setaffinity(0, every)


@pytest.mark.parametrize(("cpu_max", "costly"), [("100000 100000\n", 2), ("400000 100000\n", 3)])
def test_so_many_slow_reads_run_at_once(cpu_max: str, costly: int, tmp_path: Path) -> None:
    """A thread for each core of the machine would leave none for what is quick."""
    given = written(tmp_path, cpu_max)
    command = [sys.executable, "-c", PROGRAM, str(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) == costly


def written(folder: Path, cpu_max: str | None) -> Path:
    """Return the file that says what a container is given, or one that is not there."""
    file = folder / "cpu.max"
    if cpu_max is not None:
        file.write_text(cpu_max)
    return file

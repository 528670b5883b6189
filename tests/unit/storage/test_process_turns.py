"""Turns to write among processes, in the order of a queue."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from persona_server.storage.engine.processes import Processes

TURNS = 300
# Writes its name at each turn, as long as fewer are written than a file may have.
WRITER = f"""
import sys
from pathlib import Path
from persona_server.storage.engine.processes import Processes

turns, written, name = Processes(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
print("ready", flush=True)
sys.stdin.readline()
while True:
    with turns.hold(60.0):
        if written.stat().st_size >= {TURNS}:
            break
        with written.open("a") as file:
            file.write(name)
            for number in range(100_000):  # as long as a write takes
                pass
"""
HOLDER = """
import sys
from pathlib import Path
from persona_server.storage.engine.processes import Processes

turns = Processes(Path(sys.argv[1]))
with turns.hold(0.0):
    print("held", flush=True)
    sys.stdin.readline()
"""


def started(program: str, *arguments: object) -> "subprocess.Popen[str]":
    """Run a program in a process of its own, and wait for its first line."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=-1, stdout=-1, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def go_on(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_no_process_takes_the_turn_again_and_again(tmp_path: Path) -> None:
    written = tmp_path / "written"
    written.touch()
    writers = [started(WRITER, tmp_path / "turns", written, name) for name in "ab"]
    for writer in writers:
        go_on(writer)
    for writer in writers:
        with writer:
            assert writer.wait(60) == 0
    names = written.read_text()
    assert len(names) == TURNS
    changes = sum(one != after for one, after in pairwise(names))
    assert changes > TURNS / 2


def test_a_turn_is_waited_for_no_longer_than_said(tmp_path: Path) -> None:
    turns = Processes(tmp_path / "turns")
    with started(HOLDER, tmp_path / "turns") as other:
        for _ in range(2):  # the queue is left, too
            with pytest.raises(TimeoutError), turns.hold(0.02):
                pass
        go_on(other)
        with turns.hold(60.0):
            pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    turns = Processes(tmp_path / "turns")
    with started(HOLDER, tmp_path / "turns") as other:
        other.kill()
        with turns.hold(60.0):
            pass

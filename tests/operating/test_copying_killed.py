"""Copies that are ended by kill -9 in the middle of a chunk, again and again, and then go on."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.store import open_store
from support.databases.filled import content
from support.postgresql import Cluster
from support.service import PERSONA
from support.waiting import eventually

pytestmark = pytest.mark.sqlite("names both databases itself")
KILLS, CHUNKS = 3, 60
# The command with small chunks, ended in one of them when its rows are in, and how far is not.
PROGRAM = """
import os, signal, sys
from persona_server.storage.copying import copier, progress

left, reached = [int(sys.argv.pop(1))], progress.Progress.reached

def killed(*what):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    reached(*what)

copier.ROWS, progress.Progress.reached = 100, killed
from persona_cli import main
main()
"""


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_copy_that_was_killed_goes_on(
    filled: Path, cluster: Cluster, tmp_path: Path, engine: str
) -> None:
    target: Path | str = tmp_path / "copy" if engine == "sqlite" else cluster.migrated()
    command = ["copy", "--from", str(filled), "--to", str(target)]
    expected, before = content(filled), 0
    for _ in range(KILLS):
        killing = [sys.executable, "-c", PROGRAM, str(CHUNKS), *command]
        done = subprocess.run(killing, capture_output=True, text=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        found = sum(map(len, content(target).values()))
        assert before < found < sum(map(len, expected.values()))
        before = found
        with pytest.raises(DatabaseError, match="unfinished copy"):
            open_store(target)
        eventually(lambda: is_alone(cluster, target))
    done = subprocess.run([PERSONA, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["equal"] * len(expected)
    assert content(target) == expected
    open_store(target, make=False).close()


def is_alone(cluster: Cluster, target: Path | str) -> bool:
    """Return whether a database knows that the one that was killed is gone."""
    if isinstance(target, Path):
        return True
    name = target.rpartition("/")[2]
    sql = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608 (ours)
    return not cluster.execute(sql)

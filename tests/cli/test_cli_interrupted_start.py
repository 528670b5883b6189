"""A signal that comes while the command is being imported ends it without a traceback."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from support.service import PERSONA
from support.waiting import LIMIT

# In the place of a library that takes long to be imported.
SLOW = "import sys\nprint('importing', flush=True)\nsys.stdin.read()\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_the_first_imports_ends_the_command(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "typer.py").write_text(SLOW)
    process = subprocess.Popen(
        [PERSONA, "list"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(number)
    assert process.wait(LIMIT) == -number
    assert process.communicate()[1] == ""

"""A real service for one run of the study: its own process, in a temporary folder."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

PERSONA = Path(sys.executable).with_name("persona")
_STOP_SECONDS = 20


class StartError(Exception):
    """The service did not start; the text is its log."""


class Access(NamedTuple):
    """What a client needs to call the service."""

    address: str
    token: str


@contextmanager
def temporary_service() -> Iterator[Access]:
    """Run `persona serve` on a free port of loopback for a block, and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="persona-study-") as folder:
        log = Path(folder) / "log"
        process = _start(Path(folder) / "data", log)
        try:
            yield _access(process, log)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _start(data: Path, log: Path) -> "subprocess.Popen[str]":
    flags = ["--listen", "127.0.0.1:0", "--rest", "off", "--metrics", "off", "--print-token"]
    # The settings of the shell in which the study is started are not the study's.
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PERSONA_")}
    with log.open("w") as errors:
        return subprocess.Popen(
            [str(PERSONA), "serve", "--data", str(data), *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=clean,
        )


def _access(process: "subprocess.Popen[str]", log: Path) -> Access:
    """Read address and token from the `export` line that a first start prints."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("export "):
            said = dict(word.split("=", 1) for word in shlex.split(line)[1:])
            return Access(said["PERSONA_ADDRESS"], said["PERSONA_TOKEN"])
    raise StartError(f"The service did not start:\n{log.read_text()}")

"""The load: a lean client of a program of its own, on a core of its own."""

import json
import os
import struct
import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Any

LOAD_CORE = {1}


def built_load(folder: Path) -> str:
    """Build the load in a folder and return its path."""
    program = str(folder / "load")
    subprocess.run(["go", "build", "-o", program, "./benchmarks/load"], check=True)  # noqa: S607
    return program


def load(
    program: str,
    address: str,
    method: str,
    token: str,
    requests: Path,
    *options: str,
    cores: Collection[int] = LOAD_CORE,
) -> Any:
    """Run the load, on its own core unless others are named, and return its report."""
    command = [program, "-address", address, "-method", method, "-token", token]
    command += ["-requests", str(requests), *options]
    started = subprocess.Popen(command, stdout=subprocess.PIPE)
    os.sched_setaffinity(started.pid, cores)
    output, _ = started.communicate()
    report = json.loads(output)
    assert not report["errors"], report
    return report


def framed(requests: list[bytes]) -> bytes:
    """Return requests as the load reads them."""
    return b"".join(struct.pack("<I", len(r)) + r for r in requests)

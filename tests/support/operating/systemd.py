"""A real systemd for a unit of ours, with namespaces, folders and a loopback of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.waiting import eventually

ROOT = Path(__file__).parents[3]
MANAGER = Path("/lib/systemd/systemd")
# What the unit is ordered behind, and no more: nothing of this machine is started.
TARGETS = ("sysinit", "basic", "shutdown", "network-online", "multi-user")
ETC = ("passwd", "group", "nsswitch.conf", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "hosts")
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
# /opt/persona as the unit names it, of this checkout: what is installed may lie in a home, which
# the unit may not see.
SOURCES = (f"venv/lib/{PYTHON}/site-packages", "src/clients/python", "src/generated", "src/server")
PROGRAM = f"""#!/bin/sh
export LD_LIBRARY_PATH=/opt/python/lib PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH={":".join(f"/opt/{source}" for source in SOURCES)}
exec /opt/python/bin/{PYTHON} -c 'import sys; sys.argv[0] = "/opt/persona/bin/persona"
from persona_cli import main; main()' "$@"
"""
SCRIPT = """set -e
mount -t proc proc /proc
ip link set lo up
mount --bind etc /etc
mount --bind opt /opt
mount --bind "$1" /opt/src
mount --bind "$2" /opt/python
mount --bind "$3" /opt/venv
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=persona-tests cgroup /sys/fs/cgroup/systemd
exec env -i PATH="$PATH" container=tests SYSTEMD_UNIT_PATH="$PWD/units" "$4" --system \\
  --unit=multi-user.target --log-target=null --show-status=false
"""


class Systemd:
    """A running systemd that knows one unit, `persona`, whose output is in a file `log`."""

    def __init__(self, process: int, log: Path) -> None:
        self._enter = ("nsenter", "-t", str(process), "-m", "-p", "-n", "-u", "-i")
        self.log = log

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command where it runs."""
        return subprocess.run(
            [*self._enter, *command], capture_output=True, text=True, timeout=60, check=False
        )

    def show(self, name: str) -> str:
        """Return a property of the unit."""
        return self.run("systemctl", "show", "--value", "-p", name, "persona").stdout.strip()


def _lay_out(folder: Path, unit: Path) -> Path:
    """Make what the namespaces have in place of this machine's; return where the log will be."""
    units, log = folder / "units", folder / "persona.log"
    for made in (units / "persona.service.d", folder / "etc/persona", folder / "opt/persona/bin"):
        made.mkdir(parents=True)
    for name in ("src", "python", "venv"):
        (folder / "opt" / name).mkdir()
    for target in TARGETS:
        (units / f"{target}.target").write_text("[Unit]\nDefaultDependencies=no\n")
    shutil.copy(unit, units)
    to_file = f"[Service]\nStandardOutput=append:{log}\nStandardError=append:{log}\n"
    (units / "persona.service.d/log.conf").write_text(to_file)
    (folder / "etc/persona/persona.toml").touch()
    for name in ETC:
        if Path("/etc", name).exists():
            subprocess.run(["cp", "-a", f"/etc/{name}", folder / "etc"], check=True)
    program = folder / "opt/persona/bin/persona"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    shutil.copy(Path(sys.executable).with_name("persona-gateway"), program.parent)
    (folder / "script").write_text(SCRIPT)
    return log


@contextmanager
def running_systemd(folder: Path, unit: Path) -> Iterator[Systemd]:
    """Run a systemd for a block. The test is skipped where none can be run."""
    if os.geteuid() != 0 or not MANAGER.exists() or not shutil.which("nsenter"):
        pytest.skip("systemd is not there, or not for this user")
    log = _lay_out(folder, unit)
    places = (ROOT, sys.base_prefix, sys.prefix, MANAGER)
    apart = ("--mount", "--pid", "--fork", "--ipc", "--uts", "--net", "--kill-child")
    with subprocess.Popen(
        ["unshare", *apart, "sh", "script", *map(str, places)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as outside:
        try:
            yield _reached(outside, log)
        finally:
            outside.kill()


def _reached(outside: "subprocess.Popen[bytes]", log: Path) -> Systemd:
    """Wait until it answers; skip the test where it ends, as what it needs is not allowed."""
    children = Path(f"/proc/{outside.pid}/task/{outside.pid}/children")
    eventually(lambda: outside.poll() is not None or children.read_text())
    if outside.poll() is None:
        found = Systemd(int(children.read_text().split()[0]), log)
        eventually(lambda: outside.poll() is not None or _answers(found))
    if outside.poll() is not None:
        pytest.skip("this machine lets no systemd run in namespaces")
    return found


def _answers(systemd: Systemd) -> bool:
    return systemd.run("systemctl", "is-active", "multi-user.target").returncode == 0

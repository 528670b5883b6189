"""What the system says of the processes of the service, under the names that all exporters use."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_PROC = Path("/proc")
_LABELS = ("process",)
# Fields of /proc/PID/stat behind the program's name.
_USER, _SYSTEM, _START, _RESIDENT = 11, 12, 19, 21


class Processes(Collector):
    """CPU, memory, descriptors and start of each process; nothing on systems without /proc.

    They are read from outside, so that one that hangs is seen as well as the others.
    """

    def __init__(self, found: Callable[[], Mapping[str, int]]) -> None:
        """`found` gives the ids of the processes that run now, by what each is for."""
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """Return a sample of each figure for each process."""
        cpu = CounterMetricFamily(
            "process_cpu_seconds", "Seconds of CPU that a process has used.", labels=_LABELS
        )
        gauges = {
            name: GaugeMetricFamily(f"process_{name}", f"{what} of a process.", labels=_LABELS)
            for name, what in _GAUGES.items()
        }
        for name, pid in self._found().items():
            with contextlib.suppress(OSError):  # it has just ended
                seconds, figures = _figures(pid)
                cpu.add_metric([name], seconds)
                for gauge, value in figures.items():
                    gauges[gauge].add_metric([name], value)
        return (cpu, *gauges.values())


_GAUGES = {
    "resident_memory_bytes": "Bytes of memory",
    "start_time_seconds": "Start, in seconds since 1970,",
    "open_fds": "Open file descriptors",
    "max_fds": "File descriptors that may be open at once",
}


def _figures(pid: int) -> tuple[float, dict[str, float]]:
    """Return a process's seconds of CPU, and its gauges. Raises OSError."""
    folder = _PROC / str(pid)
    stat = (folder / "stat").read_bytes().rpartition(b")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(stat[_USER]) + int(stat[_SYSTEM])) / ticks, {
        "resident_memory_bytes": int(stat[_RESIDENT]) * os.sysconf("SC_PAGE_SIZE"),
        "start_time_seconds": _booted() + int(stat[_START]) / ticks,
        "open_fds": sum(1 for _ in (folder / "fd").iterdir()),
        "max_fds": _most_open(folder),
    }


@cache  # so that a start is the same time whenever it is looked at
def _booted() -> float:
    """Return when the system was started, in seconds since 1970.

    By the clock, since a unit of systemd may see no file of /proc but those of processes.
    """
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def _most_open(folder: Path) -> int:
    lines = (folder / "limits").read_text().splitlines()
    line = next(line for line in lines if line.startswith("Max open files"))
    return int(line.split()[3])

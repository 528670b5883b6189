"""Figures of what is around the calls: the database in each process, and of one the whole house."""

import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from persona_server.settings.config import Settings
from persona_server.storage.engine.database import Database
from persona_server.storage.upkeep import watching
from persona_server.telemetry.gauges import Gauge, Info
from persona_server.telemetry.metrics import Metrics
from persona_server.telemetry.processes import Processes

# Name → what it is, and how it is found in the folder of an SQLite database.
_FILES: dict[str, tuple[str, Callable[[Path], float]]] = {
    "persona_database_bytes": ("Length of the database file.", watching.database_bytes),
    "persona_database_log_bytes": ("Length of the database's log.", watching.log_bytes),
    "persona_disk_bytes": ("Size of the disk with the database.", watching.disk_bytes),
    "persona_disk_free_bytes": ("What is free of that disk.", watching.free_bytes),
    "persona_backup_timestamp_seconds": (
        "When the last good backup was begun, in seconds since 1970; 0 where none was.",
        watching.backed_up_at,
    ),
}


def watch_database(metrics: Metrics, database: Database) -> None:
    """Let metrics show how busy the database is, as far as this process is concerned."""

    def connections() -> dict[str, float]:
        load = database.load()
        return {"open": load.connections, "busy": load.busy}

    what = "Connections to the database that are open, and those of them in use."
    metrics.registry.register(Gauge("persona_database_connections", what, connections, "state"))
    what = "Threads that wait for their turn to write."
    writers = Gauge("persona_database_writers_waiting", what, lambda: database.load().writers)
    metrics.registry.register(writers)


def watch_service(
    metrics: Metrics, settings: Settings, processes: Callable[[], Mapping[str, int]]
) -> None:
    """Let metrics show what is there once, whatever the number of processes.

    `processes` gives the ids of those that run now, by what each is for.
    """
    labels = {
        "version": version("persona-service"),
        "python": platform.python_version(),
        "grpcio": version("grpcio"),
        "engine": "postgresql" if settings.database else "sqlite",
    }
    metrics.registry.register(Info("persona_build_info", "What runs; always 1.", labels))
    metrics.registry.register(Processes(processes))
    for name, (what, look) in _FILES.items():
        metrics.registry.register(Gauge(name, what, _of_files(settings, look)))


def _of_files(
    settings: Settings, look: Callable[[Path], float]
) -> Callable[[], float | Mapping[str, float]]:
    return lambda: {} if settings.database else look(settings.data)

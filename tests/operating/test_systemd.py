"""The unit in a real systemd: it starts, reads its settings again, comes back, and stops."""

from pathlib import Path

from support.operating.systemd import ROOT, Systemd, running_systemd
from support.waiting import eventually

UNIT = ROOT / "deploy/persona.service"


def said(systemd: Systemd, message: str) -> int:
    """Return how often the log says so."""
    return systemd.log.read_text().count(f'"message":"{message}"')


def test_the_unit_serves_in_a_real_systemd(tmp_path: Path) -> None:
    with running_systemd(tmp_path, UNIT) as systemd:
        started = systemd.run("systemctl", "start", "persona")  # until it has said that it is ready
        assert started.returncode == 0, systemd.log.read_text()
        eventually(lambda: said(systemd, "listening") == 1)
        owner = systemd.run("stat", "-c", "%u %a", "/var/lib/private/persona").stdout.split()
        assert (owner[0] != "0", owner[1]) == (True, "700")
        read = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9464/metrics').read().decode())"
        figures = systemd.run("python3", "-c", read).stdout  # though it sees little of /proc
        assert 'process_start_time_seconds{process="server"}' in figures
        assert systemd.run("systemctl", "reload", "persona").returncode == 0
        eventually(lambda: said(systemd, "settings read again"))
        assert systemd.show("ActiveState") == "active"
        systemd.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", "persona")
        eventually(lambda: said(systemd, "listening") == 2, 60)
        assert systemd.show("NRestarts") == "1"
        assert systemd.run("systemctl", "stop", "persona").returncode == 0
        assert systemd.show("Result") == "success"
        assert said(systemd, "stopped") == 2  # the server and its gateway


def test_a_stop_in_the_midst_of_a_start_is_no_failure(tmp_path: Path) -> None:
    with running_systemd(tmp_path, UNIT) as systemd:
        assert systemd.run("systemctl", "start", "--no-block", "persona").returncode == 0
        eventually(lambda: systemd.log.exists() and said(systemd, "database made"))
        assert systemd.run("systemctl", "stop", "persona").returncode == 0
        assert systemd.show("ActiveState") == "inactive"
        assert systemd.show("Result") == "success"

"""The alerts and the dashboard of deploy/monitoring: good queries, for what is served."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from monitoring.alerting import CASES
from rest.wire import Rest

from support.operating.metrics import PAGE, families, series
from support.service import Service

DEPLOY = Path(__file__).parents[2] / "deploy/monitoring"
ALERTS = DEPLOY / "alerts.yml"
DASHBOARD = json.loads((DEPLOY / "dashboard.json").read_text())
PANELS: list[dict[str, Any]] = [one for one in DASHBOARD["panels"] if one["type"] != "row"]
VARIABLES = {"$__rate_interval": "5m", "$job": "persona", "$instance": ".*"}
WIDTH = 24  # of a dashboard
# tools/setup has it in a folder that only make puts on the path.
TOOLS = Path(__file__).parents[2] / ".tools/bin"
PROMTOOL = shutil.which("promtool", path=f"{TOOLS}{os.pathsep}{os.environ['PATH']}") or ""
needs_promtool = pytest.mark.skipif(
    not PROMTOOL, reason="promtool is not there, and could not be fetched"
)


def promtool(*words: str | Path) -> str:
    done = subprocess.run(
        [PROMTOOL, *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def queries() -> list[str]:
    """Return what the dashboard asks for."""
    found = [target["expr"] for panel in PANELS for target in panel["targets"]]
    for name, standing in VARIABLES.items():
        found = [one.replace(name, standing) for one in found]
    return found


def asked(expression: str) -> set[str]:
    """Return the names of metrics in an expression."""
    return set(re.findall(r"\b(?:persona|process)_\w+", re.sub(r'"[^"]*"', "", expression)))


@needs_promtool
def test_the_alerts_are_good_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", ALERTS)


@needs_promtool
def test_every_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    assert {name.partition(":")[0] for name in CASES} == rules().keys()
    test = tmp_path / "test.yml"
    tests = [one for name, case in CASES.items() for one in case.tests(name)]
    test.write_text(json.dumps({"rule_files": [str(ALERTS)], "tests": tests}))
    promtool("test", "rules", test)


@needs_promtool
def test_the_dashboard_asks_in_good_form(tmp_path: Path) -> None:
    recorded = [{"record": f"q{i}", "expr": one} for i, one in enumerate(queries())]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": recorded}]}))
    promtool("check", "rules", path)


def test_what_is_asked_for_is_served(service: Service) -> None:
    Rest(service.rest, None).call("GET", "/healthz")  # the first has its series from then on
    served = series(families(service))
    for expression in [*queries(), *(rule["expr"] for rule in rules().values())]:
        assert asked(expression) <= served, expression


def test_the_dashboard_shows_every_metric(service: Service) -> None:
    shown = set().union(*map(asked, queries()))
    for family in families(service):
        ours = {name for name in shown if name.startswith(family.name)}
        assert ours, f"{family.name} has no panel"


def test_panels_have_places_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= WIDTH
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells


def test_the_page_says_what_each_alert_means() -> None:
    text = PAGE.read_text().partition("## Alerts")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(Persona\w+)`", text)) == rules().keys()

"""What deploy/ has for containers, clusters and systemd: checked by their linters, and by names."""

import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from persona_server.settings.config import SETTINGS
from support.service import running_service

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = ["kubernetes/persona.yaml", "kubernetes/migrate.yaml"]
FILES = ["Dockerfile", "compose.yaml", "persona.service", *MANIFESTS]
PROGRAMS = Path(sys.executable).parent


def passes(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_passes_its_linter() -> None:
    passes(PROGRAMS / "hadolint", DEPLOY / "Dockerfile")


def test_the_image_can_send_traces_and_has_else_what_a_checkout_has() -> None:
    names = re.findall(r"--require-hashes -r (\S+)", (DEPLOY / "Dockerfile").read_text())
    assert f"!{names[0]}" in (ROOT / ".dockerignore").read_text().splitlines()
    pins, of_a_checkout = (
        set(re.findall(r"^[\w-]+==\S+", (ROOT / name).read_text(), re.MULTILINE))
        for name in (names[0], "requirements.txt")
    )
    assert pins > of_a_checkout
    more = {pin.partition("==")[0] for pin in pins - of_a_checkout}
    assert {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"} <= more


def test_what_is_deployed_is_this_version() -> None:
    project, client = (
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        for folder in (".", "clients/python")
    )
    version = project["version"]
    assert client["version"] == version
    assert f"persona-client=={version}" in project["dependencies"]
    tags = {
        file: set(re.findall(r"persona-service:([\w.-]+)", (DEPLOY / file).read_text()))
        for file in FILES
    }
    assert {file: found for file, found in tags.items() if found not in (set(), {version})} == {}
    assert {file for file, found in tags.items() if found} == set(FILES) - {"persona.service"}


@pytest.mark.parametrize("file", MANIFESTS)
def test_the_manifests_pass_their_schemas(file: str) -> None:
    passes(PROGRAMS / "kubernetes-validate", "--strict", DEPLOY / file)


def test_the_compose_file_passes_its_schema() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    passes(PROGRAMS / "check-jsonschema", *schema, DEPLOY / "compose.yaml")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not there")
def test_the_unit_passes_its_linter(tmp_path: Path) -> None:
    unit = tmp_path / "persona.service"  # with a program that is there
    text = (DEPLOY / "persona.service").read_text()
    unit.write_text(text.replace("/opt/persona/bin/persona", "/bin/true"))
    passes("systemd-analyze", "verify", unit)
    passes("systemd-analyze", "security", "--offline=yes", "--threshold=20", unit)


@pytest.mark.parametrize("file", FILES)
def test_every_setting_that_is_named_is_one(file: str) -> None:
    text = (DEPLOY / file).read_text()
    named = set(re.findall(r"\bPERSONA_[A-Z_]+", text))
    named |= {f"PERSONA_{flag[2:].replace('-', '_').upper()}" for flag in _flags(text)}
    assert named <= {setting.variable for setting in SETTINGS}


def _flags(text: str) -> list[str]:
    """Return the flags that `persona serve` is given."""
    return [word for line in re.findall(r"persona serve (.*)", text) for word in line.split()
            if word.startswith("--")]  # fmt: skip


def test_the_containers_can_write_to_nothing_but_their_data() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["persona"]
    assert compose["read_only"] is True
    assert compose["cap_drop"] == ["ALL"]
    assert compose["volumes"] == ["data:/data"]
    stateful, *_ = yaml.safe_load_all((DEPLOY / "kubernetes/persona.yaml").read_text())
    container: dict[str, Any] = stateful["spec"]["template"]["spec"]["containers"][0]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {each["mountPath"] for each in container["volumeMounts"]} == {"/data", "/tmp"}  # noqa: S108
    assert "USER 10001:10001" in (DEPLOY / "Dockerfile").read_text()


def test_figures_of_a_pod_that_is_not_ready_can_be_read() -> None:
    """They say what keeps it from being so; callers are kept from it."""
    manifests = yaml.safe_load_all((DEPLOY / "kubernetes/persona.yaml").read_text())
    services = {
        one["metadata"]["name"]: one["spec"] for one in manifests if one["kind"] == "Service"
    }
    shown = {name for name, spec in services.items() if spec.get("publishNotReadyAddresses")}
    assert (shown, services.keys() - shown) == ({"persona-metrics"}, {"persona"})


def test_a_supervisor_is_told(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(path))
        supervisor.settimeout(30)
        with running_service(data, "--rest", "off", env={"NOTIFY_SOCKET": str(path)}) as service:
            assert supervisor.recv(100) == b"READY=1"
            service.stop()
            assert supervisor.recv(100) == b"STOPPING=1"

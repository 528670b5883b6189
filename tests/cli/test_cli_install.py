"""The two distributions: the client alone, with a `persona` command, and the service beside it."""

import os
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from support.service import Service

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools/bin/uv"
CLIENT, SERVICE = ROOT / "clients/python", ROOT
# What packages the distributions are made of, and where the checkout has them.
PACKAGES = {
    "persona": ROOT / "generated",
    "persona_client": CLIENT,
    "persona_cli": CLIENT,
    "persona_server": ROOT / "server",
}
SERVICE_COMMANDS = ("serve", "token", "rebuild-measures")
SERVICE_NEEDS = (
    "apsw", "peewee", "playhouse", "cryptography", "jwt", "prometheus_client", "grpc_health",
    "grpc_reflection",
)  # fmt: skip


def project(folder: Path) -> dict[str, Any]:
    """Return the [project] table of a distribution."""
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return table


class Environment:
    """A virtual environment of its own, with wheels installed."""

    def __init__(self, folder: Path, *wheels: Path) -> None:
        self._bin = folder / "bin"
        subprocess.run([UV, "venv", "-q", "--python", sys.executable, folder], check=True)
        options = ("-q", "-p", folder, "-c", ROOT / "requirements.txt")
        subprocess.run([UV, "pip", "install", *options, *wheels], check=True)

    def run(
        self, program: str, *arguments: str | Path, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run one of its programs to its end."""
        clean = {
            k: v for k, v in os.environ.items() if not k.startswith(("PERSONA_", "PYTHON"))
        } | variables
        command = [self._bin / program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=clean)


def built(folder: Path, *options: str) -> dict[str, Path]:
    """Build both distributions into a folder, and return their wheels by name."""
    for source in (CLIENT, SERVICE):
        subprocess.run([UV, "build", "-q", "-o", folder, *options, source], check=True)
    return {wheel.name.partition("-")[0]: wheel for wheel in folder.glob("*.whl")}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each distribution, built from its source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    return built(folder)


@pytest.fixture(scope="module")
def client_alone(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("client"), wheels["persona_client"])


@pytest.fixture(scope="module")
def with_service(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("service"), *wheels.values())


def code_of(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_every_file_is_in_exactly_one_wheel(wheels: dict[str, Path]) -> None:
    client, service = code_of(wheels["persona_client"]), code_of(wheels["persona_service"])
    assert not client & service
    assert client | service == {
        path.relative_to(folder).as_posix()
        for package, folder in PACKAGES.items()
        for path in (folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    shared = {name for name in client if name.startswith("persona_server/")}
    assert shared
    assert all(name.startswith("persona_server/validation/") for name in shared)


def test_a_wheel_built_from_the_checkout_is_the_same(
    wheels: dict[str, Path], tmp_path: Path
) -> None:
    for name, wheel in built(tmp_path, "--wheel").items():
        assert code_of(wheel) == code_of(wheels[name])


def test_both_have_one_version_and_one_license() -> None:
    version = project(CLIENT)["version"]
    assert project(SERVICE)["version"] == version
    assert f"persona-client=={version}" in project(SERVICE)["dependencies"]
    assert (CLIENT / "LICENSE").read_bytes() == (SERVICE / "LICENSE").read_bytes()


def test_the_client_brings_nothing_that_only_the_service_needs(client_alone: Environment) -> None:
    look = f"[name for name in {SERVICE_NEEDS} if importlib.util.find_spec(name)]"
    done = client_alone.run("python", "-c", f"import importlib.util; print({look})")
    assert done.stdout == "[]\n"


def test_the_client_has_the_commands_that_call_a_service(
    client_alone: Environment, service: Service, tmp_path: Path
) -> None:
    version = project(CLIENT)["version"]
    assert client_alone.run("persona", "--version").stdout == f"persona {version}\n"
    listed = client_alone.run("persona", "--help")
    assert listed.returncode == 0
    assert all(name in listed.stdout for name in (*SERVICE_COMMANDS, "import", "library"))
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"full_name": ""}\n')
    done = client_alone.run(
        "persona", "import", bad, "--project", f"Project {uuid.uuid4()}", "--group", "all",
        PERSONA_ADDRESS=service.grpc, PERSONA_TOKEN=service.token(), XDG_STATE_HOME=str(tmp_path),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "0 imported, 1 refused.\n")
    assert done.stderr.startswith(f"{bad}:1: full_name ")


@pytest.mark.parametrize("name", SERVICE_COMMANDS)
@pytest.mark.parametrize("arguments", [(), ("--help",), ("--data", "folder")])
def test_without_the_service_its_commands_say_what_to_install(
    client_alone: Environment, name: str, arguments: tuple[str, ...]
) -> None:
    done = client_alone.run("persona", name, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert "pip install persona-service" in line


@pytest.mark.parametrize("name", SERVICE_COMMANDS)
def test_the_service_adds_its_commands(with_service: Environment, name: str) -> None:
    done = with_service.run("persona", name, "--help")
    assert done.returncode == 0, done.stderr
    assert "--data" in done.stdout


def test_the_service_is_not_imported_before_its_commands_are(with_service: Environment) -> None:
    look = "print([name for name in sys.modules if 'persona_server.' in name])"
    imported = "persona_cli.command_line, persona_cli.commands.people.personas"
    done = with_service.run("python", "-c", f"import sys, {imported}; {look}")
    assert "persona_server.validation.limits" in done.stdout
    assert "persona_server.settings.config" not in done.stdout
    assert "persona_server.commands" not in done.stdout

"""The wheel of this machine's platform, in an environment of its own: it serves gRPC and REST."""

import os
import platform
import subprocess
import sys
import urllib.request
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools/bin/uv"
PLATFORM = f"{'macos' if sys.platform == 'darwin' else 'linux'}-{platform.machine()}"
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("PERSONA_", "PYTHON"))}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both distributions' wheels, by name."""
    folder = tmp_path_factory.mktemp("dist")
    for source, named in ((ROOT / "clients/python", {}), (ROOT, {"PERSONA_WHEEL": PLATFORM})):
        command: list[str | Path] = [UV, "build", "-q", "--wheel", "-o", folder, source]
        subprocess.run(command, env=CLEAN | named, check=True)
    return {wheel.name.partition("-")[0]: wheel for wheel in folder.glob("*.whl")}


@pytest.fixture(scope="module")
def installed(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has nothing but the wheels."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, folder], check=True)
    options: list[str | Path] = ["-q", "-p", folder, "-c", ROOT / "requirements.txt"]
    subprocess.run([UV, "pip", "install", *options, *wheels.values()], check=True)
    return folder / "bin"


def test_the_wheel_says_for_which_platform_it_is(wheels: dict[str, Path]) -> None:
    wheel = wheels["persona_service"]
    assert wheel.name.endswith(f"_{platform.machine()}.whl")
    with ZipFile(wheel) as files:
        (program,) = [name for name in files.namelist() if name.endswith("/persona-gateway")]
        assert files.getinfo(program).external_attr >> 16 & 0o111  # it can be run


def test_it_serves_grpc_and_rest(installed: Path, tmp_path: Path) -> None:
    data = ["--data", str(tmp_path / "data")]
    ports = ["--listen", "127.0.0.1:0", "--rest", "127.0.0.1:0", "--metrics", "off"]
    with subprocess.Popen(
        [installed / "persona", "serve", *data, *ports, "--print-token"],
        env=CLEAN | {"PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as service:
        assert service.stdout is not None
        exports = next(line for line in service.stdout if line.startswith("export "))
        named = dict(word.split("=", 1) for word in exports.split()[1:])
        listed = subprocess.run(
            [installed / "persona", "projects", "list", "--json"],
            env=CLEAN | named,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (listed.returncode, listed.stdout) == (0, ""), listed.stderr
        request = urllib.request.Request(
            f"{named['PERSONA_REST_URL']}/api/v1/projects",
            headers={"Authorization": f"Bearer {named['PERSONA_TOKEN']}"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert (answer.status, answer.read()) == (200, b"[]")
        service.terminate()
        assert service.wait(30) == 0


def test_without_the_sdk_traces_say_what_to_install(installed: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [
        installed / "persona",
        "serve",
        "--tracing",
        "--data",
        tmp_path / "data",
    ]
    done = subprocess.run(
        command, env=CLEAN, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "pip install 'persona-service[tracing]'" in line

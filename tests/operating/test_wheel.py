"""The wheel of this machine's platform, in an environment of its own: it serves all there is."""

import json
import os
import platform
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

import pytest
from rest.pages import origin

from support.operating.authority import Authority
from support.peers.browser import program, running_browser
from support.waiting import LIMIT

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools/bin/uv"
PLATFORM = f"{'macos' if sys.platform == 'darwin' else 'linux'}-{platform.machine()}"
POST = """fetch("%s/api/v1/projects", {method: "POST",
  headers: {authorization: "Bearer %s", "content-type": "application/json"},
  body: '{"name": "From a page"}'}).then(answer => answer.status)"""
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


@contextmanager
def serving(installed: Path, data: Path, *flags: str) -> Iterator[dict[str, str]]:
    """Serve with what is installed for a block; give the variables that it prints for a shell."""
    ports = ["--listen", "127.0.0.1:0", "--rest", "127.0.0.1:0", "--metrics", "off"]
    with subprocess.Popen(
        [installed / "persona", "serve", "--data", data, *ports, "--print-token", *flags],
        env=CLEAN | {"PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as service:
        assert service.stdout is not None
        exports = next(line for line in service.stdout if line.startswith("export "))
        try:
            yield dict(word.split("=", 1) for word in exports.split()[1:])
        finally:
            service.terminate()
            assert service.wait(LIMIT) == 0


def listed(installed: Path, variables: dict[str, str]) -> str:
    """Return the projects as the installed command prints them."""
    command: list[str | Path] = [installed / "persona", "projects", "list", "--json"]
    done = subprocess.run(
        command, env=CLEAN | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_serves_grpc_and_rest(installed: Path, tmp_path: Path) -> None:
    with serving(installed, tmp_path / "data") as named:
        assert listed(installed, named) == ""
        request = urllib.request.Request(
            f"{named['PERSONA_REST_URL']}/api/v1/projects",
            headers={"Authorization": f"Bearer {named['PERSONA_TOKEN']}"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert (answer.status, answer.read()) == (200, b"[]")


@pytest.mark.skipif(program() is None, reason="no Chromium: see tools/setup")
def test_it_serves_a_page_of_another_origin_by_tls(
    installed: Path, authority: Authority, tmp_path: Path
) -> None:
    certificate = authority.issue("service")
    files = certificate.write(tmp_path, "service")
    trusted = tmp_path / "authority.pem"
    trusted.write_bytes(authority.root)
    pinned = f"--ignore-certificate-errors-spki-list={certificate.pin}"
    with (
        origin() as named,
        serving(installed, tmp_path / "data", *files.flags, "--cors-origin", named) as given,
        running_browser(tmp_path / "profile", pinned) as browser,
    ):
        assert given["PERSONA_REST_URL"].startswith("https://")
        page = browser.open(named)
        made = page.run(POST % (given["PERSONA_REST_URL"], given["PERSONA_TOKEN"]))
        assert made == 201
        (project,) = listed(installed, given | {"PERSONA_TLS_CA": str(trusted)}).splitlines()
        assert json.loads(project)["name"] == "From a page"


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


def test_the_oldest_packages_that_it_takes_do(wheels: dict[str, Path], tmp_path: Path) -> None:
    projects = [ROOT / "clients/python/pyproject.toml", ROOT / "pyproject.toml"]
    oldest = ["--resolution", "lowest-direct", "--no-emit-package", "persona-client"]
    listed_in = tmp_path / "oldest.txt"
    resolve: list[str | Path] = [UV, "pip", "compile", "-q", *oldest, *projects, "-o", listed_in]
    subprocess.run([*resolve, "--python", sys.executable], check=True)
    folder = tmp_path / "venv"
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, folder], check=True)
    install: list[str | Path] = [UV, "pip", "install", "-q", "-p", folder]
    subprocess.run([*install, "-r", listed_in, *wheels.values()], check=True)
    with serving(folder / "bin", tmp_path / "data") as named:
        assert listed(folder / "bin", named) == ""

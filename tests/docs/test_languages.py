"""Programs in five languages, made of nothing but the protos, read why a call failed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.data import make_place, uid
from support.service import Service

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "examples" / "languages"
PAGE = (ROOT / "docs/languages.md").read_text()
# The tool that each needs, and what builds and runs it, in a copy of its folder.
COMMANDS: dict[str, tuple[str, str]] = {
    "python": (sys.executable, f"{sys.executable} reason.py $IDS"),
    "go": ("go", "go run . $IDS"),
    "typescript": (
        "npm",
        "npm ci --prefer-offline --silent --no-audit --no-fund && npm run --silent build"
        " && node dist/reason.js $IDS",
    ),
    "java": (
        "mvn",
        'mvn -B -q -ntp -Dprotos="$PROTOS" compile && '
        'mvn -B -q -ntp -Dprotos="$PROTOS" exec:java -Dexec.args="$IDS"',
    ),
    "rust": ("cargo", "cargo run --quiet -- $IDS"),
}
COMPILES_LONG = {"java", "rust"}  # half a minute and two minutes


@pytest.mark.parametrize("language", COMMANDS)
def test_a_program_reads_why_a_call_failed(
    language: str, service: Service, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tool, command = COMMANDS[language]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not on this machine")
    if language in COMPILES_LONG and not request.config.getoption("--torture"):
        pytest.skip("compiles for a minute: --torture")
    token = service.token(tenant=f"languages-{uid()[:8]}")
    place = make_place(service.connect(token))
    variables = {
        "PERSONA_ADDRESS": service.grpc,
        "PERSONA_TOKEN": token,
        "PROTOS": str(ROOT / "protos"),
        "IDS": f"{place.project} {place.group} {uid()}",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=copied(language, tmp_path),
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Maven colours even what it does not say.
    assert re.sub(r"\x1b\[[\d;]*m", "", done.stdout).strip() == "PERSONA_NOT_FOUND"


def copied(language: str, parent: Path) -> Path:
    """Copy a program to where it may be built; a Go module then has to be told where ours is."""
    folder = shutil.copytree(PROGRAMS / language, parent / language)
    if language == "go":
        module = f"persona.example/persona-service/generated/go={ROOT / 'generated' / 'go'}"
        subprocess.run(["go", "mod", "edit", "-replace", module], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("language", COMMANDS)
def test_the_page_shows_what_the_program_does(language: str) -> None:
    block = re.search(rf"```{language}\n(?://|#) (\S+)\n(.*?)\n```", PAGE, re.DOTALL)
    assert block is not None
    path, shown = block.groups()
    assert shown in (ROOT / path).read_text()

"""What the README and the page on the command line show is run, and prints what they say."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from support.service import PERSONA, Service

ROOT = Path(__file__).parents[2]


class Step(NamedTuple):
    """A command, and what it prints; … stands for anything."""

    command: str
    output: str


def steps(file: str) -> list[Step]:
    """Return the commands of a file's console blocks, in order."""
    blocks = re.findall(r"^```console\n(.*?)^```", (ROOT / file).read_text(), re.M | re.S)
    parts = re.split(r"^\$ ", "".join(blocks), flags=re.M)[1:]
    return [Step(*part.partition("\n")[::2]) for part in parts]


def matches(printed: str, wanted: str) -> bool:
    """Return whether an output is what a transcript shows."""
    pattern = ".*".join(re.escape(piece) for piece in dense(wanted).split("…"))
    return re.fullmatch(pattern, dense(printed), re.S) is not None


def dense(text: str) -> str:
    """Return a text without the spaces that protojson puts into JSON in some builds, by design."""
    return re.sub(r'([,:]) (?=["\[{\dtfn-])', r"\1", text.strip())


def environment(service: Service, tenant: str, state: Path) -> dict[str, str]:
    """Return what a shell has after the `export` line of a start was pasted, in an own tenant."""
    return os.environ | {
        "PATH": f"{PERSONA.parent}:{ROOT / '.tools/bin'}:{os.environ['PATH']}",
        "PERSONA_ADDRESS": service.grpc,
        "PERSONA_DATA": str(service.data),
        "PERSONA_REST_URL": service.rest,
        "PERSONA_TOKEN": service.token(tenant=tenant),
        "XDG_STATE_HOME": str(state),
    }


def run_steps(transcript: Sequence[Step], folder: Path, shell: dict[str, str]) -> None:
    """Run commands in a folder; each succeeds, and prints what it says."""
    for step in transcript:
        done = subprocess.run(
            ["bash", "-c", step.command],
            cwd=folder,
            env=shell,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step.command}\n{done.stdout}{done.stderr}"
        assert matches(done.stdout + done.stderr, step.output), (
            f"{step.command}\nprinted: {done.stdout}{done.stderr}\nwanted: {step.output}"
        )


@pytest.mark.parametrize(
    ("file", "least"), [("README.md", 8), ("docs/command-line.md", 17), ("docs/files.md", 20)]
)
def test_the_transcript_prints_what_it_says(
    service: Service, tmp_path: Path, file: str, least: int
) -> None:
    transcript = steps(file)
    assert len(transcript) >= least
    shell = environment(service, Path(file).stem.lower(), tmp_path / "state")
    run_steps(transcript, tmp_path, shell)


def test_the_readme_s_python_prints_what_it_says(service: Service, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text()
    ((program, said),) = re.findall(
        r"^```python\n(.*?)^```\n\nIt prints `(.*?)`", text, re.M | re.S
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(service, "readme-python", tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{said}\n"


@pytest.mark.parametrize(
    ("printed", "wanted", "same"),
    [
        ("a\nb", "a\nb", True),
        ("a 17 b", "a … b", True),
        ("a 17 c", "a … b", False),
        ("x a", "a", False),
    ],
)
def test_the_comparison_can_fail(printed: str, wanted: str, same: bool) -> None:
    assert matches(printed, wanted) is same

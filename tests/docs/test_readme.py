"""The README's transcript works as it stands: its commands are run, and print what it says."""

import os
import re
import subprocess
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


def test_the_transcript_prints_what_it_says(service: Service, tmp_path: Path) -> None:
    transcript = steps("README.md")
    assert len(transcript) >= 10
    environment = os.environ | {
        "PATH": f"{PERSONA.parent}:{ROOT / '.tools/bin'}:{os.environ['PATH']}",
        "PERSONA_ADDRESS": service.grpc,
        "PERSONA_REST_URL": service.rest,
        "PERSONA_TOKEN": service.token(tenant="readme"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    for step in transcript:
        done = subprocess.run(
            ["bash", "-c", step.command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step.command}\n{done.stdout}{done.stderr}"
        assert matches(done.stdout + done.stderr, step.output), (
            f"{step.command}\nprinted: {done.stdout}{done.stderr}\nwanted: {step.output}"
        )


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

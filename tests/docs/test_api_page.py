"""The console blocks of the pages on the API print what they say, one shell for each page."""

import os
import subprocess
from pathlib import Path

import pytest
from docs.test_readme import matches, steps
from rest.processes import gateway

from support.data import make_group, make_place, rich_persona, uid
from support.library import answer_reliably
from support.service import Service

MARK = "----"


def variables(service: Service) -> dict[str, str]:
    """Return what the page takes for given: somebody who answers reliably, and somebody silent."""
    token = service.token(tenant=f"page-{uid()[:8]}")
    place = make_place(service.connect(token))
    one, peer = (place.create(rich_persona()).id for _ in range(2))
    answer_reliably(place, one)
    return {
        "PERSONA_REST_URL": service.rest,
        "PERSONA_TOKEN": token,
        "SIMULATION": uid(),
        "PROJECT": place.project,
        "GROUP": place.group,
        "OTHER_GROUP": make_group(place.caller, place.project).id,
        "PERSONA": one,
        "PEER": peer,
    }


@pytest.mark.parametrize(("page", "least"), [("docs/api.md", 12), ("docs/rest.md", 8)])
def test_the_examples_print_what_they_say(
    service: Service, tmp_path: Path, page: str, least: int
) -> None:
    transcript = commands(page)
    assert len(transcript) >= least
    with gateway(service.grpc, "--cors-origin", "https://app.example.org") as running:
        printed = printed_by(
            transcript, variables(service) | {"PERSONA_REST_URL": running.base}, tmp_path
        )
    for (command, wanted), output in zip(transcript, printed, strict=True):
        assert matches(output, wanted), f"{command}\nprinted: {output}\nwanted: {wanted}"


def printed_by(
    transcript: list[tuple[str, str]], variables: dict[str, str], folder: Path
) -> list[str]:
    """Return what each command prints, run in one shell."""
    script = "\n".join(f"{command}\necho; echo {MARK}" for command, _ in transcript)
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split(f"{MARK}\n")[:-1]


def commands(file: str) -> list[tuple[str, str]]:
    """Return the commands and outputs of console blocks; a body may have lines of its own."""
    found = []
    for command, output in steps(file):
        body, end, rest = output.partition("}'\n") if command.endswith("'{") else ("", "", output)
        found.append((f"{command}\n{body}{end}".rstrip("\n") if body else command, rest))
    return found

"""What the page on security shows is run, and prints what it says."""

import re
import shlex
from pathlib import Path

from docs.test_readme import ROOT, environment, run_steps, steps

from persona_server.settings import loading
from support.service import running_service

PAGE = "docs/security.md"


def test_the_transcript_prints_what_it_says(tmp_path: Path) -> None:
    """On a service of its own, whose key is rotated and whose tenants are listed."""
    transcript = steps(PAGE)
    assert len(transcript) >= 19
    with running_service(tmp_path / "data") as own:
        run_steps(transcript, tmp_path, environment(own, "tea-lab", tmp_path / "state"))


def test_the_settings_of_a_provider_can_be() -> None:
    text = (ROOT / PAGE).read_text()
    (command,) = re.findall(r"^```sh\npersona serve (.*?)^```", text, re.M | re.S)
    words = shlex.split(command.replace("\\\n", " "))
    names = [flag.removeprefix("--").replace("-", "_") for flag in words[::2]]
    settings = loading.load(dict(zip(names, words[1::2], strict=True)), {})
    assert settings.jwks_url
    assert settings.local_tokens is False

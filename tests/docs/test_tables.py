"""The docs and the generated code say what the code says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from persona_server.transport.methods import RPCS

ROOT = Path(__file__).parents[2]


def test_the_tables_of_the_docs_are_up_to_date() -> None:
    command = [sys.executable, "tools/update_docs.py", "--check"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_generated_code_is_up_to_date(tmp_path: Path) -> None:
    buf = Path(sys.executable).with_name("buf")
    subprocess.run([buf, "generate", "-o", tmp_path], cwd=ROOT, check=True)
    apart = ["-x", "__pycache__", "-x", "go.mod", "-x", "go.sum"]  # the module is written by hand
    apart += ["-x", "openapi"]  # the next test's
    command = ["diff", "-r", *apart, "generated", str(tmp_path / "generated")]
    difference = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert difference.stdout + difference.stderr == ""


def test_the_openapi_document_is_up_to_date() -> None:
    tools = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # buf
    command = [sys.executable, "tools/update_openapi.py", "--check"]
    checked = subprocess.run(
        command, cwd=ROOT, env=os.environ | tools, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_the_page_on_settings_names_the_heavy_rpcs() -> None:
    text = (ROOT / "docs/configuration.md").read_text("utf-8")
    (row,) = re.findall(r"^\| heavy: ([\w, ]+) \|", text, re.M)
    heavy = {name.rpartition(".")[2] for name, rules in RPCS.items() if rules.pool == "heavy"}
    assert set(row.split(", ")) == heavy


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_every_page_is_named_in_the_readme(path: Path) -> None:
    assert f"(docs/{path.name})" in (ROOT / "README.md").read_text()

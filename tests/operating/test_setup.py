"""The set-up of a checkout: what it takes of the machine, and what it does anew."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "tools/setup"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the script, at a path that scripts must quote, and nothing set up."""
    folder = tmp_path / "my checkout"
    (folder / "tools").mkdir(parents=True)
    (folder / ".tools/bin").mkdir(parents=True)
    shutil.copy(SETUP, folder / "tools/setup")
    return folder


def said(checkout: Path, script: str, path: str = "/usr/bin:/bin") -> str:
    """Return what a script prints that has the functions of the set-up."""
    done = subprocess.run(
        ["bash", "-c", f"source tools/setup\n{script}"],
        cwd=checkout,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def program(path: Path, says: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nprintf '%s' '{says}'\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("version", "taken"), [("", "package"), ("1.25.9", "package"), ("1.26.0", ""), ("1.31", "")]
)
def test_the_packages_go_is_taken_where_the_machine_has_none_or_an_old_one(
    checkout: Path, tmp_path: Path, version: str, taken: str
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "dirname", "rm", "sed"):
        (programs / name).symlink_to(shutil.which(name) or name)
    if version:
        program(programs / "go", f"go version go{version} linux/amd64")
    script = "install_go() { echo package; }; find_go"
    assert said(checkout, script, path=f"{programs}").strip() == taken
    # One of an earlier set-up is no machine's.
    program(checkout / ".tools/bin/go", "go version go1.99.0 linux/amd64")
    path = f"{checkout / '.tools/bin'}:{programs}"
    assert said(checkout, script, path=path).strip() == taken


WORKS = "if venv_works; then echo works; fi"


def test_an_environment_is_made_anew_that_is_of_elsewhere_or_has_lost_its_python(
    checkout: Path, tmp_path: Path
) -> None:
    assert said(checkout, WORKS) == ""
    program(checkout / ".venv/bin/persona")
    program(tmp_path / "python3")
    (checkout / ".venv/bin/python").symlink_to(tmp_path / "python3")
    assert said(checkout, WORKS) == "", "interrupted: no stamp says that it was made"
    assert said(checkout, f"done_with venv; {WORKS}") == "works\n"
    copy = shutil.copytree(checkout, tmp_path / "copy", symlinks=True)
    assert said(copy, WORKS) == ""
    (tmp_path / "python3").unlink()
    assert said(checkout, WORKS) == ""


def test_a_new_pin_and_a_changed_file_are_seen(checkout: Path) -> None:
    (checkout / "lock").write_text("a")
    said(checkout, "done_with one one==1; done_with two lock")
    asked = "for each in one==1 one==2; do if fresh one $each; then echo $each; fi; done"
    assert said(checkout, asked) == "one==1\n"
    assert said(checkout, "fresh two lock && echo same") == "same\n"
    (checkout / "lock").write_text("b")
    assert said(checkout, "fresh two lock || echo other") == "other\n"


@pytest.mark.skipif(not shutil.which("flock"), reason="without flock nobody waits")
def test_two_at_once_go_one_after_the_other(checkout: Path) -> None:
    command = ["bash", "-c", "source tools/setup; only_one; echo mine"]
    with (checkout / ".tools/.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = subprocess.Popen(
            command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert second.stderr is not None
        assert "waits" in second.stderr.readline()
        assert second.poll() is None
    out, _ = second.communicate(timeout=30)
    assert out == "mine\n"

"""What `make test` and `make torture` say of several runs: no failure is hidden."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "tools/test"
# In place of pytest: it ends as the next of CODES says, and writes what it was given.
PYTEST = """#!/bin/bash
echo "$*" >>"$FOLDER/runs"
code=$(sed -n "$(wc -l <"$FOLDER/runs")p" "$FOLDER/codes")
[ "$code" != interrupted ] || { trap 'exit 2' INT; kill -INT 0; }
exit "$code"
"""


def ran(folder: Path, codes: list[str], *arguments: str) -> tuple[int, list[str]]:
    """Return how the runs ended, and what each was given, where each of pytest ends by a code."""
    folder.joinpath("pytest").write_text(PYTEST)
    folder.joinpath("pytest").chmod(0o755)
    folder.joinpath("codes").write_text("\n".join(codes))
    done = subprocess.run(
        [RUN, *arguments],
        env={"PATH": f"{folder}:{os.environ['PATH']}", "FOLDER": str(folder)},
        start_new_session=True,  # the signal is for it alone
        check=False,
    )
    return done.returncode, folder.joinpath("runs").read_text().splitlines()


ALL, SELECTED, TORTURE = (), ("-k", "a or b"), ("torture", "-k", "a or b")


@pytest.mark.parametrize(
    ("arguments", "codes", "ends"),
    [
        (ALL, "000", 0),
        (ALL, "100", 1),
        (ALL, "010", 1),
        (ALL, "001", 1),
        (ALL, "105", 5),
        (ALL, "050", 5),
        (SELECTED, "00", 0),
        (SELECTED, "05", 0),
        (SELECTED, "50", 0),
        (SELECTED, "55", 5),
        (SELECTED, "51", 1),
        (SELECTED, "15", 1),
        (TORTURE, "05", 0),
        (TORTURE, "15", 1),
        (TORTURE, "55", 5),
    ],
)
def test_one_failure_is_a_failure_and_a_run_without_tests_is_none(
    tmp_path: Path, arguments: tuple[str, ...], codes: str, ends: int
) -> None:
    code, runs = ran(tmp_path, list(codes), *arguments)
    assert code == ends
    assert len(runs) == len(codes)
    assert all(run.endswith("-k a or b") for run in runs) == bool(arguments)


def test_an_interrupt_ends_all_runs(tmp_path: Path) -> None:
    code, runs = ran(tmp_path, ["interrupted", "0", "0"])
    assert code == 128 + signal.SIGINT
    assert len(runs) == 1

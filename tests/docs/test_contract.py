"""The contract is held to protos/released.binpb: nothing that it has promised can be taken back."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RATING = "  // The rating, from `min` to `max`.\n  int32 value = 1;\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The contract and its guard, to be changed."""
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    (tmp_path / "tools").mkdir()
    for name in ("tools/check-breaking", "buf.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def checked(checkout: Path) -> "subprocess.CompletedProcess[str]":
    tools = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    command = [checkout / "tools/check-breaking"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def replace(checkout: Path, old: str, new: str, name: str = "response.proto") -> None:
    file = checkout / "protos/persona/v1" / name
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def test_the_contract_is_what_was_promised_or_more(checkout: Path) -> None:
    assert checked(checkout).returncode == 0
    replace(checkout, RATING, f"{RATING}  // A field more.\n  string unit = 4;\n")
    assert checked(checkout).returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (RATING, "", 'field "1" with name "value" on message "RatingAnswer"'),
        (RATING, RATING.replace("int32", "int64"), 'type from "int32" to "int64"'),
        (RATING, RATING.replace("value", "rating"), '"RatingAnswer" changed name'),
        (RATING, RATING.replace("1", "9"), 'field "1" with name "value"'),
    ],
)
def test_what_was_promised_stays(checkout: Path, old: str, new: str, said: str) -> None:
    replace(checkout, old, new)
    found = checked(checkout)
    assert found.returncode == 100, found.stderr
    assert said in found.stdout


def test_an_rpc_that_was_promised_stays(checkout: Path) -> None:
    rpc = "  rpc GetResponse(GetResponseRequest) returns (GetResponseResponse);\n"
    replace(checkout, rpc, "", "response_service.proto")
    assert '"GetResponse" on service "ResponseService"' in checked(checkout).stdout

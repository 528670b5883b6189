"""`persona erase` and `persona tenants erase`: what they show, ask and refuse."""

import subprocess
import sys
from pathlib import Path

import pytest

from persona_server.storage.engine.folder import lock_file
from persona_server.storage.keys import id_text
from persona_server.storage.store import open_store
from support.answering.recorded import one_each
from support.data import persona, uid
from support.stored import TENANT, StoredGroup

PERSONA = Path(sys.executable).with_name("persona")
ONE = "1 persona, 1 answer, 0 library personas, 0 reference answers"


def run(folder: Path, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    command = [str(PERSONA), *arguments, "--data", str(folder)]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two personas that have answered."""
    return tmp_path / "data"


@pytest.fixture
def ids(folder: Path) -> list[str]:
    """The two."""
    store = open_store(folder)
    group = StoredGroup(store)
    made = group.add(persona(full_name="Maria Santos"), persona(full_name="Kwame Mensah"))
    one_each(group, made)
    store.close()
    return [id_text(one) for one in made]


def left(folder: Path) -> int:
    store = open_store(folder)
    try:
        with store.reading(TENANT) as repositories:
            return repositories.quotas.stored()
    finally:
        store.close()


def test_it_shows_what_will_go_and_asks(folder: Path, ids: list[str]) -> None:
    before, command = left(folder), ("erase", ids[0].upper(), "--tenant", TENANT)
    for answer in ("n\n", ""):
        done = run(folder, *command, stdin=answer)
        assert done.returncode == 1
        assert f"'Maria Santos': {ONE}." in done.stdout
        assert left(folder) == before
    done = run(folder, *command, stdin="y\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"Erased: {ONE}.\n")
    assert 0 < left(folder) < before
    again = run(folder, *command, "--yes")
    assert (again.returncode, again.stdout) == (
        0,
        "Erased before, and again now: "
        "1 persona, 0 answers, 0 library personas, 0 reference answers.\n",
    )


def test_a_tenant_is_asked_for_too(folder: Path, ids: list[str]) -> None:
    assert len(ids) == 2
    command = ("tenants", "erase", TENANT)
    done = run(folder, *command, stdin="n\n")
    assert done.returncode == 1
    assert f"Tenant {TENANT}: 1 project, 2 personas, 2 answers." in done.stdout
    assert left(folder)
    assert run(folder, *command, "--yes").stdout == "Erased: 1 project, 2 personas, 2 answers.\n"
    assert left(folder) == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("erase", "x", "--tenant", TENANT), 2),
        (("erase", uid(), "--tenant", TENANT), 1),
        (("erase", uid(), "--tenant", "nobody"), 1),
        (("tenants", "erase", "nobody"), 1),
    ],
)
def test_what_is_not_there(
    folder: Path, ids: list[str], arguments: tuple[str, ...], code: int
) -> None:
    assert len(ids) == 2
    before = left(folder)
    done = run(folder, *arguments, "--yes")
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("persona: ")
    assert left(folder) == before


def test_it_refuses_while_a_server_uses_the_folder(folder: Path, ids: list[str]) -> None:
    before = left(folder)
    with lock_file(folder):
        done = run(folder, "erase", ids[0], "--tenant", TENANT, "--yes")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Stop it, or name another folder." in done.stderr
    assert left(folder) == before


def test_it_makes_no_database(tmp_path: Path) -> None:
    done = run(tmp_path / "nothing", "erase", uid(), "--tenant", TENANT, "--yes")
    assert (done.returncode, done.stdout) == (1, "")
    assert not (tmp_path / "nothing").exists()

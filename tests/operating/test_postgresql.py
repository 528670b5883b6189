"""What an operator does with a database of PostgreSQL, by the same commands as with a folder."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from persona_server.storage.store import open_store
from support.data import make_place, persona
from support.importer import LEAN
from support.postgresql import Cluster
from support.service import Service, running_service
from support.stored import StoredGroup

PERSONA = Path(sys.executable).with_name("persona")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def url(cluster: Cluster) -> str:
    """Where an empty database is."""
    return cluster.database()


@pytest.fixture
def run(url: str) -> Run:
    """A function that runs a command on the database, named by the environment."""

    def done(*arguments: str, database: str = url) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PERSONA_DATABASE": database}
        return subprocess.run(
            [str(PERSONA), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment,
        )

    return done


@pytest.fixture
def served(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let services that a test starts serve from the database."""
    monkeypatch.setattr(Service, "database_of", staticmethod(lambda _: url))


def test_a_first_start_makes_the_tables(url: str, run: Run, served: None, tmp_path: Path) -> None:
    with running_service(tmp_path / "unused", *LEAN, "--demo", "--print-token") as service:
        made = make_place(service.connect())
        assert made.create(persona()).id
        assert url in service.printed("data")
        token = run("token", "--tenant", "local").stdout.strip()
        assert make_place(service.connect(token)).count() == 0
        quotas = run("tenants", "quotas", "local")
        assert "stored now" in quotas.stdout
    assert not (tmp_path / "unused").exists()


def test_nothing_is_served_from_what_nobody_has_migrated(
    cluster: Cluster, url: str, run: Run
) -> None:
    role = f"app_{uuid.uuid4().hex}"
    cluster.execute(f"CREATE ROLE {role} LOGIN")
    theirs = url.replace("persona@", f"{role}@")
    done = run("token", "--tenant", "acme", database=theirs)
    assert done.returncode == 1
    assert "older version" in done.stderr
    refused = run("serve", "--listen", "127.0.0.1:0", "--rest", "off", database=theirs)
    assert refused.returncode == 1
    assert "permission denied" in refused.stderr
    assert run("migrate", "--grant-to", role).returncode == 0
    assert run("token", "--tenant", "acme", "--init", database=theirs).returncode == 0


def test_migrating_again_changes_nothing(url: str, run: Run) -> None:
    for _ in range(2):
        done = run("migrate")
        assert (done.returncode, done.stdout) == (0, f"{url} is of this version.\n")


def test_only_a_cluster_has_tables_distributed(cluster: Cluster, run: Run) -> None:
    done = run("distribute", database=cluster.migrated())
    assert (done.returncode, done.stdout) == (1, "")
    assert "has no Citus" in done.stderr


def test_a_file_has_no_roles(run: Run, tmp_path: Path) -> None:
    words = ("migrate", "--data", str(tmp_path / "data"), "--grant-to", "x")
    refused = run(*words, database="")
    assert refused.returncode == 1
    assert "There is no database" in refused.stderr  # and none is made
    open_store(tmp_path / "data").close()
    done = run(*words, database="")
    assert done.returncode == 1
    assert "it has no roles" in done.stderr


def test_rights_are_given_to_a_role_that_is_there(run: Run) -> None:
    done = run("migrate", "--grant-to", "nobody-has-this-name")
    assert done.returncode == 1
    assert 'role "nobody-has-this-name" does not exist' in done.stderr


def test_an_erasure_wants_the_servers_stopped(
    url: str, run: Run, served: None, tmp_path: Path
) -> None:
    with running_service(tmp_path / "unused", *LEAN) as service:
        made = make_place(service.connect())
        one = made.create(persona())
        done = run("erase", one.id, "--tenant", "local", "--yes")
        assert done.returncode == 1
        assert "Stop it first" in done.stderr
        assert made.get(one.id).full_name == one.full_name
    done = run("erase", one.id, "--tenant", "local", "--yes")
    assert done.stdout == "Erased: 1 persona, 0 answers, 0 library personas, 0 reference answers.\n"


def test_measures_are_rebuilt(url: str, run: Run) -> None:
    store = open_store(url)
    StoredGroup(store).add(persona())
    store.close()
    done = run("rebuild-measures")
    assert done.stdout.startswith("Rebuilt from 0 answers in 0 simulations of 1 tenants")


def test_a_database_that_is_none_is_refused(run: Run) -> None:
    done = run("token", "--tenant", "acme", database="mysql://x")
    assert done.returncode == 2
    assert "--database wants a URL" in done.stderr
    gone = run("token", "--tenant", "acme", database="postgresql://persona:secret@127.0.0.1:1/x")
    assert gone.returncode == 1
    assert "can't be used" in gone.stderr
    assert "secret" not in gone.stderr

"""What an operator does with a database of PostgreSQL, by the same commands as with a folder."""

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import grpc
import psycopg
import pytest
from psycopg import sql

from persona_server.storage.keys import id_text
from persona_server.storage.store import open_store
from support.data import Place, make_place, persona
from support.errors import problem_of
from support.importer import LEAN
from support.operating.health import is_serving
from support.postgresql import Cluster, running_cluster
from support.probe import Probe
from support.service import Service, running_service
from support.stored import StoredGroup
from support.waiting import eventually

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
    assert "has no tables yet" in done.stderr
    refused = run("serve", "--listen", "127.0.0.1:0", "--rest", "off", database=theirs)
    assert refused.returncode == 1
    assert "permission denied" in refused.stderr
    assert "let that one say `persona migrate --grant-to ROLE`" in refused.stderr
    assert run("migrate", "--grant-to", role).returncode == 0
    assert run("token", "--tenant", "acme", "--init", database=theirs).returncode == 0


def test_migrating_again_changes_nothing(url: str, run: Run) -> None:
    for _ in range(2):
        done = run("migrate")
        assert (done.returncode, done.stdout) == (0, f"{url} is of this version.\n")


@pytest.mark.parametrize(
    "more",
    [
        "COMMENT ON TABLE note IS 'without a key, so that nothing refuses rows'",
        "ALTER TABLE note ADD PRIMARY KEY (id), ADD FOREIGN KEY (boss) REFERENCES note",
        "CREATE VIEW noted AS SELECT count(*) AS id FROM note",
    ],
    ids=["table", "table of a tree", "view"],
)
def test_what_others_keep_beside_the_tables_is_left_alone(
    owned: str, app: str, run: Run, more: str
) -> None:
    """A schema such as public has views of extensions, and may have tables of other programs."""
    with psycopg.connect(owned, autocommit=True) as connection:
        connection.execute("CREATE TABLE note AS SELECT 1 AS id, 1 AS boss, 'theirs' AS text")
        connection.execute(more)
        made = run("migrate", "--grant-to", app, database=owned)
        assert made.returncode == 0, made.stderr
        assert connection.execute("TABLE note").fetchall() == [(1, 1, "theirs")]
        may = "SELECT has_table_privilege(%s, 'note', 'SELECT')"
        assert connection.execute(may, [app]).fetchall() == [(False,)]


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


@pytest.fixture
def app(cluster: Cluster) -> str:
    """The name of a role that a server may have, which owns nothing."""
    name = f"app_{uuid.uuid4().hex}"
    cluster.execute(f"CREATE ROLE {name} LOGIN")
    return name


@pytest.fixture
def owned(cluster: Cluster) -> str:
    """The URL, as its owner, of an empty database whose owner may do nothing else."""
    name = f"owner_{uuid.uuid4().hex}"
    cluster.execute(f"CREATE ROLE {name} LOGIN")
    cluster.execute(f"CREATE DATABASE {name} OWNER {name} ENCODING 'UTF8' TEMPLATE template0")
    return cluster.url(name, name)


def of_role(url: str, role: str) -> str:
    return re.sub("//[^@]+@", f"//{role}@", url)


def owner_of(url: str) -> str:
    return url.rpartition("/")[2]


def test_who_does_not_own_the_tables_erases_nothing(owned: str, app: str, run: Run) -> None:
    assert run("migrate", "--grant-to", app, database=owned).returncode == 0
    store = open_store(owned)
    [one] = StoredGroup(store, "acme").add(persona())
    before = [Probe(store).rows(table) for table in ("persona", "persona_term", "audit")]
    theirs = of_role(owned, app)
    words = (("erase", id_text(one), "--tenant", "acme"), ("tenants", "erase", "acme"))
    store.close()
    for command in words:
        refused = run(*command, "--yes", database=theirs)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith(f"persona: The role {app} does not own the tables")
    store = open_store(owned)
    assert [Probe(store).rows(table) for table in ("persona", "persona_term", "audit")] == before
    store.close()
    for command in words:
        assert run(*command, "--yes", database=owned).returncode == 0


def test_rights_are_given_by_the_owner_and_not_taken_from_it(
    cluster: Cluster, owned: str, app: str, run: Run
) -> None:
    assert run("migrate", database=owned).returncode == 0
    itself = run("migrate", "--grant-to", owner_of(owned), database=owned)
    assert itself.returncode == 1
    assert f"{owner_of(owned)} owns the tables" in itself.stderr
    assert run("tenants", "erase", "nobody", "--yes", database=owned).returncode == 1
    assert run("migrate", "--grant-to", app, database=owned).returncode == 0
    cluster.execute(f"CREATE ROLE x{app} LOGIN")
    other = run("migrate", "--grant-to", f"x{app}", database=of_role(owned, app))
    assert other.returncode == 1
    assert f"The role {app} does not own the tables" in other.stderr


@pytest.mark.parametrize("right", ["SELECT", "INSERT", "UPDATE", "DELETE"])
def test_a_role_that_lacks_rights_serves_nobody(owned: str, app: str, run: Run, right: str) -> None:
    assert run("migrate", "--grant-to", app, database=owned).returncode == 0
    with psycopg.connect(owned, autocommit=True) as connection:
        lost = sql.SQL(f"REVOKE {right} ON simulation FROM {{}}")
        connection.execute(lost.format(sql.Identifier(app)))
    refused = run("serve", "--listen", "127.0.0.1:0", database=of_role(owned, app))
    assert refused.returncode == 1
    assert f"The role {app} may not read or write the table simulation" in refused.stderr
    assert f"persona migrate --grant-to {app}" in refused.stderr


def test_the_schema_may_be_one_that_not_everybody_may_use(owned: str, app: str, run: Run) -> None:
    with psycopg.connect(owned, autocommit=True) as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    assert run("migrate", "--grant-to", app, database=owned).returncode == 0
    made = run("token", "--tenant", "acme", "--init", database=of_role(owned, app))
    assert made.returncode == 0, made.stderr


def test_a_view_of_another_owner_is_in_nobodys_way(
    owned: str, cluster: Cluster, app: str, run: Run
) -> None:
    """Such as those of extensions, on which the owner of the tables has no right to give."""
    with psycopg.connect(cluster.url(owner_of(owned)), autocommit=True) as superuser:
        superuser.execute("CREATE VIEW public.of_an_extension AS SELECT 1")
    done = run("migrate", "--grant-to", app, database=owned)
    assert done.returncode == 0, done.stderr
    assert run("token", "--tenant", "acme", "--init", database=of_role(owned, app)).returncode == 0


def test_statements_of_commands_take_their_time(cluster: Cluster, owned: str, run: Run) -> None:
    """Whatever is set for the role: an erasure ends with tables written anew."""
    cluster.execute(f"ALTER ROLE {owner_of(owned)} SET statement_timeout = '1ms'")
    assert run("migrate", database=owned).returncode == 0
    store = open_store(owned)
    [one] = StoredGroup(store, "acme").add(persona())
    store.close()
    done = run("erase", id_text(one), "--tenant", "acme", "--yes", database=owned)
    assert (done.returncode, done.stderr) == (0, "")


def test_where_nothing_may_be_written_health_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As who runs a database has it where its disk is nearly full."""
    with running_cluster() as mine:
        url = mine.database()
        monkeypatch.setattr(Service, "database_of", staticmethod(lambda _: url))
        with running_service(tmp_path / "unused", *LEAN) as service:
            place = make_place(service.connect())
            for setting, serves in (("on", False), ("off", True)):
                mine.execute(f"ALTER SYSTEM SET default_transaction_read_only = {setting}")
                mine.execute("SELECT pg_reload_conf()")
                shows(service, place, serves=serves)
            assert place.count() == 0


def shows(service: Service, place: Place, *, serves: bool) -> None:
    eventually(lambda: is_serving(service) == serves)  # before anybody has tried
    eventually(lambda: refuses_to_write(place) != serves)


def refuses_to_write(place: Place) -> bool:
    try:
        place.delete_all()
    except grpc.RpcError as error:
        return problem_of(error).reason == "DATABASE_UNAVAILABLE"
    return False


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


@pytest.mark.parametrize("replica", ["postgresql://x:secret@[zz/p", "postgresql://x@h/p?secret=1"])
def test_a_replica_that_can_not_be_named_ends_the_start(run: Run, replica: str) -> None:
    words = ("serve", "--listen", "127.0.0.1:0", "--rest", "off", "--metrics", "off")
    refused = run(*words, "--read-database", replica)
    assert refused.returncode == 1
    last = refused.stderr.splitlines()[-1]  # the tables were made before
    assert last.startswith("persona serve: The URL of the database can't be read.")
    assert "secret" not in refused.stderr


def test_measures_are_rebuilt(url: str, run: Run) -> None:
    store = open_store(url)
    StoredGroup(store).add(persona())
    store.close()
    done = run("rebuild-measures")
    assert done.stdout.startswith("Rebuilt from 0 answers in 0 simulations of 1 tenant ")


def test_a_database_that_is_none_is_refused(run: Run) -> None:
    done = run("token", "--tenant", "acme", database="mysql://x")
    assert done.returncode == 2
    assert "--database wants a URL" in done.stderr
    gone = run("token", "--tenant", "acme", database="postgresql://persona:secret@127.0.0.1:1/x")
    assert gone.returncode == 1
    assert "can't be used" in gone.stderr
    assert "secret" not in gone.stderr

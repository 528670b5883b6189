"""`persona copy --from … --to …`: a whole database in another one, and what is refused."""

import re
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from persona_cli import app
from persona_server.storage.copying.copier import ROWS, chunks
from persona_server.storage.copying.places import copying
from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.folder import lock_file
from persona_server.storage.store import open_store
from support.databases.filled import EMPTY, NAMES, change, content
from support.postgresql import Cluster
from support.stored import StoredGroup

pytestmark = pytest.mark.sqlite("names both databases itself")
LINE = re.compile(r"(equal|differs) +(\w+) +([\d,]+) rows  ([0-9a-f]{64})")
LAST = "response_void"  # a table that has its turn behind most


class Ended(NamedTuple):
    """How a copy ended: its exit code, a word for each table, and what was said beside."""

    code: int
    found: dict[str, str]
    said: str


def copy(source: Path | str, target: Path | str, *words: str) -> Ended:
    done = CliRunner().invoke(app, ["copy", "--from", str(source), "--to", str(target), *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    lines = [LINE.fullmatch(line) for line in done.stdout.splitlines()]
    return Ended(done.exit_code, {line[2]: line[1] for line in lines if line}, done.stderr)


def refused(source: Path | str, target: Path | str, code: int = 1) -> str:
    ended = copy(source, target)
    assert (ended.code, ended.found) == (code, {}), ended
    return ended.said


@pytest.fixture
def url(cluster: Cluster) -> str:
    """Where a database is that has all tables and no row."""
    return cluster.migrated()


def unfinished(source: Path | str, target: Path | str) -> None:
    """Copy until a table is reached, and end."""
    with copying(source, target) as copier:
        for step in copier.copy():
            if step.table == LAST:
                break


def test_every_table_is_copied_there_and_back(
    filled: Path, cluster: Cluster, tmp_path: Path
) -> None:
    """Also into databases without a table."""
    expected, url, again = content(filled), cluster.database(), tmp_path / "again"
    assert {name for name, rows in expected.items() if not rows} == EMPTY  # or it proves nothing
    there = copy(filled, url)
    assert (there.code, there.found) == (0, dict.fromkeys(NAMES, "equal")), there.said
    assert f"of {len(expected['response']):,} rows" in there.said
    assert content(url) == expected
    back = copy(url, f"sqlite://{again}")
    assert (back.code, back.found) == (0, dict.fromkeys(NAMES, "equal")), back.said
    assert content(again) == expected
    for place in (url, again):
        store = open_store(place, make=False)
        StoredGroup(store)  # who writes goes on
        store.close()


def test_an_ended_copy_goes_on_and_nothing_is_doubled(filled: Path, url: str) -> None:
    unfinished(filled, url)
    for make in (True, False):
        with pytest.raises(DatabaseError, match="unfinished copy"):
            open_store(url, make=make)
    assert "is an unfinished copy" in refused(url, filled.parent / "other")
    ended = copy(filled, url)
    assert (ended.code, set(ended.found.values())) == (0, {"equal"}), ended.said
    assert content(url) == content(filled)


DAMAGE = {
    "sums": "UPDATE sums SET differences = differences + 1",
    "answered": "DELETE FROM answered WHERE earliest = (SELECT earliest FROM answered LIMIT 1)",
    "tenant": "INSERT INTO tenant VALUES (1, 'one more', 1)",
    "secret": "UPDATE secret SET value = '\\x00'",
}


@pytest.mark.parametrize("table", DAMAGE)
def test_a_row_that_is_damaged_is_found(filled: Path, url: str, table: str) -> None:
    unfinished(filled, url)
    change(url, DAMAGE[table])
    for _ in range(2):
        ended = copy(filled, url)
        assert ended.code == 1
        assert {name for name, state in ended.found.items() if state == "differs"} == {table}
        assert f"the copy differs in {table}. No server takes it" in ended.said
        with pytest.raises(DatabaseError, match="unfinished copy"):
            open_store(url)


def test_a_target_with_anything_in_it_is_refused(filled: Path, url: str, tmp_path: Path) -> None:
    for place in (url, tmp_path / "other"):
        assert copy(filled, place).code == 0
        before = content(place)
        assert "is not empty: there are rows in" in refused(filled, place)
        assert content(place) == before


def test_an_unfinished_copy_of_another_source_is_refused(
    filled: Path, url: str, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    assert copy(filled, other).code == 0
    unfinished(other, url)
    assert copy(filled, tmp_path / "third").code == 0  # the same, by another name
    store = open_store(other)
    StoredGroup(store)
    store.close()
    assert "of this one before it was changed" in refused(other, url)
    assert copy(filled, url).code == 0


def test_nobody_may_use_either(filled: Path, url: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with lock_file(filled):
        assert "Another server" in refused(filled, url)
    with closing(open_store(url, make=False)):
        assert "A server or another command is using" in refused(filled, url)
    assert copy(filled, url).code == 0
    with closing(open_store(url, make=False)):
        assert "A server or another command is using" in refused(url, other)
    with ExitStack() as held:
        other.mkdir(exist_ok=True)
        held.enter_context(lock_file(other))
        assert "Another server" in refused(url, other)


def test_versions_that_differ_are_refused(filled: Path, url: str, tmp_path: Path) -> None:
    newer = "INSERT INTO schema_migration (name, applied) VALUES ('9999_x', '2030-01-01')"
    older = "DELETE FROM schema_migration WHERE name = '0018_guards'"
    change(url, newer)
    assert "made by a newer version (it has 9999_x)" in refused(filled, url)
    change(url, "DELETE FROM schema_migration WHERE name = '9999_x'")
    change(url, older)
    assert "made by an older version" in refused(filled, url)
    other = tmp_path / "other"
    assert copy(filled, other).code == 0
    change(other, newer)
    assert "made by a newer version" in refused(other, tmp_path / "third")
    change(other, "DELETE FROM schema_migration WHERE name >= '0018'")
    assert "made by an older version" in refused(other, tmp_path / "third")
    assert not (tmp_path / "third").exists()  # what is refused makes nothing


def test_places_that_can_not_be_are_refused(filled: Path, url: str, tmp_path: Path) -> None:
    assert "There is no database in" in refused(tmp_path / "nowhere", url)
    assert "does not exist" in refused(filled, f"{url}_missing")
    assert "name the same database" in refused(filled, f"sqlite://{filled}", 2)
    assert "wants sqlite:///FOLDER" in refused("sqlite://here", url, 2)
    assert "wants a URL such as" in refused("mysql://127.0.0.1/persona", url, 2)


def test_a_chunk_is_bounded_by_rows_and_by_bytes() -> None:
    assert [len(chunk) for chunk in chunks((n,) for n in range(2 * ROWS + 1))] == [ROWS, ROWS, 1]
    large = [(n, b"x" * (3 << 20), "text") for n in range(7)]
    assert [len(chunk) for chunk in chunks(large)] == [3, 3, 1]
    assert [row for chunk in chunks(large) for row in chunk] == large
    assert list(chunks([])) == []

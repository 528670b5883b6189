"""Every compiled statement: one tenant, bound for each table it names, and found by an index."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import persona_server
from persona_server.storage import tables
from persona_server.storage.engine.statements import Statement
from persona_server.storage.store import Store, open_store
from support.databases.compiled import MAY_READ_ALL, MAY_SCAN, populate, statements_of

TABLES: set[str] = {model._meta.table_name for model in tables.ALL}
# The only tables without the tenant's key: who the tenants are, and what all of them share.
NO_TENANT = {"tenant", "secret"}
# What asks for tenants has none.
OF_ALL_TENANTS = {
    "store.rebuild._count",
    "store.tenants._voiding",
    "store.tenants._next_promoting",
    "store.credential_statements.live_keys",
    "store.credential_statements.revoked",
}
_REFERENCE = re.compile(
    r'(?:FROM|JOIN|UPDATE|INTO|,)\s+\(?"(?P<table>\w+)"(?!\.)(?:\s+AS\s+"(?P<alias>\w+)")?',
)


class Reference(NamedTuple):
    """A place where a statement names a table, and the name it has in the statement."""

    table: str
    alias: str


def references(sql: str) -> list[Reference]:
    """Return every reference to a table."""
    found = [(m["table"], m["alias"] or m["table"]) for m in _REFERENCE.finditer(sql)]
    return [Reference(*each) for each in found if each[0] in TABLES]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A populated database that was never analysed."""
    opened = open_store(tmp_path_factory.mktemp("plans") / "data")
    populate(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def statements(store: Store) -> dict[str, Statement]:
    """Every statement that the store has compiled, by where it stands."""
    return statements_of(store)


def plan(store: Store, statement: Statement) -> list[str]:
    """Return what SQLite means to do, foreign-key checks included."""
    ids = store.database.as_list([bytes(16)])
    values = [ids if name == "ids" else None for name in statement.params]
    rows = store.database.execute_sql(f"EXPLAIN QUERY PLAN {statement.sql}", values).fetchall()
    return [row[3] for row in rows]


def test_no_statement_reads_a_whole_table(store: Store, statements: dict[str, Statement]) -> None:
    wrong = []
    for name, statement in statements.items():
        tables_named = {r.alias for r in references(statement.sql)} | TABLES
        for step in plan(store, statement):
            scan = re.match(r"SCAN (?:TABLE )?(\w+)", step)
            if scan and scan[1] in tables_named and name not in MAY_SCAN:
                wrong.append(f"{name}: {step}")
    assert not wrong


def test_no_statement_searches_by_the_tenant_alone(
    store: Store, statements: dict[str, Statement]
) -> None:
    wrong = [
        f"{name}: {step}"
        for name, statement in statements.items()
        for step in plan(store, statement)
        if name not in MAY_READ_ALL
        if re.search(r"\(tenant_id=\?\)", step)
    ]
    assert not wrong


def test_lists_come_out_of_their_index_in_order(
    store: Store, statements: dict[str, Statement]
) -> None:
    """A sort would read everything before it gives the first page."""
    sorting = [
        name
        for name, statement in statements.items()
        if any("USE TEMP B-TREE" in step for step in plan(store, statement))
    ]
    # The work list of sets is short, and is ordered by two columns of one index and a key.
    assert set(sorting) <= {"store.sweeper._due_sets"}


def test_places_of_the_library_are_looked_at_in_an_index_alone(
    store: Store, statements: dict[str, Statement]
) -> None:
    """Ten thousand rows elsewhere, one by one, would take 28 ms."""
    places = [name for name in statements if name.startswith("store.library_statements.keys[")]
    assert len(places) == 12
    for name in places:
        searches = [step for step in plan(store, statements[name]) if "SEARCH" in step]
        terms = [step for step in searches if step.startswith("SEARCH one USING PRIMARY KEY")]
        others = [step for step in searches if step not in terms]
        assert all("USING COVERING INDEX" in step for step in others), (name, searches)


def test_whole_values_are_found_by_the_index_of_terms(
    store: Store, statements: dict[str, Statement]
) -> None:
    """In the order of the list; what else they must have is looked up one by one."""
    first = "SEARCH t1 USING PRIMARY KEY (tenant_id=? AND set_id=? AND hash=? AND position>?)"
    other = "SEARCH one USING PRIMARY KEY (tenant_id=? AND set_id=? AND hash=? AND position=?)"
    mine = "store.persona_statements.pages.by_term."
    pages = [name for name in statements if name.startswith(mine)]
    assert len(pages) == 2
    for name in pages:
        searches = [step for step in plan(store, statements[name]) if "SEARCH" in step]
        assert {first, other} <= set(searches)
        rows = [step for step in searches if "persona_page" in step]
        assert not rows, "the list is not looked at from its beginning"
    by_external_id = plan(store, statements["store.term_statements.find"])
    wanted = "SEARCH t1 USING PRIMARY KEY (tenant_id=? AND set_id=? AND hash=?)"
    assert by_external_id[0] == wanted


def test_each_list_of_answers_walks_the_index_of_its_own(
    store: Store, statements: dict[str, Statement]
) -> None:
    """So a filter by itself is served by an index, in both directions."""
    for (walk, descending), expected in _INDEXES.items():
        name = f"store.response_statements.lists.walks[{(walk, descending)}]"
        for each in ("longest", "pages.page", "pages.ahead"):
            steps = "\n".join(plan(store, statements[f"{name}.{each}"]))
            assert set(re.findall(r"INDEX (response_\w+)", steps)) == expected, (name, steps)


_INDEXES = {
    (walk, descending): {f"response_{index}" for index in indexes}
    for walk, indexes in {
        "persona": ("persona",),
        "simulation": ("simulation",),
        "library": ("persona", "library"),
        "group": ("group",),
        "question": ("question",),
        "project": ("project",),
        "recorded": ("recorded",),
    }.items()
    for descending in (False, True)
}


def test_database_was_never_analysed(store: Store) -> None:
    """After ANALYZE plans depend on bound values, and this test would prove nothing."""
    found = store.database.execute_sql("SELECT name FROM sqlite_schema").fetchall()
    assert not [name for (name,) in found if name.startswith("sqlite_stat")]


def test_tenant_is_bound_for_every_table(statements: dict[str, Statement]) -> None:
    wrong = []
    for name, statement in statements.items():
        if name in OF_ALL_TENANTS:
            continue
        named = [r for r in references(statement.sql) if r.table not in NO_TENANT]
        binds = sum(param in ("tenant", "tenant_id") for param in statement.params)
        # Each row that is inserted has its tenant.
        rows = statement.sql.count("?), (?") + 1 if statement.sql.startswith("INSERT") else 1
        if binds != len(named) * rows:
            wrong.append(f"{name}: {len(named)} tables, {binds} tenants: {statement.sql}")
        for reference in named:
            if not _bound(statement.sql, reference):
                wrong.append(f"{name}: {reference} has no tenant of its own: {statement.sql}")
    assert not wrong


def _bound(sql: str, reference: Reference) -> bool:
    if sql.startswith("INSERT"):
        return f'INTO "{reference.table}" ("tenant_id"' in sql
    return f'"{reference.alias}"."tenant_id" = ?' in sql


def test_every_statement_names_tables_that_the_test_sees(statements: dict[str, Statement]) -> None:
    """So that a new form of SQL can't slip past the patterns above."""
    for name, statement in statements.items():
        named = [reference.table for reference in references(statement.sql)]
        for table in TABLES:
            # Where it qualifies a column, a table's name is followed by a dot.
            free = re.findall(rf'(?<!\.)"{table}"(?!\.)', statement.sql)
            assert len(free) == named.count(table), (name, table)


def test_constants_are_no_ids(statements: dict[str, Statement]) -> None:
    """What a call must bind is a parameter; constants are NULL, numbers and the empty separator."""
    for statement in statements.values():
        assert "'" not in statement.sql


def test_lists_of_the_test_are_not_stale(statements: dict[str, Statement]) -> None:
    assert set(MAY_SCAN) <= set(statements)


def test_sources_build_no_statement_outside_of_storage() -> None:
    root = Path(persona_server.__file__).parent
    for path in sorted(root.rglob("*.py")):
        if not path.is_relative_to(root / "storage"):
            assert "execute_sql" not in path.read_text("utf-8"), path

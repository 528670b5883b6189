"""What PostgreSQL means to do with every compiled statement: by an index, and in its order.

Of tables that were never analysed, since plans are made once and stay while tables grow.
"""

import re
from collections.abc import Iterator

import psycopg
import pytest

from persona_server.storage.engine.postgresql.sessions import OPTIONS
from persona_server.storage.engine.statements import Statement
from persona_server.storage.store import Store, open_store
from support.databases.compiled import MAY_READ_ALL, MAY_SCAN, populate, statements_of
from support.postgresql import Cluster

KINDS: dict[type, str] = {int: "bigint", str: "text", bytes: "bytea", float: "double precision"}
# Statement → why it may sort what it has found.
MAY_SORT = {
    "store.sweeper._due_sets": "the work list of sets is short",
    **{
        f"store.response_statements.lists.walks[('library', {descending})].{part}": (
            "of one individual: its own answers and those of its copies, each by an index"
        )
        for descending in (False, True)
        for part in ("longest", "pages.page", "pages.ahead")
    },
}
# A tenant has one row of it.
ONE_ROW = {
    "store.quota_statements.add",
    "store.quota_statements.stored",
    "store.sweeper._add_stored",
}


@pytest.fixture(scope="module", params=["cluster", "newest_cluster"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    cluster: Cluster = request.getfixturevalue(request.param)
    opened = open_store(cluster.migrated())
    populate(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def plans(store: Store) -> dict[str, str]:
    """What is done for each statement, whatever it is bound to."""
    with psycopg.connect(str(store.place), autocommit=True, prepare_threshold=None) as connection:
        for name, value in OPTIONS.items():
            connection.execute(f"SET {name} = '{value}'".encode())
        return {name: plan(connection, one) for name, one in statements_of(store).items()}


def plan(connection: psycopg.Connection[tuple[str]], statement: Statement) -> str:
    """Return the generic plan of a statement."""
    sql, types = statement.sql, [kind(statement, name) for name in statement.params]
    for number in range(1, len(types) + 1):
        sql = sql.replace("%s", f"${number}", 1)
    declared = f"({', '.join(types)})" if types else ""
    values = f"({', '.join(['NULL'] * len(types))})" if types else ""
    connection.execute("DEALLOCATE ALL")
    connection.execute(f"PREPARE this {declared} AS {sql}".encode())
    steps = connection.execute(f"EXPLAIN (COSTS OFF) EXECUTE this{values}".encode()).fetchall()
    return "\n".join(step for (step,) in steps)


def kind(statement: Statement, name: str) -> str:
    """Return the type of a constant, or that PostgreSQL finds out the type by itself."""
    constant = statement.compiled.constants.get(name)
    return "unknown" if constant is None else KINDS[type(constant)]


def test_no_statement_reads_a_whole_table(plans: dict[str, str]) -> None:
    assert {name for name, steps in plans.items() if "Seq Scan on" in steps} <= set(MAY_SCAN)


def test_no_statement_searches_by_the_tenant_alone(plans: dict[str, str]) -> None:
    alone = re.compile(r"Index Cond: \(tenant_id = \$\d+\)$", re.MULTILINE)
    found = {name for name, steps in plans.items() if alone.search(steps)}
    assert found == MAY_READ_ALL | ONE_ROW


def test_lists_come_out_of_their_index_in_order(plans: dict[str, str]) -> None:
    assert {name for name, steps in plans.items() if "Sort Key" in steps} <= set(MAY_SORT)


def test_plans_go_row_by_row(plans: dict[str, str]) -> None:
    """What is read whole, to be joined or asked, would be all that a tenant has."""
    read_whole = re.compile("Hash Cond|hashed SubPlan|Merge Cond|Materialize")
    assert not {name for name, steps in plans.items() if read_whole.search(steps)}


def test_every_walk_has_its_index(plans: dict[str, str]) -> None:
    """So a filter by itself is served by an index, in both directions."""
    for walk in ("persona", "simulation", "group", "question", "project", "recorded"):
        for descending in (False, True):
            name = f"store.response_statements.lists.walks[{(walk, descending)}]"
            for part in ("longest", "pages.page", "pages.ahead"):
                steps = plans[f"{name}.{part}"]
                assert set(re.findall(r"using (response_[a-u]\w+) on", steps)) == {
                    f"response_{walk}"
                }, (name, part, steps)

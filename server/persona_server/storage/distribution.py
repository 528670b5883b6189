"""The tables on a Citus cluster: each tenant's rows on one of its nodes."""

from collections.abc import Iterator

from persona_server.storage.copying.tables import parents_first
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.errors import DatabaseError, refusing_to_open

TENANT = "tenant_id"  # the column by which rows go to a node
EVERYWHERE = {"tenant", "secret"}  # tables that belong to no tenant: each node has them whole

_CITUS = "SELECT 1 FROM pg_extension WHERE extname = 'citus'"
_THERE = "SELECT logicalrelid::text FROM pg_dist_partition"
_TRIGGERS = "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal"


def distribute(database: Database) -> Iterator[str]:
    """Put every table on the nodes of a cluster, parents first; yield each that was put there.

    Those that are there stay as they are, so a run that has broken off goes on. Citus has no
    triggers, so those that guard what is kept go: what a server's role may not do is left. Raises
    DatabaseError where there is no Citus, or while a server is connected.
    """
    if database.engine != "postgresql":
        raise DatabaseError(f"{database.place} is a file: it has no nodes.")
    with refusing_to_open(database.place):
        if not database.execute_sql(_CITUS).fetchall():
            raise DatabaseError(
                f"{database.place} has no Citus. Let its superuser say CREATE EXTENSION citus."
            )
        with database.alone():
            there = {name for (name,) in database.execute_sql(_THERE).fetchall()}
            for model in parents_first(database):
                table: str = model._meta.table_name
                if table not in there:
                    _put(database, table)
                    yield table


def _put(database: Database, table: str) -> None:
    for (trigger,) in database.execute_sql(_TRIGGERS, (table,)).fetchall():
        database.execute_sql(f'DROP TRIGGER "{trigger}" ON "{table}"')
    if table in EVERYWHERE:
        database.execute_sql("SELECT create_reference_table(%s)", (table,))
    else:
        database.execute_sql("SELECT create_distributed_table(%s, %s)", (table, TENANT))

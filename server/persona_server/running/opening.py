"""Whether a start may make a new service where there is no database."""

from persona_server.settings.config import Settings
from persona_server.settings.rules import reachable_by_others
from persona_server.storage.engine.database import shown
from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.folder import has_database
from persona_server.storage.migrate import is_made


def require_volume(settings: Settings) -> None:
    """Raise DatabaseError where others would get a new service, as if a volume is not mounted.

    A database of PostgreSQL is one of a service once it has tables, which `migrate` makes too.
    """
    others = reachable_by_others(settings)
    if settings.init or not others:
        return
    found = (
        is_made(settings.database, pooler=settings.pooler)
        if settings.database
        else has_database(settings.data)
    )
    if not found:
        raise DatabaseError(
            f"There is no database in {shown(settings.place)}, and {others} can be reached from "
            "other machines: is its volume there? Say --init to make a new service."
        )

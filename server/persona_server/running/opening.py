"""Whether a start may make a new service where there is no database."""

from persona_server.settings.config import Settings
from persona_server.settings.rules import reachable_by_others
from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.folder import has_database


def require_volume(settings: Settings) -> None:
    """Raise DatabaseError where others would get a new service, as if a volume is not mounted."""
    if settings.init or settings.database:
        return
    others = reachable_by_others(settings)
    if others and not has_database(settings.data):
        raise DatabaseError(
            f"There is no database in {settings.data}, and {others} can be reached from other "
            "machines: is its volume there? Say --init to make a new service."
        )

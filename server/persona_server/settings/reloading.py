"""Settings that change while the service runs, and those for which it must be started again."""

from collections.abc import Callable
from dataclasses import fields, replace

from persona_server.quotas import Quota
from persona_server.settings.config import Settings
from persona_server.settings.loading import SettingError
from persona_server.telemetry import logs

LIVE = {"log_level", "retention", "grace", *(f"quota_{name}" for name in Quota._fields)}


def read_again(now: Settings, load: Callable[[], Settings]) -> Settings:
    """Return the settings from now on, and log which of them are new and which would wait.

    Where they can't be read they stay as they are.
    """
    try:
        read = load()
    except SettingError as error:
        logs.LOGGER.error("settings not read again", extra={"reason": str(error)})
        return now
    names = [f.name for f in fields(Settings) if getattr(now, f.name) != getattr(read, f.name)]
    changed = [name for name in names if name in LIVE]
    waiting = [name for name in names if name not in LIVE]  # for the next start
    logs.LOGGER.warning("settings read again", extra={"changed": changed, "waiting": waiting})
    return replace(now, **{name: getattr(read, name) for name in changed})

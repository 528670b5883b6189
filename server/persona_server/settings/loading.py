"""The settings of one start, read from where they stand.

A flag beats an environment variable, which beats the file of settings, which beats the default.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from persona_server.settings import file as settings_file
from persona_server.settings import values
from persona_server.settings.config import SETTINGS, Settings
from persona_server.settings.rules import complaint
from persona_server.settings.setting import PREFIX, Setting

CLIENT_VARIABLES = (  # not the server's
    "PERSONA_ADDRESS",
    "PERSONA_TOKEN",
    "PERSONA_REST_URL",
    "PERSONA_TLS_CA",
    "PERSONA_CLIENT_CERT",
    "PERSONA_CLIENT_KEY",
)


class SettingError(Exception):
    """A setting has a value that it can't have; the text names it and the fix."""


def load(
    flags: Mapping[str, str | None], environment: Mapping[str, str], *, again: bool = False
) -> Settings:
    """Return the settings of these flags (by setting name, None where not given) and variables.

    One of them may name a file of more, which a running service reads `again`. Raises SettingError
    for a value that can't be.
    """
    file = _file_of(flags, environment)
    read = _read(file, again=again) if file else {}
    found: dict[str, Any] = {}
    for each in SETTINGS:
        source, text = each.flag, flags.get(each.name)
        if text is None:
            source, text = each.variable, environment.get(each.variable)
        if text is None:
            source, text = f"{file}: {each.name}", read.get(each.name)
        if text is None:
            source, text = f"The default of {each.flag}", each.default
        found[each.name] = _parsed(each, source, text)
    settings = Settings(**found)
    if wrong := complaint(settings):
        raise SettingError(wrong)
    return settings


def _parsed(each: Setting, source: str, text: str) -> Any:
    try:
        return each.parse(text)
    except ValueError as error:
        raise SettingError(f"{source} {error}; {values.refused(text, each.parse)}.") from None


def _file_of(flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Path | None:
    (setting,) = (each for each in SETTINGS if each.name == "config")
    source, text = setting.flag, flags.get(setting.name)
    if text is None:
        source, text = setting.variable, environment.get(setting.variable, "")
    file: Path | None = _parsed(setting, source, text)
    return file


def _read(file: Path, *, again: bool) -> dict[str, str]:
    names = [each.name for each in SETTINGS if each.name != "config"]  # a file names no other
    try:
        return settings_file.read(file, names, again=again)
    except ValueError as error:
        raise SettingError(f"{file} {error}.") from None


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Return the PERSONA_* variables that nobody reads: most likely a slip of the pen."""
    known = {each.variable for each in SETTINGS} | set(CLIENT_VARIABLES)
    return sorted(v for v in environment if v.startswith(PREFIX) and v not in known)

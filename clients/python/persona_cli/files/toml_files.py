"""Files of TOML that say what others hold: codebooks and mappings."""

import tomllib
from pathlib import Path
from typing import Any

from persona_cli.files.inputs import naming_errors
from persona_cli.files.tables.plain import plain
from persona_cli.files.tables.table import FileError


def read_toml(file: str) -> dict[str, Any]:
    """Return what a file says, its dates as texts. Raises OSError with its name, FileError."""
    try:
        with naming_errors(file):
            said = tomllib.loads(Path(file).read_text("utf-8-sig"))
        return {name: plain(value) for name, value in said.items()}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"is not TOML: {error}") from None
    except RecursionError:
        raise FileError("is nested too deeply") from None

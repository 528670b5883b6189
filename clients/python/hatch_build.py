"""Add what the client shares with the service, and what lies outside this folder, to what is built.

Not by `force-include` in pyproject.toml: an editable install would copy the files, and a wheel that
is built from the unpacked source distribution has them elsewhere.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# package → where the checkout has it
SHARED = {
    "persona": "../../generated/persona",
    "persona_server/validation": "../../server/persona_server/validation",
}


class SharedPackages(BuildHookInterface):  # type: ignore[misc]
    """Puts the shared packages into wheel and source distribution, beside the client's own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the packages to include; an editable install finds them by its path entries."""
        if version == "editable":
            return
        for package, place in SHARED.items():
            unpacked = Path(self.root, package)
            source = unpacked if unpacked.exists() else Path(self.root, place)
            build_data["force_include"][str(source)] = package

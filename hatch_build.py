"""Put the REST gateway, built for one platform, into a wheel of the service.

PERSONA_WHEEL names the platform; `make wheels` builds one for each. Without it the wheel is for any
platform and has no gateway, which is then to be had from elsewhere, or REST is off.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROGRAM = "persona-gateway"
_LINUX = "manylinux_2_17_{0}.manylinux2014_{0}.musllinux_1_1_{0}"  # it is linked to no library
# platform → what Go calls it, and the tag of its wheel
PLATFORMS = {
    "linux-x86_64": (("linux", "amd64"), _LINUX.format("x86_64")),
    "linux-aarch64": (("linux", "arm64"), _LINUX.format("aarch64")),
    "macos-arm64": (("darwin", "arm64"), "macosx_12_0_arm64"),
}


class GatewayHook(BuildHookInterface):  # type: ignore[misc]
    """Builds the gateway, and makes it a program of the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the program and the tag of its platform."""
        platform = os.environ.get("PERSONA_WHEEL")
        if version == "editable" or not platform:
            return
        if platform not in PLATFORMS:
            raise ValueError(f"PERSONA_WHEEL is one of {', '.join(PLATFORMS)}; got {platform!r}.")
        target, tag = PLATFORMS[platform]
        self._folder = tempfile.TemporaryDirectory()
        program = Path(self._folder.name, PROGRAM)
        self._build(program, *target)
        build_data["shared_scripts"][str(program)] = PROGRAM
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{tag}"

    def _build(self, program: Path, system: str, architecture: str) -> None:
        environment = {"GOOS": system, "GOARCH": architecture, "CGO_ENABLED": "0"}
        subprocess.run(  # noqa: S603 (our own command)
            ["go", "build", "-trimpath", "-buildvcs=false", "-o", program, "./server/gateway"],  # noqa: S607
            cwd=self.root,
            env=os.environ | environment,
            check=True,
        )

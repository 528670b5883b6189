"""The `persona` command."""

import os

# gRPC's core reads this when it is imported. Else it writes lines of its own beside ours, such as a
# second one for a taken port.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import typer

from persona_server.cli import (
    exporting,
    groups,
    importing,
    personas,
    projects,
    rebuild,
    serve,
    token,
)

app = typer.Typer(
    help="The system of record for synthetic consumers: run the service, or use one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for module in (serve, token, rebuild, projects, groups, personas, importing, exporting):
    module.register(app)


def main() -> None:
    """Run the command line."""
    app()

"""The `persona` command."""

import typer

from persona_server.cli import serve, token

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for module in (serve, token):
    module.register(app)


def main() -> None:
    """Run the command line."""
    app()

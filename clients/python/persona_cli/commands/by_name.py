"""Every command by its name: it is imported when it is run, or listed with all others.

So a start costs what one command needs. To import and describe all of them takes half a second.
"""

from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperGroup

from persona_cli.commands import service
from persona_cli.terminal.streams import ending_in_words

# The commands that call a service, in the order of `--help`: where each is registered.
MODULES = {
    **dict.fromkeys(("list", "count", "get", "delete"), "people.personas"),
    "import": "people.importing",
    "export": "people.exporting",
    "copy": "people.copying",
    "questions": "simulations",
    "summary": "measures.summary",
    "compare": "measures.comparison",
    "fidelity": "measures.fidelity",
    **dict.fromkeys(("reliability", "promote"), "measures.reliability"),
    "reliabilities": "measures.reliabilities",
    **dict.fromkeys(("timeline", "lineage"), "measures.library"),
    "projects": "projects",
    "groups": "groups",
    "responses": "answers.responses",
    "simulations": "simulations",
    "library": "measures.library",
}
# A command of the client's that is one of the service's where it is told any of these.
_OTHERWISE = {"copy": ("copy-database", {"--from", "--to"})}


class Commands(TyperGroup):
    """The whole of `persona`."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # Names alone, which Typer lists, and among which it looks for what a slip has meant.
        self.commands = cast(Any, dict.fromkeys((*service.NAMES, *MODULES)))

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the command line, whose `--help` prints."""
        with ending_in_words():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with ending_in_words():
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that a command line means, by its first word mostly."""
        other, options = _OTHERWISE.get(args[0], ("", set()))
        if options.intersection(word.partition("=")[0] for word in args):
            args = [other, *args[1:]]
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, None if there is none."""
        if cmd_name in service.NAMES:
            return _reflowed(service.command(cmd_name))
        if cmd_name in MODULES:
            return _reflowed(client_commands(MODULES[cmd_name])[cmd_name])
        return super().get_command(ctx, cmd_name)


def _reflowed(command: Any) -> Any:
    """Return a command whose help, and that of those below it, has one line per paragraph.

    A terminal wraps it at its own width; as it stands in the code it would be wrapped twice.
    """
    for below in getattr(command, "commands", {}).values():
        _reflowed(below)
    paragraphs = (command.help or "").split("\n\n")
    command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    return command


def client_commands(module: str) -> dict[str, Any]:
    """Return the commands that a module registers, by their names."""
    app = typer.Typer(add_completion=False)
    import_module(f"persona_cli.commands.{module}").register(app)
    return dict(typer.main.get_group(app).commands)

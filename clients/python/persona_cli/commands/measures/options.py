"""The options that commands share which measure: of which answers, and whether as a picture."""

from typing import Annotated, TypeAlias

import typer

from persona_cli.plot.picture import picture_format

SimulationOption: TypeAlias = Annotated[
    str, typer.Option("--simulation", "-s", help="Only what was answered in this simulation.")
]
MembersOption: TypeAlias = Annotated[
    str, typer.Option("--group", "-g", help="Only the individuals of this persona group.")
]
ModelOption: TypeAlias = Annotated[str, typer.Option(help="Only what this model answered.")]
QuestionOption: TypeAlias = Annotated[
    str, typer.Option(help="Only questions with this key.", show_default=False)
]
PlotOption: TypeAlias = Annotated[
    str, typer.Option(metavar="FILE", help="Draw it to FILE, an .svg or .png, instead.")
]


def selection_title(*parts: str) -> str:
    """Return what a picture calls a selection: all that was named of it."""
    return ", ".join(filter(None, parts))


def require_picture(plot: str) -> None:
    """End the command, before anything is asked for, where there is a file that can't be drawn."""
    if plot:
        picture_format(plot)

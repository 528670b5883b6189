"""The options of every command that reads files."""

from typing import Annotated, Any, TypeAlias

import typer


def option(*names: str, **settings: Any) -> Any:
    """Return an option whose default goes without saying."""
    return typer.Option(*names, show_default=False, **settings)


def layout_option(*names: str, **settings: Any) -> Any:
    """Return an option that says how files are to be read."""
    return option(*names, rich_help_panel="Layout and encoding", **settings)


RefusedFile: TypeAlias = Annotated[
    str,
    option(
        "--refused",
        metavar="FILE",
        help="Write refused rows there, as JSON lines to be mended and read again.",
    ),
]
Files: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...", help="Files, folders or patterns to read; - is standard input."
    ),
]
Encoding: TypeAlias = Annotated[str, layout_option(help="Encoding of the text, such as cp1252.")]
Sheet: TypeAlias = Annotated[
    str, layout_option(help="Sheet of an Excel workbook; the first one if left out.")
]
TimeZone: TypeAlias = Annotated[
    str, layout_option("--timezone", help="Zone of times that name none, such as Europe/Lisbon.")
]

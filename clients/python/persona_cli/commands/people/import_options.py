"""The options of `persona import`."""

from typing import Annotated, Any, TypeAlias

import typer

from persona_cli.files.formats import PersonaFormat


def _option(*names: str, **settings: Any) -> Any:
    return typer.Option(*names, show_default=False, **settings)


def _layout(*names: str, **settings: Any) -> Any:
    return _option(*names, rich_help_panel="Layout and encoding", **settings)


Files: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...", help="Files, folders or patterns to read; - is standard input."
    ),
]
IntoProject: TypeAlias = Annotated[str, _option("--project", "-p", help="Project, by name or id.")]
IntoGroup: TypeAlias = Annotated[
    str, _option("--group", "-g", help="Persona group, by name or id.")
]
Format: TypeAlias = Annotated[
    PersonaFormat, _layout("--format", help="Layout of the rows; auto finds it.")
]
Maps: TypeAlias = Annotated[
    list[str] | None,
    _layout(
        "--map",
        metavar="FIELD=TEMPLATE",
        help="What a field is made of: full_name='{first} {last}', age=years, or "
        "income_level='wealth:<20k=Low,20k-75k=Middle,*=High'. May be given several times.",
    ),
]
MappingFile: TypeAlias = Annotated[
    str, _layout(metavar="FILE", help="Mapping file (TOML), as --explain drafts it.")
]
Drops: TypeAlias = Annotated[
    list[str] | None,
    _layout(metavar="COLUMN", help="Leave a column out; may be given several times."),
]
Encoding: TypeAlias = Annotated[str, _layout(help="Encoding of the text, such as cp1252.")]
Member: TypeAlias = Annotated[
    str, _layout(help="Member of a JSON or YAML object that holds the list of personas.")
]
Sheet: TypeAlias = Annotated[
    str, _layout(help="Sheet of an Excel workbook; the first one if left out.")
]
TimeZone: TypeAlias = Annotated[
    str, _layout("--timezone", help="Zone of times that name none, such as Europe/Lisbon.")
]
Explain: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Print a mapping of the first file, with three of its personas, and import nothing.",
    ),
]
NewIds: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--new-ids", help="Ignore the ids of personas in the input; the service assigns new ones."
    ),
]
Again: TypeAlias = Annotated[
    bool,
    typer.Option("--again", help="Import once more what was imported into this group before."),
]
RefusedFile: TypeAlias = Annotated[
    str,
    _option(
        "--refused",
        metavar="FILE",
        help="Write refused rows there, as JSON lines to be mended and imported.",
    ),
]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Let the service check everything, and import nothing.")
]

"""The options of `persona import`."""

from typing import Annotated, TypeAlias

import typer

from persona_cli.commands.reading_options import layout_option, option
from persona_cli.files.formats import PersonaFormat

IntoProject: TypeAlias = Annotated[str, option("--project", "-p", help="Project, by name or id.")]
IntoGroup: TypeAlias = Annotated[str, option("--group", "-g", help="Persona group, by name or id.")]
Format: TypeAlias = Annotated[
    PersonaFormat, layout_option("--format", help="Layout of the rows; auto finds it.")
]
Maps: TypeAlias = Annotated[
    list[str] | None,
    layout_option(
        "--map",
        metavar="FIELD=TEMPLATE",
        help="What a field is made of: full_name='{first} {last}', age=years, or "
        "income_level='wealth:<20k=Low,20k-75k=Middle,*=High'. May be given several times.",
    ),
]
MappingFile: TypeAlias = Annotated[
    str, layout_option(metavar="FILE", help="Mapping file (TOML), as --explain drafts it.")
]
Drops: TypeAlias = Annotated[
    list[str] | None,
    layout_option(metavar="COLUMN", help="Leave a column out; may be given several times."),
]
Member: TypeAlias = Annotated[
    str, layout_option(help="Member of a JSON or YAML object that holds the list of personas.")
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
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Let the service check everything, and import nothing.")
]

"""The options of `persona responses record`."""

from typing import Annotated, TypeAlias

import typer

from persona_cli.commands.reading_options import layout_option, option
from persona_cli.files.answers.answer_files import AnswerFormat

Simulation: TypeAlias = Annotated[
    str,
    option(
        "--simulation",
        "-s",
        help="Simulation of the answers that name none: a UUID of yours, or a name in --project.",
    ),
]
OfProject: TypeAlias = Annotated[
    str, option("--project", "-p", help="Project of --simulation and --group, by name or id.")
]
OfGroup: TypeAlias = Annotated[
    str,
    option("--group", "-g", help="Persona group in which external ids are looked up."),
]
Format: TypeAlias = Annotated[
    AnswerFormat,
    layout_option(
        "--format",
        help="Layout of the rows, whatever kind of file: jsonl is fields of a response, csv a row "
        "for each answer, wide one for each respondent, edsl results of EDSL; auto finds it.",
    ),
]
CodebookFile: TypeAlias = Annotated[
    str,
    layout_option(
        "--codebook",
        metavar="FILE",
        help="What the columns of a table with a row for each respondent are: TOML, or a table "
        "with the columns question, kind, options, scale and text.",
    ),
]
Draft: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--draft-codebook",
        help="Print a codebook of the first file, to be checked, and record nothing.",
    ),
]
Member: TypeAlias = Annotated[
    str, layout_option(help="Member of a JSON or YAML object that holds the list of rows.")
]

"""The options of `persona responses record`."""

from typing import Annotated, Any, TypeAlias

import typer

from persona_cli.files.answers.answer_files import AnswerFormat


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
Simulation: TypeAlias = Annotated[
    str,
    _option(
        "--simulation",
        "-s",
        help="Simulation of the answers that name none: a UUID of yours, or a name in --project.",
    ),
]
OfProject: TypeAlias = Annotated[
    str, _option("--project", "-p", help="Project of --simulation and --group, by name or id.")
]
OfGroup: TypeAlias = Annotated[
    str,
    _option("--group", "-g", help="Persona group in which external ids are looked up."),
]
Format: TypeAlias = Annotated[
    AnswerFormat,
    _layout(
        "--format",
        help="Layout of the rows, whatever kind of file: jsonl is fields of a response, csv a row "
        "for each answer, wide one for each respondent, edsl results of EDSL; auto finds it.",
    ),
]
CodebookFile: TypeAlias = Annotated[
    str,
    _layout(
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
Encoding: TypeAlias = Annotated[str, _layout(help="Encoding of the text, such as cp1252.")]
Member: TypeAlias = Annotated[
    str, _layout(help="Member of a JSON or YAML object that holds the list of rows.")
]
Sheet: TypeAlias = Annotated[
    str, _layout(help="Sheet of an Excel workbook; the first one if left out.")
]
TimeZone: TypeAlias = Annotated[
    str, _layout("--timezone", help="Zone of times that name none, such as Europe/Lisbon.")
]
